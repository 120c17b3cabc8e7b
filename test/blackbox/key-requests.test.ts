/**
 * K7: keys by request, over HTTPS and the command line, on three instances. The second has no mail and
 * takes no requests, the third two a day of one address.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { generateKey } from "../../src/keys/format.ts"
import type { Mailbox } from "../mailbox.ts"
import { openMailbox } from "../mailbox.ts"
import type { Answer, Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const GOOD = {
  name: "Ada Lovelace",
  organisation: "Analytical Engines Ltd",
  purpose: "We check suppliers.\nMany of them.",
  contact: "ada@engines.example",
}
const NOBODYS = `zt_link_${"0123456789abcdef".repeat(4)}`

describe("keys by request", () => {
  let program: Program
  let second: Program
  let third: Program
  let mailbox: Mailbox
  let people = 0
  before(async () => {
    mailbox = await openMailbox()
    program = await startProgram({ environment: mailbox.settings })
    second = await startProgram({
      dataDir: program.dataDir,
      environment: { ZT_KEY_REQUESTS: "0" },
    })
    third = await startProgram({
      dataDir: program.dataDir,
      environment: { ZT_KEY_REQUESTS_PER_DAY: "2" },
    })
  })
  after(async () => {
    await third.stop()
    await second.stop()
    await program.stop()
    await mailbox.close()
  })

  const run = (args: readonly string[], mail = false) =>
    runCommand(args, environment(program.dataDir, mail ? mailbox.settings : {}))
  const json = async (args: readonly string[], mail = false) => {
    const { code, stdout, stderr } = await run([...args, "--json"], mail)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const send = (body: unknown, headers: Record<string, string> = {}, path = "/v1/key-requests") =>
    program.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    })
  const someone = (more: object = {}) => {
    people += 1
    return { ...GOOD, organisation: `Org ${people}`, contact: `p${people}@x.example`, ...more }
  }
  /** @returns The id of a request that was made now. */
  const asked = async (more: object = {}): Promise<string> => {
    const who = someone(more)
    assert.equal((await send(who)).status, 202)
    const { requests } = await json(["requests", "list", "--all"])
    return requests.find(({ contact }: { contact: string }) => contact === who.contact).id
  }
  const tokenIn = (text: string) => /#(zt_link_[0-9a-f]{64})\s/.exec(text)?.[1] ?? ""
  const approved = async (id: string) => {
    const { mail } = await json(["requests", "approve", id, "--plan", "starter"])
    return tokenIn(mail.text)
  }
  const claim = (token: string, at = program, headers: Record<string, string> = {}) =>
    at.ask("/claim-a-key", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams({ token }).toString(),
    })
  const keyIn = ({ text }: Answer) => />(zt_(?:live|test)_[0-9A-Za-z]{49})</.exec(text)?.[1]

  describe("POST /v1/key-requests", () => {
    it("answers the same, whoever asks and whatever is there", async () => {
      await json(["keys", "issue", "--tenant", "There Ltd", "--environment", "live"])
      const who = someone()
      const answers = []
      for (const body of [
        who,
        who,
        who,
        who, // the fourth of an address goes nowhere
        someone({ organisation: "There Ltd" }),
        someone({ plan: "free" }),
        someone({ plan: "unlimited" }),
        someone({ plan: "no-such-plan" }),
      ]) {
        const { status, text } = await send(body)
        answers.push(`${status} ${text}`)
      }
      assert.deepEqual([...new Set(answers)], ['202 {"status":"received"}'])
    })

    for (const [body, field, because] of [
      [{ ...GOOD, name: undefined }, "name", "a field is missing"],
      [{ ...GOOD, name: "" }, "name", "an empty one"],
      [{ ...GOOD, name: "   " }, "name", "spaces alone"],
      [{ ...GOOD, name: "x".repeat(81) }, "name", "too long"],
      [{ ...GOOD, name: "Ada\nBcc: eve@example.com" }, "name", "a line end"],
      [{ ...GOOD, name: "Ada \u202eecalevoL" }, "name", "what turns the reading round"],
      [{ ...GOOD, organisation: "x".repeat(61) }, "organisation", "too long"],
      [{ ...GOOD, organisation: 7 }, "organisation", "a number"],
      [{ ...GOOD, purpose: "x".repeat(1_001) }, "purpose", "too long"],
      [{ ...GOOD, purpose: "a\u0000b" }, "purpose", "a NUL"],
      [{ ...GOOD, contact: "ada" }, "contact", "no address"],
      [{ ...GOOD, contact: "Ada <ada@example.com>" }, "contact", "a name and an address"],
      [{ ...GOOD, contact: "a@x.example,b@x.example" }, "contact", "two addresses"],
      [{ ...GOOD, contact: "a@x.example\nBcc: b@x.example" }, "contact", "a header"],
      [{ ...GOOD, purpose: `for ${generateKey("live")}` }, "purpose", "somebody's key"],
      [{ ...GOOD, plan: "No Plan!" }, "plan", "no plan's name"],
      [{ ...GOOD, tenant: "There Ltd" }, "tenant", "an unknown field"],
      [[GOOD], "", "no object"],
    ] as const) {
      it(`400, ${because}: it names the field, and quotes nothing`, async () => {
        const { status, json: answer, text } = await send(body)
        assert.equal(status, 400)
        assert.equal(answer.error.details.field, field)
        assert.doesNotMatch(text, /Bcc|x\.example|ecalevoL|There Ltd|zt_live_/)
      })
    }

    it("says how long a field may be", async () => {
      const { json: answer } = await send({ ...GOOD, organisation: "x".repeat(61) })
      assert.equal(answer.error.message, "The field 'organisation' has more than 60 characters.")
    })

    it("refuses what is no small JSON, a query, another method", async () => {
      assert.equal((await send(GOOD, { "content-type": "text/plain" })).status, 415)
      assert.equal((await send({ ...GOOD, purpose: "x".repeat(70_000) })).status, 413)
      assert.equal((await send("{")).status, 400)
      assert.equal((await send(GOOD, {}, "/v1/key-requests?x=1")).status, 400)
      assert.equal((await send(GOOD, { "idempotency-key": "a b" })).status, 400)
      assert.equal((await program.ask("/v1/key-requests")).status, 405)
    })

    it("once under one Idempotency-Key", async () => {
      const who = someone()
      const answers = await Promise.all(
        [1, 2, 3].map(() => send(who, { "idempotency-key": "asking-1" })),
      )
      assert.deepEqual(
        answers.map(({ status }) => status),
        [202, 202, 202],
      )
      const { requests } = await json(["requests", "list"])
      const own = requests.filter(({ contact }: { contact: string }) => contact === who.contact)
      assert.equal(own.length, 1)
    })
  })

  it("where ZT_KEY_REQUESTS is 0, nobody can ask; links go on working", async () => {
    const headers = { "content-type": "application/json" }
    const body = JSON.stringify(GOOD)
    const post = { method: "POST", headers, body }
    assert.equal((await second.ask("/v1/key-requests", post)).status, 404)
    assert.equal((await second.ask("/request-a-key")).status, 404)
    assert.equal((await second.ask("/request-a-key", post)).status, 404)
    assert.equal((await second.ask("/claim-a-key")).status, 200)
  })

  it("beyond ZT_KEY_REQUESTS_PER_DAY, an address is told how long to wait, on the page too", async () => {
    const headers = { "content-type": "application/json" }
    const post = () =>
      third.ask("/v1/key-requests", {
        method: "POST",
        headers,
        body: JSON.stringify(someone()),
      })
    assert.deepEqual([(await post()).status, (await post()).status], [202, 202])
    const refused = await post()
    assert.deepEqual([refused.status, refused.json.error.code], [429, "RATE_LIMITED"])
    assert.ok(Number(refused.headers["retry-after"]) > 86_000)
    const form = { "content-type": "application/x-www-form-urlencoded" }
    const page = await third.ask("/request-a-key", {
      method: "POST",
      headers: form,
      body: new URLSearchParams(someone()).toString(),
    })
    assert.equal(page.status, 429)
    assert.match(page.text, /role="alert">More keys were asked for/)
  })

  describe("the page", () => {
    const post = (fields: Record<string, string>) =>
      program.ask("/request-a-key", {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields).toString(),
      })
    it("runs no script and is in nobody's frame", async () => {
      for (const path of ["/request-a-key", "/request-a-key/sent"]) {
        const { status, text, headers } = await program.ask(path)
        assert.equal(status, 200)
        assert.doesNotMatch(text, /<script|style=|\son\w+=/)
        assert.equal(
          headers["content-security-policy"],
          "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        )
        assert.equal(headers["cache-control"], "private, no-store")
        assert.equal(headers["referrer-policy"], "no-referrer")
      }
    })
    it("takes what was typed, line ends too, and leads on by a GET", async () => {
      const who = someone({ purpose: "one\r\ntwo", plan: "" })
      const { status, headers } = await post(who)
      assert.deepEqual([status, headers.location], [303, "/request-a-key/sent"])
      const { requests } = await json(["requests", "list"])
      const kept = requests.find(({ contact }: { contact: string }) => contact === who.contact)
      assert.deepEqual([kept.purpose, kept.plan_wished], ["one\ntwo", null])
    })
    it("says what is wrong, keeps what was typed, and makes no markup of it", async () => {
      const { status, text } = await post(someone({ name: `"><script>1</script>`, contact: "ada" }))
      assert.equal(status, 400)
      assert.match(text, /aria-invalid="true"/)
      assert.match(text, /One mail address like/)
      assert.match(text, /value="&quot;&gt;&lt;script&gt;/)
      assert.doesNotMatch(text, /<script/)
    })
    it("gives back no key that was typed", async () => {
      const key = generateKey("live")
      const { status, text } = await post(someone({ purpose: `for ${key}` }))
      assert.equal(status, 400)
      assert.ok(!text.includes(key) && text.includes("Ada Lovelace"))
    })
    it("refuses another form, and a field twice", async () => {
      const twice = { method: "POST", headers: { "content-type": "text/plain" }, body: "name=x" }
      assert.equal((await program.ask("/request-a-key", twice)).status, 415)
      const headers = { "content-type": "application/x-www-form-urlencoded" }
      const again = { method: "POST", headers, body: "name=x&name=y" }
      assert.equal((await program.ask("/request-a-key", again)).status, 400)
    })
  })

  describe("the link", () => {
    it("is used up by no GET or HEAD; the POST shows the key, once, and it works", async () => {
      const token = await approved(await asked())
      for (const method of ["GET", "HEAD", "GET"]) {
        const { status, text, headers } = await program.ask("/claim-a-key", { method })
        assert.equal(status, 200)
        assert.doesNotMatch(text, /zt_live_/)
        assert.match(headers["content-security-policy"] as string, /script-src 'self'/)
      }
      const shown = await claim(`https://localhost/claim-a-key#${token}`)
      assert.equal(shown.status, 200)
      assert.equal(shown.headers["cache-control"], "private, no-store")
      const key = keyIn(shown) ?? ""
      const me = await program.ask("/v1/keys/me", { key })
      assert.deepEqual([me.status, me.json.environment], [200, "live"])
      const again = await claim(token)
      assert.equal(again.status, 410)
      assert.match(again.text, /This link was used/)
      assert.equal(keyIn(again), undefined)
    })

    it("of thirty who race over two instances, one sees the key", async () => {
      const token = await approved(await asked())
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, n) => claim(token, n % 2 === 0 ? program : second)),
      )
      assert.equal(answers.filter((one) => keyIn(one) !== undefined).length, 1)
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 410]))
    })

    it("nobody's, replaced, declined and malformed ones are refused alike", async () => {
      const id = await asked()
      const first = await approved(id)
      const relinked = await json(["requests", "relink", id])
      await json(["requests", "decline", id])
      const answers = await Promise.all(
        [NOBODYS, first, tokenIn(relinked.mail.text), "zt_link_", "x".repeat(3_000)].map(
          async (token) => {
            const { status, text } = await claim(token)
            return `${status} ${text}`
          },
        ),
      )
      assert.equal(new Set(answers).size, 1)
      assert.match(answers[0] ?? "", /^404 /)
    })

    it("from another site's page is no press of the button", async () => {
      const token = await approved(await asked())
      const { status } = await claim(token, program, { "sec-fetch-site": "cross-site" })
      assert.equal(status, 400)
      assert.ok(keyIn(await claim(token, program, { "sec-fetch-site": "same-origin" })))
    })

    it("is in no log", () => {
      assert.doesNotMatch(program.stderr() + second.stderr(), /zt_link_/)
    })
  })

  describe("mail", () => {
    it("self-service: the link comes by mail alone, and shows a key on the plan", async () => {
      const number = mailbox.mails.length
      const who = someone({ plan: "starter" })
      await send(who)
      const mail = await mailbox.mail(number)
      assert.deepEqual(mail.to, [who.contact])
      assert.ok(!mail.text.includes(who.name) && !mail.text.includes(who.organisation))
      assert.ok(mail.text.split("\n").every((line) => line.length <= 78 || line.includes("#")))
      assert.ok(mail.text.includes(`${program.url}/claim-a-key#`))
      const key = keyIn(await claim(tokenIn(mail.text), second)) ?? ""
      const { json: usage } = await program.ask("/v1/usage", { key })
      assert.equal(usage.plan?.name ?? usage.plan, "starter")
    })

    it("an operator's approval goes out, too, or says why not; nothing is lost", async () => {
      const id = await asked()
      mailbox.refusing = true
      const failed = await run(["requests", "approve", id, "--plan", "free"], true)
      mailbox.refusing = false
      assert.equal(failed.code, 1)
      assert.match(failed.stderr, /is approved, and its link could not be mailed\..*relink krq_/s)
      assert.doesNotMatch(failed.stderr, /zt_link_/)
      const number = mailbox.mails.length
      const { code, stdout } = await run(["requests", "relink", id], true)
      assert.equal(code, 0)
      assert.match(stdout, /a link went to/)
      assert.doesNotMatch(stdout, /zt_link_/)
      const { text } = await mailbox.mail(number)
      assert.ok(keyIn(await claim(tokenIn(text))))
    })
  })

  describe("the command", () => {
    it("shows what waits and what to do, a line of a stranger's never as its own", async () => {
      const id = await asked({ purpose: "x\nstate   done" })
      const listed = await run(["requests", "list"])
      assert.match(listed.stdout, new RegExp(`^${id}  .*waits for you`, "m"))
      const shown = await run(["requests", "show", id])
      assert.match(shown.stdout, /^purpose +x\n {14}state {3}done$/m)
      assert.match(shown.stdout, new RegExp(`requests approve ${id} --plan PLAN`))
    })
    it("a lost key: --revoke ends it and makes a new link", async () => {
      const id = await asked()
      const key = keyIn(await claim(await approved(id))) ?? ""
      const refused = await run(["requests", "relink", id])
      assert.deepEqual([refused.code, refused.stdout], [1, ""])
      assert.match(refused.stderr, /add --revoke/)
      const { mail } = await json(["requests", "relink", id, "--revoke"])
      assert.equal((await program.ask("/v1/keys/me", { key })).json.error.code, "KEY_REVOKED")
      assert.ok(keyIn(await claim(tokenIn(mail.text))))
    })
  })
})
