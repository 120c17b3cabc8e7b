import assert from "node:assert/strict"
import { createHmac, createSecretKey, hkdfSync } from "node:crypto"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import { generateRootKey, Keyring } from "./keyring.ts"
import type { Place } from "./sealing.ts"
import { generationOf, openSealed } from "./sealing.ts"
import type { SecretStore } from "./store.ts"

const ALICE = "0193a000-0000-7000-8000-00000000000a"
const BOB = "0193a000-0000-7000-8000-00000000000b"
const SEED = new Uint8Array(32).fill(1)
const place = (tenantId: string): Place => ({
  table: "live.analysis",
  column: "sealed",
  tenantId,
  rowId: ALICE,
})

/** Generations that a test adds and removes. */
function roots() {
  const generations = [{ number: 1, value: generateRootKey() }]
  const secrets = {
    getOrCreate: async () => generations[0]?.value,
    generations: async () => [...generations],
  } as unknown as SecretStore
  return { generations, secrets }
}

describe("keyring", () => {
  it("derives as it is written down: root, purpose, tenant (RFC 5869)", async () => {
    const { generations, secrets } = roots()
    const keys = (await Keyring.open(secrets)).keys(ALICE, SEED)
    const root = Buffer.from(generations[0]?.value ?? "", "base64url")
    const derive = (purpose: string) => {
      const first = hkdfSync("sha256", root, "", `zygentrust/1/${purpose}`, 32)
      return Buffer.from(hkdfSync("sha256", Buffer.from(first), SEED, ALICE, 32))
    }
    const sealed = keys.seal(place(ALICE), "value")
    assert.equal(openSealed(createSecretKey(derive("seal")), place(ALICE), sealed), "value")
    const index = createHmac("sha256", derive("index")).update("live.analysis.domain\0x.test")
    assert.deepEqual(keys.indexes("live.analysis.domain", "x.test"), [
      index.digest().subarray(0, 16),
    ])
  })

  it("keeps tenants apart: neither opens nor finds what is another's", async () => {
    const keyring = await Keyring.open(roots().secrets)
    const [alice, bob] = [keyring.keys(ALICE, SEED), keyring.keys(BOB, SEED)]
    const sealed = alice.seal(place(ALICE), "value")
    assert.throws(() => bob.open(place(ALICE), sealed), Problem)
    assert.notDeepEqual(alice.indexes("t", "x.test"), bob.indexes("t", "x.test"))
  })

  it("opens nothing without the seed, whoever has the root", async () => {
    const keyring = await Keyring.open(roots().secrets)
    const sealed = keyring.keys(ALICE, SEED).seal(place(ALICE), "value")
    assert.equal(await keyring.of(ALICE, async () => undefined), undefined)
    const other = keyring.keys(ALICE, new Uint8Array(32).fill(2))
    assert.throws(() => other.open(place(ALICE), sealed), Problem)
  })

  it("seals with the newest generation, and opens and finds with all", async () => {
    const { generations, secrets } = roots()
    const keyring = await Keyring.open(secrets)
    const keys = keyring.keys(ALICE, SEED)
    const old = keys.seal(place(ALICE), "old")
    const [oldIndex] = keys.indexes("t", "x.test")
    generations.unshift({ number: 2, value: generateRootKey() })
    await keyring.reload()
    assert.equal(generationOf(keys.seal(place(ALICE), "new")), 2)
    assert.equal(keys.open(place(ALICE), old), "old")
    const [first, second] = keys.indexes("t", "x.test")
    assert.notDeepEqual(first, oldIndex)
    assert.deepEqual(second, oldIndex)
  })

  it("opens what another instance sealed with a generation that is new here", async () => {
    const { generations, secrets } = roots()
    const [here, there] = [await Keyring.open(secrets), await Keyring.open(secrets)]
    generations.unshift({ number: 2, value: generateRootKey() })
    await there.reload()
    const sealed = there.keys(ALICE, SEED).seal(place(ALICE), "value")
    assert.equal(await here.open(here.keys(ALICE, SEED), place(ALICE), sealed), "value")
  })

  it("says which generation is missing, where the store was rolled back", async () => {
    const { generations, secrets } = roots()
    const keyring = await Keyring.open(secrets)
    const sealed = keyring.keys(ALICE, SEED).seal(place(ALICE), "value")
    generations.splice(0, 1, { number: 3, value: generateRootKey() })
    await keyring.reload()
    await assert.rejects(
      keyring.open(keyring.keys(ALICE, SEED), place(ALICE), sealed),
      /generation 1 of 'root-key'/,
    )
  })
})
