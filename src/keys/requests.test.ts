/** Keys by request (K7) on the database: asking, deciding, links, self-service, forgetting. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { decodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { Keyring } from "../secrets/keyring.ts"
import { claimKey } from "./claim.ts"
import { readKey } from "./format.ts"
import { issueKey, listKeys } from "./keys.ts"
import type { LinkMail } from "./link.ts"
import { findToken, newLink } from "./link.ts"
import { LinkPost } from "./link-post.ts"
import type { Applicant, AskOptions } from "./request.ts"
import { askForKey, selfServicePlans } from "./request.ts"
import type { Approval } from "./requests.ts"
import { approveRequest, declineRequest, listRequests, relinkRequest } from "./requests.ts"
import { ensureTenant, eraseTenant, listTenants } from "./tenants.ts"

const ADA: Applicant = {
  name: "Ada Lovelace",
  organisation: "Analytical Engines Ltd",
  purpose: "Numbers.\nMany.",
  contact: "ada@engines.example",
}
const BY_HAND: AskOptions = { canMail: false, most: 1_000 }
const BY_MAIL: AskOptions = { canMail: true, most: 1_000 }
const LIVE: Approval = { plan: "starter", environment: "live" }

for (const major of [18, 15] as const) {
  describe(`keys by request, PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    let people = 0
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
    })
    after(() => db.drop())

    /** Somebody else each time, unless told who. */
    const someone = (more: Partial<Applicant> = {}): Applicant => {
      people += 1
      return { ...ADA, organisation: `Org ${people}`, contact: `p${people}@x.example`, ...more }
    }
    const ask = (applicant: Applicant, options = BY_HAND, attempt?: string) =>
      askForKey(
        db.database,
        keyring,
        applicant,
        attempt === undefined
          ? undefined
          : { header: Buffer.from(attempt), request: Buffer.from(JSON.stringify(applicant)) },
        options,
      )
    const waiting = (all = false) => db.admin.asOperator((tx) => listRequests(tx, keyring, all))
    const find = async (id: string) => (await waiting(true)).find((one) => one.id === id)
    const approve = async (id: string, approval = LIVE) => {
      const link = newLink()
      const request = await db.admin.asOperator((tx) =>
        approveRequest(tx, keyring, id, approval, link, "cli:op"),
      )
      return { ...link, request }
    }
    const relink = async (id: string, revoke = false) => {
      const link = newLink()
      await db.admin.asOperator((tx) => relinkRequest(tx, keyring, id, revoke, link, "cli:op"))
      return link
    }
    const decline = (id: string) =>
      db.admin.asOperator((tx) => declineRequest(tx, keyring, id, "cli:op"))
    const claim = (token: string) => claimKey(db.database, keyring, token)
    const claimed = async (token: string) => {
      const made = await claim(token)
      assert.ok(made.standing === "made", made.standing)
      return made
    }
    const owner = async (keyId: string) => {
      const keys = await db.admin.asOperator((tx) => listKeys(tx, keyring))
      return keys.find(({ id }) => id === keyId)
    }
    const set = (id: string, change: string) =>
      db.asSuperuser(async (client) => {
        const hex = (await find(id))?.id
        assert.ok(hex)
        await client.query(`update platform.key_request set ${change}
          where asked_at = (select max(asked_at) from platform.key_request)`)
      })
    const entries = (subject: string) =>
      db.asSuperuser(async (client) => {
        const { rows } = await client.query<{ action: string; actor: string }>(
          `select action, actor from audit.entry where subject = $1 or details->>'request' = $1
            order by at`,
          [subject],
        )
        return rows.map(({ action, actor }) => `${action} ${actor}`)
      })

    it("asked, approved, claimed: one key, of a new tenant on the plan, on record throughout", async () => {
      const { id } = await ask(ADA)
      const open = await find(id)
      assert.deepEqual(
        [open?.state, open?.name, open?.purpose, open?.contact, open?.link],
        ["open", ADA.name, ADA.purpose, ADA.contact, "none"],
      )
      const { token, request } = await approve(id, { ...LIVE, scopes: ["analyze"] })
      assert.deepEqual([request.state, request.link, request.key_id], ["approved", "out", null])
      const made = await claimed(token)
      assert.equal(made.environment, "live")
      assert.equal(readKey(made.key)?.environment, "live")
      const key = await owner(made.id)
      assert.deepEqual(
        [key?.tenant, key?.state, key?.scopes, key?.issued_by],
        ["Analytical Engines Ltd", "good", ["analyze"], "cli:op"],
      )
      const tenants = await db.admin.asOperator((tx) => listTenants(tx, keyring))
      assert.equal(tenants.find(({ name }) => name === ADA.organisation)?.plan, "starter")
      const done = await find(id)
      assert.deepEqual([done?.state, done?.link, done?.key_id], ["done", "used", made.id])
      assert.deepEqual(await entries(id), [
        "request.approved cli:op",
        "tenant.created cli:op",
        "key.issued cli:op",
      ])
      assert.deepEqual(await claim(token), { standing: "used" })
    })

    it("a test key for the asking", async () => {
      const { id } = await ask(someone())
      const { token } = await approve(id, { plan: "free", environment: "test" })
      assert.match((await claimed(token)).key, /^zt_test_/)
    })

    for (const [whose, plan] of [
      ["a new tenant", "starter"],
      ["a tenant that is there", "unlimited"],
    ] as const) {
      it(`of forty who come with one link at once, one gets the key, of ${whose}, and there is one`, async () => {
        const { organisation } = someone()
        const { id } = await ask(someone({ organisation }))
        if (plan === "unlimited") {
          await db.admin.asOperator((tx) =>
            ensureTenant(tx, keyring, organisation, "cli:op", "unlimited"),
          )
        }
        const { token } = await approve(id, { plan, environment: "live", tenant: organisation })
        const claims = await Promise.all(Array.from({ length: 40 }, () => claim(token)))
        const standings = claims.map(({ standing }) => standing).sort()
        assert.deepEqual(standings, ["made", ...Array(39).fill("used")])
        const keys = await db.admin.asOperator((tx) => listKeys(tx, keyring, organisation))
        assert.equal(keys.length, 1)
      })
    }

    describe("a link is good for nothing", () => {
      it("when it is nobody's, was replaced, or its request declined: all alike", async () => {
        const { id } = await ask(someone())
        const first = await approve(id)
        const second = await relink(id)
        assert.deepEqual(await claim(first.token), { standing: "unknown" })
        assert.deepEqual(await claim(newLink().token), { standing: "unknown" })
        await decline(id)
        assert.deepEqual(await claim(second.token), { standing: "unknown" })
        assert.equal((await find(id))?.state, "declined")
      })
      it("after 72 hours, until there is a new one", async () => {
        const { id } = await ask(someone())
        const { token, request } = await approve(id)
        const ends = Date.parse(request.link_ends_at ?? "") - Date.now()
        assert.ok(Math.abs(ends - 72 * 3_600_000) < 60_000)
        await set(id, "link_ends_at = clock_timestamp()")
        assert.deepEqual(await claim(token), { standing: "expired" })
        assert.equal((await find(id))?.link, "expired")
        await claimed((await relink(id)).token)
      })
      it("when it was used; a new one only for the price of its key", async () => {
        const { id } = await ask(someone())
        const { token } = await approve(id)
        const { id: lost } = await claimed(token)
        await rejects(relink(id), "CONFLICT", /add --revoke/)
        const again = await relink(id, true)
        assert.equal((await owner(lost))?.state, "revoked")
        const { id: found } = await claimed(again.token)
        const [was, is] = [await owner(lost), await owner(found)]
        assert.equal(is?.state, "good")
        assert.equal(is?.tenant, was?.tenant, "no second tenant")
        assert.deepEqual(await claim(token), { standing: "unknown" })
      })
      it("while the plan is gone or has no room, and is good again after", async () => {
        const { id } = await ask(someone())
        await db.asSuperuser((client) =>
          client.query("insert into platform.plan (name, max_keys) values ('brief', 0)"),
        )
        const { token } = await approve(id, { plan: "brief", environment: "live" })
        assert.deepEqual(await claim(token), { standing: "full" })
        await db.asSuperuser((client) =>
          client.query("delete from platform.plan where name = 'brief'"),
        )
        assert.deepEqual(await claim(token), { standing: "full" })
        await db.asSuperuser((client) =>
          client.query("insert into platform.plan (name, max_keys) values ('brief', 1)"),
        )
        await claimed(token)
      })
    })

    describe("a tenant that is there", () => {
      const issue = (tenant: string, plan: string) =>
        db.admin.asOperator((tx) =>
          issueKey(tx, keyring, {
            tenant,
            plan,
            environment: "live",
            name: "x",
            actor: "cli:op",
          }),
        )
      it("is given no stranger for the sake of a name; by its name, it is given the key", async () => {
        await issue("Known Ltd", "free")
        const { id } = await ask(someone({ organisation: "Known Ltd" }))
        await rejects(approve(id), "CONFLICT", /has the name of that organisation/)
        await rejects(
          approve(id, { ...LIVE, tenant: "Known Ltd" }),
          "CONFLICT",
          /is on the plan 'free'/,
        )
        const { token } = await approve(id, { environment: "live", tenant: "Known Ltd" })
        assert.equal((await owner((await claimed(token)).id))?.tenant, "Known Ltd")
        const { id: third } = await ask(someone())
        const full = await approve(third, { environment: "live", tenant: "Known Ltd" })
        assert.deepEqual(await claim(full.token), { standing: "full" }, "free has two keys")
      })
      it("of a name that was taken after the approval: a new tenant, of another name", async () => {
        const { id } = await ask(someone({ organisation: "Late Ltd" }))
        const { token } = await approve(id)
        await issue("Late Ltd", "free")
        const tenant = (await owner((await claimed(token)).id))?.tenant ?? ""
        assert.match(tenant, /^Late Ltd \([0-9a-z]{8}\)$/)
      })
      it("that is erased takes its requests along", async () => {
        const { id } = await ask(someone())
        const { token } = await approve(id)
        await claimed(token)
        const tenantId = (await find(id))?.tenant_id ?? ""
        await db.admin.asOperator((tx) => eraseTenant(tx, tenantId, "cli:op"))
        assert.equal(await find(id), undefined)
      })
    })

    it("the applicant's address becomes the tenant's, sealed with its keys", async () => {
      const who = someone()
      const { id } = await ask(who)
      const { token } = await approve(id)
      await claimed(token)
      const tenantId = decodeId("ten", (await find(id))?.tenant_id ?? "") ?? ""
      const [row] = await db.asSuperuser(async (client) => {
        const { rows } = await client.query<{ id: string; sealed: Buffer; seed: Buffer }>(
          `select c.id, c.sealed_address as sealed, s.seed from platform.contact c
            join platform.tenant_key s using (tenant_id) where tenant_id = $1`,
          [tenantId],
        )
        return rows
      })
      assert.ok(row)
      const place = { table: "platform.contact", column: "sealed_address", tenantId, rowId: row.id }
      assert.equal(keyring.keys(tenantId, row.seed).open(place, row.sealed), who.contact)
    })

    describe("is decided once", () => {
      it("approved, declined or asked for nothing that is there: refused, with what to do", async () => {
        const { id } = await ask(someone())
        await rejects(approve(id, { environment: "live" }), "INVALID_REQUEST", /add --plan/)
        await rejects(
          approve(id, { plan: "gold", environment: "live" }),
          "NOT_FOUND",
          /no plan 'gold'/,
        )
        await rejects(approve(id, { ...LIVE, scopes: ["fly"] }), "INVALID_REQUEST", /no scope/)
        await rejects(approve(id, { ...LIVE, tenant: "" }), "INVALID_REQUEST", /1 to 80/)
        await rejects(relink(id), "CONFLICT", /not approved yet/)
        await approve(id)
        await rejects(approve(id), "CONFLICT", /was approved/)
        await decline(id)
        await rejects(decline(id), "CONFLICT", /was declined/)
        await rejects(approve(id), "CONFLICT", /was declined/)
        await rejects(relink(id), "CONFLICT", /was declined/)
        for (const nobody of ["krq_01h455vb4pex5vsknk084sn02q", "key_x", "x"]) {
          await rejects(decline(nobody), "NOT_FOUND", /no request/)
        }
      })
      it("of two operators at once, one", async () => {
        const { id } = await ask(someone())
        const outcomes = await Promise.allSettled([approve(id), approve(id), decline(id)])
        const links = outcomes.filter(({ status }) => status === "fulfilled")
        assert.ok(links.length <= 2, "one approval, and perhaps a decline after it")
      })
    })

    describe("asking", () => {
      it("again under one Idempotency-Key is asking once; with other content it is not", async () => {
        const who = someone()
        const [one, two] = await Promise.all([
          ask(who, BY_HAND, "attempt"),
          ask(who, BY_HAND, "attempt"),
        ])
        assert.equal(one.id, two.id)
        assert.equal((await ask(who, BY_HAND, "attempt")).id, one.id)
        assert.notEqual((await ask(someone(), BY_HAND, "attempt")).id, one.id)
      })
      it("a fourth time from one address goes nowhere, and answers alike", async () => {
        const who = someone()
        const ids = []
        for (let n = 0; n < 4; n++) {
          const contact = n === 3 ? who.contact.toUpperCase() : who.contact
          ids.push((await ask({ ...who, contact })).id)
        }
        const kept = await Promise.all(ids.map(find))
        assert.deepEqual(
          kept.map((one) => one !== undefined),
          [true, true, true, false],
        )
        assert.match(ids[3] ?? "", /^krq_/)
      })
      it("beyond what may wait is refused, with when to try again", async () => {
        const open = (await waiting()).length
        const full = { canMail: false, most: open }
        await rejects(ask(someone(), full), "RATE_LIMITED", /try again later/)
        await ask(someone(), { ...full, most: open + 1 })
      })
      it("leaves nothing in clear", async () => {
        const who = someone({ name: "Canary Name", purpose: "canary purpose" })
        const { id } = await ask({ ...who, plan: "canary-plan" })
        await approve(id, { ...LIVE, tenant: "Canary Tenant" })
        const text = await db.asSuperuser(async (client) => {
          const tables = ["platform.key_request", "audit.entry", "platform.tenant"]
          const all = await Promise.all(
            tables.map((table) => client.query(`select t::text as text from ${table} t`)),
          )
          return JSON.stringify(all.map(({ rows }) => rows))
        })
        assert.doesNotMatch(text, /canary/i)
        assert.ok(!text.includes(who.contact) && !text.includes(who.organisation))
      })
    })

    describe("self-service", () => {
      const post = (send: LinkPostSend) =>
        new LinkPost({
          database: db.database,
          keyring,
          send,
          origin: () => "https://trust.example",
          now: Date.now,
          failed: (error) => failures.push(error),
        })
      const failures: unknown[] = []
      type LinkPostSend = (mail: LinkMail & { to: string }) => Promise<void>
      const due = (id: string) => set(id, "mail_due_at = clock_timestamp() - interval '1 s'")

      it("tells which plans there are", async () => {
        assert.deepEqual(await selfServicePlans(db.database), [
          { name: "free", units_per_month: 500, requests_per_second: 2 },
          { name: "starter", units_per_month: 10_000, requests_per_second: 10 },
        ])
      })
      it("on such a plan: approved at once, the link by mail alone", async () => {
        const who = someone({ plan: "free" })
        const { id, isSelfService } = await ask(who, BY_MAIL)
        assert.equal(isSelfService, true)
        assert.deepEqual(
          [(await find(id))?.state, (await find(id))?.decided_by],
          ["approved", "self-service"],
        )
        const mails: (LinkMail & { to: string })[] = []
        assert.equal(await post(async (mail) => void mails.push(mail)).look(), 1)
        const [mail] = mails
        assert.equal(mail?.to, who.contact)
        assert.ok(!mail?.text.includes(who.name) && !mail?.text.includes(who.organisation))
        assert.ok((await find(id))?.mailed_at)
        const made = await claimed(findToken(mail?.text ?? "") ?? "")
        assert.equal((await owner(made.id))?.tenant, who.organisation)
        assert.deepEqual(await entries(id), [
          "request.approved self-service",
          "tenant.created self-service",
          "key.issued self-service",
        ])
        assert.equal(await post(async () => assert.fail("nothing is due")).look(), 0)
      })
      it("once an address; not on other plans, nor without mail", async () => {
        const who = someone({ plan: "free" })
        const states = []
        for (const [applicant, options] of [
          [who, BY_MAIL],
          [{ ...who, organisation: "Twice Ltd" }, BY_MAIL],
          [someone({ plan: "business" }), BY_MAIL],
          [someone({ plan: "no-such-plan" }), BY_MAIL],
          [someone({ plan: "free" }), BY_HAND],
          [someone(), BY_MAIL],
        ] as const) {
          states.push((await find((await ask(applicant, options)).id))?.state)
        }
        assert.deepEqual(states, ["approved", "open", "open", "open", "open", "open"])
      })
      it("once an address also of two at once: the second waits to be counted", async () => {
        const who = someone({ plan: "free" })
        const states = await db.asSuperuser(async (client) => {
          await client.query("begin")
          const held = {
            callAside: async <Row>(text: string, values: unknown[] = []) =>
              (await client.query(text, values)).rows as Row[],
          }
          const first = await askForKey(held, keyring, who, undefined, BY_MAIL)
          let isSettled = false
          const second = ask(who, BY_MAIL).finally(() => {
            isSettled = true
          })
          for (let waits = false; !waits && !isSettled; ) {
            const { rows } = await client.query("select from pg_locks where not granted")
            waits = rows.length > 0
          }
          await client.query("commit")
          return [first.id, (await second).id]
        })
        assert.deepEqual(
          (await Promise.all(states.map(find))).map((one) => one?.decided_by),
          ["self-service", null],
        )
        await post(async () => {}).look()
      })
      it("a mail that fails is tried again, with a new link, eight times; nothing is lost", async () => {
        await post(async () => {}).look() // what others left
        const { id } = await ask(someone({ plan: "free" }), BY_MAIL)
        const tokens = new Set<string>()
        const failing = post(async ({ text }) => {
          tokens.add(findToken(text) ?? "")
          throw new Problem("UNAVAILABLE")
        })
        for (let n = 0; n < 10; n++) {
          if (n > 0 && n < 8) await due(id)
          assert.equal(await failing.look(), 0)
        }
        assert.equal(tokens.size, 8)
        assert.equal(failures.length, 8)
        const left = await find(id)
        assert.deepEqual([left?.state, left?.mailed_at, left?.mail_tries], ["approved", null, 8])
        await claimed((await relink(id)).token)
      })
      it("of two instances at once, one mails", async () => {
        await ask(someone({ plan: "free" }), BY_MAIL)
        let mails = 0
        const both = [0, 1].map(() =>
          post(async () => {
            mails += 1
          }).look(),
        )
        await Promise.all(both)
        assert.equal(mails, 1)
      })
      it("beyond sixty an hour, an operator decides", async () => {
        const outcomes: string[] = []
        for (let n = 0; n < 62; n++) {
          const { id } = await ask(someone({ plan: "free" }), BY_MAIL)
          outcomes.push(id)
        }
        const all = await waiting(true)
        const last = all.find(({ id }) => id === outcomes.at(-1))
        assert.equal(last?.state, "open")
        assert.equal(all.filter(({ decided_by: by }) => by === "self-service").length, 60)
      })
    })

    it("is forgotten: 90 days after nobody decided, 30 after all was done", async () => {
      await db.asSuperuser((client) => client.query("delete from platform.key_request"))
      const past = async (change: string, act?: (id: string) => Promise<unknown>) => {
        const { id } = await ask(someone())
        await act?.(id)
        await set(id, change)
        return id
      }
      const ago = (days: number) => `clock_timestamp() - interval '${days} days'`
      const use = async (id: string) => claimed((await approve(id)).token)
      const kept = [
        await past(`asked_at = ${ago(89)}`),
        await past(`decided_at = ${ago(29)}`, decline),
        await past(`link_ends_at = ${ago(29)}`, approve),
        await past(`done_at = ${ago(29)}`, use),
      ]
      await past(`decided_at = ${ago(31)}`, decline)
      await past(`link_ends_at = ${ago(31)}`, approve)
      await past(`done_at = ${ago(31)}`, use)
      await past(`asked_at = ${ago(91)}`)
      const [row] = await db.database.callAside<{ gone: number }>(
        "select platform.retain('key_request', 100) as gone",
      )
      assert.equal(row?.gone, 4)
      assert.deepEqual((await waiting(true)).map(({ id }) => id).sort(), kept.sort())
    })

    for (const [role, statement] of [
      ["zt_tenant", "select * from platform.key_request"],
      ["zt_tenant", "select * from platform.key_link('\\x00')"],
      ["zt_tenant", "select platform.retain('key_request', 1)"],
      ["zt_runtime", "select * from platform.key_request"],
      ["zt_runtime", "select * from platform.contact"],
    ] as const) {
      it(`${role} cannot: ${statement}`, async () => {
        const tried =
          role === "zt_tenant"
            ? db.database.asTenant("live", "", (tx) => tx.query(statement))
            : db.database.call(statement)
        await assert.rejects(tried, { code: "42501" })
      })
    }
  })
}

async function rejects(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof Problem, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  })
}
