/** Mails to owners, on a real database: at least once, not twice, grouped, tried again, never waited for. */
import assert from "node:assert/strict"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { after, before, beforeEach, describe, it } from "node:test"
import { SMTPServer } from "smtp-server"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { newUuid } from "../core/ids.ts"
import { newSeed, saveTenantSeed } from "../db/tenant-seed.ts"
import type { Mail } from "../mail/mail.ts"
import { createMailer } from "../mail/mail.ts"
import { Keyring } from "../secrets/keyring.ts"
import { clearContact, saveContact } from "./contact.ts"
import { mailOne } from "./dispatch.ts"
import { appendEvent } from "./events.ts"
import { EventsJob } from "./job.ts"

for (const major of [18, 15] as const) {
  describe(`mailing on PostgreSQL ${major}`, () => {
    const secrets = memorySecrets()
    let db: TestDatabase
    let keyring: Keyring
    let tenant: string
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(secrets)
    })
    after(() => db.drop())
    beforeEach(async () => {
      await query("delete from platform.contact")
      tenant = await makeTenant()
    })
    const query = (text: string, values: readonly unknown[] = []) =>
      db.asSuperuser(async (client) => (await client.query(text, [...values])).rows)
    const makeTenant = async () => {
      const id = newUuid()
      await db.admin.asOperator(async (tx) => {
        await insertTenant(tx, id)
        await saveTenantSeed(tx, id, newSeed())
        await saveContact(tx, keyring, id, `${id}@shop.example`, "cli:test")
      })
      return id
    }
    const tell = (environment: "live" | "test" = "live", of = tenant) =>
      db.admin.asOperator((tx) => appendEvent(tx, environment, of, "key_sent_in_clear", {}))
    const dispatch = (send: (mail: Mail) => Promise<void>) => ({
      admin: db.admin,
      keyring,
      mailer: { configured: true, send },
      origin: () => "https://trust.example",
    })
    /** @returns Mails one after the other until nobody is due. */
    const mailAll = async (mails: Mail[] = []) => {
      while (await mailOne(dispatch(async (mail) => void mails.push(mail))));
      return mails
    }
    const later = (interval: string) =>
      query("update platform.contact set next_mail_at = next_mail_at - $1::interval", [interval])
    const unmailed = async () =>
      (
        await query(
          `select count(*)::int as n from (select * from live.event union all select * from sandbox.event) e
            where tenant_id = $1 and mailed_at is null`,
          [tenant],
        )
      )[0].n

    it("a thousand events of both environments are one mail, told once", async () => {
      await tell("test")
      await query(
        `insert into live.event (tenant_id, kind, occasion, detail)
          select $1, 'key_sent_in_clear', n::text, '{}' from generate_series(1, 399) n`,
        [tenant],
      )
      const mails = await mailAll()
      assert.deepEqual(
        mails.map(({ to, subject }) => [to, subject]),
        [[`${tenant}@shop.example`, "ZygenTrust: 400 things to know about your API keys"]],
      )
      assert.match(mails[0]?.text ?? "", /…and 380 more/)
      assert.equal(await unmailed(), 0)
      assert.equal((await mailAll()).length, 0)
    })

    it("what comes soon after a mail waits, and goes in the next", async () => {
      await tell()
      assert.equal((await mailAll()).length, 1)
      await tell()
      await tell()
      assert.equal((await mailAll()).length, 0)
      await later("10 minutes")
      assert.equal((await mailAll()).length, 1)
    })

    it("what could not be handed over is tried again, later each time, and marked only then", async () => {
      await tell()
      const broken = dispatch(() => Promise.reject(new Error("no server")))
      const waits: number[] = []
      for (let tries = 0; tries < 12; tries++) {
        await assert.rejects(mailOne(broken), /no server/)
        assert.equal(await mailOne(broken), false, "not at once")
        const [{ minutes }] = await query(
          "select round(extract(epoch from next_mail_at - clock_timestamp()) / 60)::int as minutes from platform.contact",
        )
        waits.push(minutes)
        await later(`${minutes + 1} minutes`)
      }
      assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360, 360])
      assert.equal(await unmailed(), 1)
      assert.equal((await mailAll()).length, 1)
      assert.equal(await unmailed(), 0)
    })

    it("who dies with a mail handed over and no mark leaves it to another, a claim later", async () => {
      await tell()
      let calls = 0
      const died = mailOne({
        ...dispatch(async () => {}),
        admin: {
          ...db.admin,
          asOperator: async (work) => {
            if (calls++ >= 2) throw new Error("killed")
            return db.admin.asOperator(work)
          },
        },
      })
      await assert.rejects(died, /killed/)
      assert.equal((await mailAll()).length, 0)
      await later("2 minutes")
      assert.equal((await mailAll()).length, 1, "at least once")
    })

    it("of many who look at once, one has a tenant", async () => {
      for (let n = 0; n < 5; n++) await tell("live", n === 0 ? tenant : await makeTenant())
      const mails: Mail[] = []
      await Promise.all(Array.from({ length: 6 }, () => mailAll(mails)))
      assert.equal(mails.length, 5)
      assert.equal(new Set(mails.map(({ to }) => to)).size, 5)
    })

    for (const [what, arrange] of [
      [
        "without a contact",
        () => db.admin.asOperator((tx) => clearContact(tx, tenant, "cli:test")),
      ],
      [
        "that is erased",
        () => query("delete from platform.tenant_key where tenant_id = $1", [tenant]),
      ],
      [
        "whose event is past being news",
        () => query("update live.event set at = now() - interval '3 days'"),
      ],
    ] as const) {
      it(`a tenant ${what} gets none, and stops nobody`, async () => {
        await tell()
        await arrange()
        keyring = await Keyring.open(secrets) // remembers no tenant
        assert.equal((await mailAll()).length, 0)
        assert.equal(await unmailed(), 1)
      })
    }

    it("a changed address has its mail at once, whatever the old one's failures", async () => {
      await tell()
      await assert.rejects(mailOne(dispatch(() => Promise.reject(new Error("no such user")))))
      await db.admin.asOperator((tx) =>
        saveContact(tx, keyring, tenant, "new@shop.example", "cli:test"),
      )
      assert.deepEqual(
        (await mailAll()).map(({ to }) => to),
        ["new@shop.example"],
      )
    })

    it("the job finds, mails by a real SMTP server, and says how that goes", async () => {
      const taken: string[] = []
      const server = new SMTPServer({
        authOptional: true,
        onData: (stream, _session, done) =>
          void text(stream).then((mail) => {
            taken.push(mail)
            done()
          }),
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.server.address() as AddressInfo
      const failures: string[] = []
      const make = (smtpUrl: string | undefined) =>
        new EventsJob({
          ...dispatch(async () => {}),
          mailer: createMailer({
            smtpUrl,
            smtpCaFile: undefined,
            mailFrom: { name: "", address: "post@trust.example" },
            host: "trust.example",
          }),
          database: db.database,
          now: Date.now,
          failed: (what) => failures.push(what),
        })
      await tell()
      await make(undefined).look()
      assert.match((await make(undefined).probe()).message, /mail is not set up/)
      assert.equal(await unmailed(), 1)
      const job = make(`smtp://127.0.0.1:${port}`)
      await job.look()
      assert.equal(taken.length, 1)
      assert.match(taken[0] ?? "", /a key was sent without encryption/)
      assert.equal((await job.probe()).state, "ok")
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await tell()
      await later("10 minutes")
      await job.look()
      assert.deepEqual(failures, ["mail"])
      assert.equal((await job.probe()).state, "degraded")
      assert.equal(await unmailed(), 1)
      await job.close()
    })
  })
}
