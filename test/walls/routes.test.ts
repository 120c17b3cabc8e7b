/**
 * I1, I3: tenant A with B's identifiers, on every route of the contract and in every place of a
 * request: not one answer differs from that to an identifier which nobody has.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, describe, it } from "node:test"
import committed from "../../docs/openapi.json" with { type: "json" }
import type { IdPrefix } from "../../src/core/ids.ts"
import { encodeId, newUuid } from "../../src/core/ids.ts"
import type { Environment } from "../../src/db/database.ts"
import { SCHEMAS } from "../../src/db/database.ts"
import { generateKey, lookupIndex } from "../../src/keys/format.ts"
import type { Answer } from "../program.ts"
import type { Deployment } from "./deployment.ts"
import { startDeployment } from "./deployment.ts"
import { keyWith } from "./forged-key.ts"
import type { Document, Slot } from "./operations.ts"
import { routesOf } from "./operations.ts"

const ENVIRONMENTS = ["live", "test"] as const
const BOBS_DOMAIN = "lindenshop.test"
const BOBS_NAME = "bob and sons"

interface Identifier {
  readonly kind: string
  readonly value: string
  /** @returns One of the same form that nobody has. */
  nobodys(): string
}

describe("another tenant's identifiers", () => {
  let deployment: Deployment
  const keys: Record<string, Record<Environment, string>> = {}
  const routes = routesOf(committed as unknown as Document)

  before(async () => {
    deployment = await startDeployment()
    for (const tenant of ["alice", BOBS_NAME]) {
      const [live, test] = await Promise.all([
        deployment.issue(tenant, "live"),
        deployment.issue(tenant, "test"),
      ])
      keys[tenant] = { live, test }
    }
    for (const environment of ENVIRONMENTS) {
      for (const domain of [BOBS_DOMAIN, "approve.test"]) {
        const path = `/v1/analyze?domain=${domain}`
        assert.equal(
          (await deployment.program.ask(path, { key: keyOf(BOBS_NAME, environment) })).status,
          200,
        )
      }
    }
  })
  before(async () => {
    // Names of Bob's attempts: all that he has, and Alice names hers the same.
    const issue = routes.find(({ name }) => name === "POST /v1/keys")
    assert.ok(issue)
    for (const environment of ENVIRONMENTS) {
      for (const { value } of await identifiersOfBob(deployment)) {
        if (value === BOBS_NAME) continue // a space is in no such name
        const headers = { ...issue.plain.headers, "idempotency-key": value }
        const bobs = await deployment.ask(
          { ...issue.plain, headers },
          keyOf(BOBS_NAME, environment),
        )
        assert.equal(bobs.status, 201)
      }
    }
  })
  after(() => deployment.close())
  const keyOf = (tenant: string, environment: Environment) => keys[tenant]?.[environment] ?? ""

  it("are tried on every route that the program serves", async () => {
    const { paths } = (await deployment.program.ask("/v1/openapi.json")).json
    assert.deepEqual(Object.keys(paths).sort(), Object.keys(committed.paths).sort())
    assert.ok(routes.filter(({ needsKey }) => needsKey).length >= 2)
  })

  for (const environment of ENVIRONMENTS) {
    for (const route of routes.filter(({ needsKey }) => needsKey || environment === "live")) {
      it(`say nothing: ${route.name} with a ${environment} key`, async () => {
        const key = keyOf("alice", environment)
        const identifiers = await identifiersOfBob(deployment)
        await forgetAttempts(deployment, identifiers[0]?.value ?? "")
        const ask = async (slot: Slot, value: string) =>
          withoutWhatVaries(await deployment.ask(slot.fill(value), key), value)
        // First a stranger's, so that what the first such request leaves (a row of usage) is there,
        // where answers tell of it.
        const warming = route.name.includes(" /v1/keys") ? [] : identifiers
        for (const { nobodys } of warming) {
          await Promise.all(route.slots.map((slot) => ask(slot, nobodys())))
        }
        let compared = 0
        for (const { kind, value, nobodys } of identifiers) {
          await Promise.all(
            route.slots.map(async (slot) => {
              const [bobs, strangers] = await Promise.all([ask(slot, value), ask(slot, nobodys())])
              assert.deepEqual(bobs, strangers, `${slot.what} tells ${kind}`)
              compared++
            }),
          )
        }
        assert.ok(compared >= 60, `${compared} were compared`)
      })
    }

    it(`a key that begins like Bob's is as unknown as any (${environment})`, async () => {
      const index8 = lookupIndex(keyOf(BOBS_NAME, environment))
      for (const route of routes.filter(({ needsKey }) => needsKey)) {
        const [bobs, nobodys] = await Promise.all(
          [keyWith(environment, index8), generateKey(environment)].map(async (key) =>
            withoutWhatVaries(await deployment.ask(route.plain, key), key),
          ),
        )
        assert.equal(bobs?.status, 401)
        assert.deepEqual(bobs, nobodys)
      }
    })

    it(`what Bob asked is not known to Alice (${environment})`, async () => {
      const ask = async (tenant: string, domain: string) =>
        deployment.program.ask(`/v1/analyze?domain=${domain}`, { key: keyOf(tenant, environment) })
      const strangers = await ask("alice", "harbourbank.test")
      assert.equal((await ask(BOBS_NAME, "harbourbank.test")).status, 200)
      const known = await ask("alice", BOBS_DOMAIN)
      for (const answer of [strangers, known]) {
        assert.equal(answer.json.metadata.cache.hit, false)
        assert.ok(answer.json.metadata.cache.ttl_seconds > 86_000)
      }
      assert.deepEqual(Object.keys(known.headers), Object.keys(strangers.headers))
      // And the other way round: whom Bob asks after Alice did learns no more.
      const fresh = await deployment.issue(`carol ${environment}`, environment)
      const carols = await deployment.program.ask("/v1/analyze?domain=harbourbank.test", {
        key: fresh,
      })
      assert.deepEqual(
        withoutWhatVaries(carols, "harbourbank.test"),
        withoutWhatVaries(strangers, "harbourbank.test"),
      )
    })

    it(`what Bob uses does not count as Alice's (${environment})`, async () => {
      const usage = async () =>
        (await deployment.program.ask("/v1/usage", { key: keyOf("alice", environment) })).json
      const before = await usage()
      for (let i = 0; i < 10; i++) {
        await deployment.program.ask("/v1/usage", { key: keyOf(BOBS_NAME, environment) })
      }
      const after = await usage()
      assert.equal(after.total.requests, before.total.requests + 1)
    })
  }
})

describe("the comparison of answers", () => {
  const answer = { status: 404, headers: { a: "b", date: "today" }, text: "no x", json: undefined }
  const same = (other: Partial<Answer>) =>
    assert.deepEqual(
      withoutWhatVaries({ ...answer, ...other }, "y"),
      withoutWhatVaries(answer, "x"),
    )

  it("passes over the identifier, times and the request's own id", () => {
    same({ text: "no y", headers: { a: "b", date: "tomorrow" } })
  })
  for (const [what, other] of [
    ["another status", { status: 403, text: "no y" }],
    ["another header", { text: "no y", headers: { a: "c" } }],
    ["one more header", { text: "no y", headers: { a: "b", c: "d" } }],
    ["another text", { text: "no. y" }],
  ] as const) {
    it(`finds ${what}`, () => assert.throws(() => same(other)))
  }
})

/** @returns One of each kind that Bob has, from the database and from his own answers. */
async function identifiersOfBob(deployment: Deployment): Promise<Identifier[]> {
  found ??= deployment.asSuperuser(async (client) => {
    const { rows } = await client.query(
      `select k.tenant_id, k.id as key_id, k.index8, encode(k.digest, 'hex') as digest,
          a.id as analysis_id, encode(a.domain_index, 'hex') as domain_index, u.request_id
        from live.api_key k
          join live.analysis a using (tenant_id) join live.usage u using (tenant_id)
        where tenant_id = (select tenant_id from live.analysis group by 1 order by count(*) desc, 1 desc limit 1)
        limit 1`,
    )
    return rows[0]
  })
  const row = await found
  const typed = (prefix: IdPrefix, uuid: string): Identifier => ({
    kind: prefix,
    value: encodeId(prefix, uuid),
    nobodys: () => encodeId(prefix, newUuid()),
  })
  const uuid = (kind: string, value: string): Identifier => ({ kind, value, nobodys: newUuid })
  const hex = (kind: string, value: string): Identifier => ({
    kind,
    value,
    // Begins as it does: some fields take what begins with a letter alone.
    nobodys: () =>
      value[0] +
      randomBytes(value.length / 2)
        .toString("hex")
        .slice(1),
  })
  return [
    uuid("a tenant's id", row.tenant_id),
    typed("ten", row.tenant_id),
    uuid("a key's id", row.key_id),
    typed("key", row.key_id),
    uuid("an analysis' id", row.analysis_id),
    typed("ana", row.analysis_id),
    typed("req", row.request_id),
    hex("a key's digest", row.digest),
    hex("a domain's index", row.domain_index),
    {
      kind: "a key's index",
      value: row.index8,
      nobodys: () => lookupIndex(generateKey("live")),
    },
    { kind: "a name", value: BOBS_NAME, nobodys: () => "bob and nuns" },
  ]
}
// biome-ignore lint/suspicious/noExplicitAny: one row of a query
let found: Promise<any> | undefined

/** Those of all but Bob: that a name was used before is told to who used it. */
async function forgetAttempts({ asSuperuser }: Deployment, bob: string): Promise<void> {
  await asSuperuser(async (client) => {
    for (const schema of Object.values(SCHEMAS)) {
      await client.query(`delete from ${schema}.idempotency where tenant_id <> $1`, [bob])
    }
  })
}

/** A key that was made for the asker just now: its id, itself, and its beginning. */
const NEW_KEY = /"id":"key_[0-9a-z]{26}"|zt_(live|test)_[0-9A-Za-z]{49}|zt_(live|test)_\w{8}…/g

/** @returns An answer without the identifier that was sent, ids of requests, times and counts. */
function withoutWhatVaries({ status, headers, text }: Answer, value: string) {
  const forms = [
    value,
    value.toLowerCase(),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ]
  const clean = (words: string) =>
    forms
      .reduce((rest, form) => rest.replaceAll(form, "<id>"), words)
      .replaceAll(/req_[0-9a-z]{26}/g, "<request>")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replaceAll(/sha256:[0-9a-f]{64}/g, "<digest>") // of an observation, with its time
      .replaceAll(status === 201 ? NEW_KEY : /$^/g, "<new>")
      .replaceAll(/"(requests|served|uptime_seconds|ttl_seconds)":\d+/g, '"$1":<n>')
  const { date: _, "content-length": __, ...rest } = headers
  return { status, headers: clean(JSON.stringify(rest)), body: clean(text) }
}
