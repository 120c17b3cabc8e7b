/**
 * S2, L2: secrets are planted through every entrance (scene.ts), and every byte that was written
 * anywhere is searched for them.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { Scene } from "./scene.ts"
import type { Leak } from "./search.ts"
import { createSearch } from "./search.ts"

/** Where a secret may be, and why. A row that nothing needs any more fails, so that none is left. */
const ALLOWED: readonly { canary: RegExp; place: RegExp; because: string }[] = [
  {
    canary: /^(asked|seen): /,
    place: /^the tenant's answer$/,
    because: "what was asked and seen is the answer, to the tenant that asked",
  },
  {
    canary: /^(told: |an issued key$)/,
    place: /^standard output of (keys|tenants) (issue|list|contact)/,
    because: "a command shows its operator names, and a key once, at issue (K3)",
  },
  {
    canary:
      /^(applicant: |told: an applicant's tenant$|a link's token$|a (form's )?request for a key: a word$)/,
    place: /^standard output of requests (list|show|approve)/,
    because: "an operator sees who asks for a key, and sends the link where no mail server is",
  },
  {
    canary: /: a word$/,
    place: /^an answer to a word in clear in /,
    because: "plain HTTP redirects to the path that was asked (T3)",
  },
  {
    canary: /^a parameter's name: a word$/,
    place: /^an answer to a word in a parameter's name$/,
    because: "a refusal names the parameter to who sent it; a key there is refused before",
  },
  {
    canary: /^verifier of /,
    place: /^(rows of pg_authid$|data\/postgres\/data\/(global|pg_wal)\/)/,
    because: "PostgreSQL checks passwords by verifiers, and keeps them in its catalog and journal",
  },
  {
    canary: /^seed$/,
    place: /^(rows of platform\.tenant_key$|data\/postgres\/data\/(base|pg_wal)\/)/,
    because: "a seed is half of a tenant's key; the other half is in the secret store",
  },
]

/** Leaks on purpose, and where each must be found. */
const LEAKED: readonly (readonly [canary: string, place: RegExp])[] = [
  ["leaked: printed", /^standard output of the program$/],
  ["leaked: printed", /^standard error of the program$/],
  ["leaked: a temporary file", /^temporary\/left$/],
  ["leaked: a file of the data folder", /^data\/left$/],
  ["leaked: a row", /^rows of leak$/],
  ["leaked: a row", /^data\/postgres\/data\/base\//],
  ["leaked: a row", /^data\/postgres\/data\/pg_wal\//],
  ["leaked: the database's log", /^data\/postgres\/log$/],
]

describe("secrets", () => {
  let scene: Scene
  let leaks: Leak[]
  let planted: ReadonlySet<string>
  let searched: string[]
  before(async () => {
    scene = new Scene()
    const { canaries, places } = await scene.play()
    const search = createSearch(canaries)
    leaks = places.flatMap(({ name, bytes }) => search(name, bytes))
    planted = new Set(canaries.map(({ name }) => name))
    searched = places.map(({ name }) => name)
  })
  after(() => scene[Symbol.asyncDispose]())

  const allowance = (leak: Leak) =>
    ALLOWED.find(({ canary, place }) => canary.test(leak.canary) && place.test(leak.place))

  it("are nowhere but where they may be", () => {
    const open = leaks.filter((leak) => !leak.canary.startsWith("leaked: ") && !allowance(leak))
    assert.deepEqual(open, [])
  })

  for (const row of ALLOWED) {
    it(`may be where they are, since ${row.because}`, () => {
      assert.ok(
        leaks.some((leak) => allowance(leak) === row),
        "nothing needs this any more: take it out",
      )
    })
  }

  for (const [canary, place] of LEAKED) {
    it(`are found once leaked: ${canary.slice(8)}, in ${place.source}`, () => {
      const found = leaks.filter((leak) => leak.canary === canary).map((leak) => leak.place)
      assert.ok(
        found.some((name) => place.test(name)),
        found.join(", "),
      )
    })
  }

  it("of every kind were planted, and every kind of place was searched", () => {
    for (const name of [
      "a live key",
      "a test key",
      "an issued key",
      "X-API-Key: an unknown key",
      "root-key",
      "verdict-key",
      "authority-key",
      "superuser-password",
      "zt_runtime-password",
      "verifier of zt_runtime",
      "identity",
      "passphrase",
      "leaf-key",
      "seed",
      "told: a tenant",
      "applicant: mailbox",
      "a link's token",
      "a claimed key",
      "the mail server's password",
      "told: a contact",
      "seen: a title",
      "database: a value in an error",
      "crash: thrown",
    ])
      assert.ok(planted.has(name), name)
    for (const place of [
      "data/postgres/log",
      "data/postgres/data/global/1260",
      "data: names",
      "temporary: names",
      "compiled: names",
      "rows of live.analysis",
      "rows of audit.entry",
      "rows of platform.key_request",
      "rows of pg_stat_activity",
      "the running program: environ of a process",
      "standard error of the program",
    ])
      assert.ok(searched.includes(place), place)
  })
})
