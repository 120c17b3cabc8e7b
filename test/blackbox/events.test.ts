/** Events of the running program: over HTTPS, over plain HTTP, by command, and as mails that arrive. */
import assert from "node:assert/strict"
import { generateKeyPairSync, sign } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { request } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { SMTPServer } from "smtp-server"
import { EventList } from "../../src/http/contract-events.ts"
import { Refusal } from "../../src/http/contract-refusal.ts"
import { generateKey } from "../../src/keys/format.ts"
import { freePort } from "../canaries/send.ts"
import { readAnswer } from "../contract/read-answer.ts"
import type { Answer, Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"

const PARTNER = "3a5d"
const PATIENCE_MS = 40_000

describe("events", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
  let program: Program
  let httpPort = 0
  let partnersFile = ""
  const mails: string[] = []
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, _session, done) =>
      void text(stream).then((mail) => {
        mails.push(mail)
        done()
      }),
  })
  before(async () => {
    partnersFile = `${await newDataDir()}-partners.json`
    const key = publicKey.export({ type: "spki", format: "pem" })
    const partner = { key_identifier: PARTNER, key, partner: "github" }
    await writeFile(partnersFile, JSON.stringify({ public_keys: [partner] }))
    await new Promise<void>((resolve) => smtp.listen(0, "127.0.0.1", resolve))
    const { port } = smtp.server.address() as AddressInfo
    httpPort = await freePort()
    program = await startProgram({
      environment: {
        ZT_RESOLVERS: "127.0.0.1:9",
        ZT_HTTP_PORT: `${httpPort}`,
        ZT_LEAK_PARTNERS_FILE: partnersFile,
        ZT_SMTP_URL: `smtp://127.0.0.1:${port}`,
        ZT_MAIL_FROM: "post@trust.example",
      },
    })
  })
  after(async () => {
    await program.stop()
    await new Promise<void>((resolve) => smtp.close(() => resolve()))
  })
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCommand(
      [...args, "--json"],
      environment(program.dataDir),
    )
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const issue = async (tenant: string, kind: string, ...more: string[]) => {
    const issued = await json("keys", "issue", "--tenant", tenant, "--environment", kind, ...more)
    return issued as { id: string; key: string }
  }
  /** Keys of one tenant: the first by command, the others by that. */
  const issueSome = async (tenant: string, kind: string, count: number) => {
    const scopes = ["analyze", "usage:read", "keys:write"].flatMap((scope) => ["--scope", scope])
    const first = await issue(tenant, kind, ...scopes)
    const others: { id: string; key: string }[] = []
    for (let n = 1; n < count; n++) {
      const body = JSON.stringify({ name: `number ${n}` })
      const headers = { "content-type": "application/json" }
      const ask = { method: "POST", key: first.key, headers, body }
      others.push((await program.ask("/v1/keys", ask)).json)
    }
    return [first, ...others]
  }
  const events = async (key: string, query = "") => {
    const answer = await program.ask(`/v1/events${query}`, { key })
    assert.equal(answer.status, 200, answer.text)
    return readAnswer(EventList, answer.json)
  }
  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(200)) {
      const found = await look()
      if (found !== undefined) return found
      assert.ok(Date.now() < end, "it did not come")
    }
  }
  const report = (
    body: string,
    { identifier = PARTNER, by = privateKey, signed = body, prefix = "Github-" } = {},
  ): Promise<Answer> =>
    program.ask("/v1/leaked-keys", {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        [`${prefix}Public-Key-Identifier`]: identifier,
        [`${prefix}Public-Key-Signature`]: sign("sha256", Buffer.from(signed), by).toString(
          "base64",
        ),
      },
    })
  const reported = (...tokens: unknown[]) =>
    JSON.stringify(
      tokens.map((token) => ({
        token,
        type: "zygentrust",
        url: "http://127.0.0.1:1/x",
        source: "c",
      })),
    )

  describe("POST /v1/leaked-keys", () => {
    let leaky: readonly { key: string }[] = []
    it("disables keys that exist, live and test, and answers the same for those that do not", async () => {
      const [other, live, ...spare] = await issueSome("leaky", "live", 3)
      const test = await issue("leaky", "test")
      assert.ok(other && live)
      leaky = spare
      const body = reported(live.key, test.key, live.key)
      const [known, unknown] = [
        await report(body),
        await report(reported(generateKey("live"), generateKey("test"), generateKey("live"))),
      ]
      for (const answer of [known, unknown]) {
        assert.equal(answer.status, 202)
        assert.equal(answer.text, '{"received":3}')
        for (const name of ["x-request-id", "date"]) delete answer.headers[name]
      }
      assert.deepEqual(known.headers, unknown.headers)
      for (const { key } of [live, test]) {
        const { status, json } = await program.ask("/v1/keys/me", { key })
        assert.deepEqual([status, json.error.code], [401, "KEY_DISABLED"])
      }
      assert.equal((await report(body)).status, 202, "again is harmless")
      const { events: told } = await events(other.key)
      assert.deepEqual(
        told.map(({ kind, key, details }) => [kind, key, details]),
        [["key_leaked", live.id, { partner: "github", action: "disabled" }]],
      )
    })

    it("looks at what is good among items that are not", async () => {
      const [{ key }] = leaky as [{ key: string }]
      const items = [null, 7, "x", [], {}, { token: 5 }, { token: "" }, { token: `${key} ` }]
      const body = JSON.stringify([...items, { token: key }])
      const answer = await report(body, { prefix: "" })
      assert.deepEqual([answer.status, answer.json], [202, { received: 9 }])
      assert.equal((await program.ask("/v1/keys/me", { key })).status, 401)
    })

    it("tells the owner only, where the plan says so", async () => {
      await json("plans", "set", "lenient", "--on-leak", "notify")
      const { key, id } = await issue("lenient", "live", "--plan", "lenient")
      assert.equal((await report(reported(key))).status, 202)
      const { events: told } = await events(key)
      assert.deepEqual(
        told.map((event) => [event.key, event.details["action"]]),
        [[id, "notified"]],
      )
    })

    it("has one answer for all whose word does not count", async () => {
      const body = reported(generateKey("live"))
      const answers = [
        await report(body, { identifier: "unknown" }),
        await report(body, { identifier: "" }),
        await report(body, { by: stranger }),
        await report(body, { signed: `${body} ` }),
        await report("no JSON at all", { by: stranger }),
        await report(reported(...Array.from({ length: 501 }, () => "x")), { by: stranger }),
        await program.ask("/v1/leaked-keys", { method: "POST", body }),
        await program.ask("/v1/leaked-keys", { method: "POST" }),
      ]
      for (const { status, json } of answers) {
        const { code, message, details } = readAnswer(Refusal, json).error
        assert.deepEqual([status, code, details], [404, "NOT_FOUND", {}])
        assert.equal(message, answers[0]?.json.error.message)
      }
    })

    for (const [because, body, status, code] of [
      ["no JSON", "token=x", 400, "INVALID_REQUEST"],
      ["an object", '{"token":"x"}', 400, "INVALID_REQUEST"],
      ["nothing", "", 400, "INVALID_REQUEST"],
      ["501 items", reported(...Array.from({ length: 501 }, () => "x")), 413, "TOO_LARGE"],
      ["more than a mebibyte", `[${" ".repeat(1_048_575)}]`, 413, "TOO_LARGE"],
    ] as const) {
      it(`refuses what is signed and no report: ${because}`, async () => {
        const answer = await report(body)
        assert.equal(answer.status, status)
        assert.equal(readAnswer(Refusal, answer.json).error.code, code)
      })
    }

    for (const [because, body, received] of [
      ["500 items", reported(...Array.from({ length: 500 }, () => generateKey("live"))), 500],
      ["a mebibyte", `[${" ".repeat(1_048_574)}]`, 0],
      ["none", "[]", 0],
    ] as const) {
      it(`takes a report of ${because}`, async () => {
        const answer = await report(body)
        assert.deepEqual([answer.status, answer.json], [202, { received }])
      })
    }

    it("takes no parameter, and nothing but POST", async () => {
      const query = await program.ask("/v1/leaked-keys?x=1", { method: "POST" })
      assert.deepEqual([query.status, query.json.error.details], [400, { parameter: "x" }])
      const get = await program.ask("/v1/leaked-keys")
      assert.deepEqual([get.status, get.headers.allow], [405, "POST"])
    })
  })

  describe("a key over plain HTTP", () => {
    const inClear = (key: string) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        request(
          {
            host: "127.0.0.1",
            port: httpPort,
            path: "/v1/usage",
            headers: { "x-api-key": key, host: "localhost" },
          },
          (response) =>
            void text(response).then((body) =>
              resolve({
                status: response.statusCode ?? 0,
                body: body.replace(/req_[0-9a-z]{26}/, ""),
              }),
            ),
        )
          .on("error", reject)
          .end()
      })

    it("is refused the same whether or not it exists, and its owner told once", async () => {
      const { key, id } = await issue("careless", "live")
      const answers = []
      for (let n = 0; n < 5; n++)
        answers.push(await inClear(key), await inClear(generateKey("live")))
      for (const answer of answers) assert.deepEqual(answer, answers[0])
      assert.equal(answers[0]?.status, 403)
      const told = await until(async () => {
        const found = await events(key)
        return found.events.length > 0 ? found.events : undefined
      })
      assert.deepEqual(
        told.map((event) => [event.kind, event.key]),
        [["key_sent_in_clear", id]],
      )
      const warned = program.stderr().match(/an API key came over plain HTTP: rotate it/g)
      assert.equal(warned?.length, 1, "the log tells of the one that exists, once")
    })
  })

  describe("GET /v1/events", () => {
    it("pages from the newest on, filters by kind and key, and refuses by name", async () => {
      const [asking, ...keys] = await issueSome("pages", "test", 4)
      assert.ok(asking)
      for (const { key } of keys) await report(reported(key))
      const newest = keys.map(({ id }) => id).reverse()
      const first = await events(asking.key, "?limit=2")
      assert.ok(first.next_cursor)
      const second = await events(asking.key, `?limit=2&cursor=${first.next_cursor}`)
      assert.equal(second.next_cursor, null)
      assert.deepEqual(
        [...first.events, ...second.events].map(({ key }) => key),
        newest,
      )
      const [id = ""] = newest
      assert.equal((await events(asking.key, `?key=${id}&kind=key_leaked`)).events.length, 1)
      assert.equal((await events(asking.key, `?key=${id}&kind=quota_80`)).events.length, 0)
      for (const [query, parameter] of [
        ["?kind=nonsense", "kind"],
        ["?key=nonsense", "key"],
        ["?limit=0", "limit"],
        ["?cursor=x", "cursor"],
        ["?tenant=x", "tenant"],
      ]) {
        const { status, json } = await program.ask(`/v1/events${query}`, { key: asking.key })
        assert.deepEqual([status, json.error.details], [400, { parameter }])
      }
    })

    it("needs a key, with the scope usage:read", async () => {
      assert.equal((await program.ask("/v1/events?kind=x")).status, 401)
      const { key } = await issue("narrow", "live", "--scope", "analyze")
      const { status, json } = await program.ask("/v1/events", { key })
      assert.deepEqual([status, json.error.code], [403, "INSUFFICIENT_SCOPE"])
    })

    it("tells of 80 and 100 % of the units, and mails both to the contact", async () => {
      await json("plans", "set", "tiny", "--units", "5")
      const { key } = await issue("Tiny Ltd", "live", "--plan", "tiny")
      const { tenants } = await json("tenants", "list")
      const { id } = tenants.find(({ name }: { name: string }) => name === "Tiny Ltd")
      assert.deepEqual(await json("tenants", "contact", id), { id, contact: null })
      const contact = "ops@tiny.example"
      assert.deepEqual(await json("tenants", "contact", id, "--set", contact), { id, contact })
      for (let n = 0; n < 5; n++) {
        assert.equal((await program.ask("/v1/analyze?domain=x.example", { key })).status, 200)
      }
      const told = await until(async () => {
        const { events: found } = await events(key)
        return found.length === 2 && found.every(({ mailed_at }) => mailed_at) ? found : undefined
      })
      assert.deepEqual(told.map(({ kind }) => kind).sort(), ["quota_100", "quota_80"])
      const mail = mails.find((one) => one.includes(contact))
      assert.match(mail ?? "", /5 of the 5 units/)
      assert.ok(!mails.join("").includes("zt_live_"))
    })
  })

  describe("by command", () => {
    it("events list shows who was told what, mailed or not", async () => {
      const { stdout } = await runCommand(["events", "list"], environment(program.dataDir))
      assert.match(stdout, /quota_80 {2}ten_\w{26} {2}live .*units=\d .* {2}mailed\n/)
      assert.match(stdout, /key_leaked {2}ten_\w{26} {2}test {2}key_\w{26} .* {2}not mailed\n/)
      const { events: leaked } = await json(
        "events",
        "list",
        "--kind",
        "key_leaked",
        "--limit",
        "2",
      )
      assert.equal(leaked.length, 2)
      const [{ tenant, key }] = leaked
      assert.equal(
        (await json("events", "list", "--tenant", tenant, "--key", key)).events.length,
        1,
      )
      const audit = await runCommand(
        ["events", "list", "--kind", "x"],
        environment(program.dataDir),
      )
      assert.equal(audit.code, 2)
    })

    it("tenants contact refuses what is no address, clears, and knows no other tenant", async () => {
      const { tenants } = await json("tenants", "list")
      const [{ id }] = tenants
      const run = (...args: string[]) =>
        runCommand(["tenants", "contact", ...args], environment(program.dataDir))
      assert.match((await run(id)).stdout, /has no contact: nobody is mailed/)
      assert.match((await run(id, "--set", "nobody")).stderr, /not a mail address/)
      assert.equal((await run(id, "--set", "a@b.example")).stdout, "a@b.example\n")
      assert.deepEqual(await json("tenants", "contact", id, "--clear"), { id, contact: null })
      assert.equal((await run("ten_nobody")).code, 1)
      assert.equal((await run(id, "--set", "a@b.example", "--clear")).code, 2)
    })
  })
})
