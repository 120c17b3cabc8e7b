/** Who waits at the gate, over parts that the test plays. The black-box suite of floods has the rest. */
import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import { describe, it } from "node:test"
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises"
import type { Known } from "../admission/known-keys.ts"
import { Strangers } from "../floods/strangers.ts"
import { generateKey } from "../keys/format.ts"
import { createGate } from "./gate.ts"

type GateRequest = Parameters<ReturnType<typeof createGate>>[0]

function open(known: Known) {
  const asked: string[] = []
  const keys = {
    ask(_: string, digest: string, answer: (known: Known) => void) {
      asked.push(digest)
      setImmediate(() => answer(known))
    },
  }
  const nobody = { callerOf: () => undefined }
  const gate = createGate({
    admissions: { live: nobody, test: nobody },
    strangers: new Strangers(1_000_000),
    knownKeys: { live: keys, test: keys },
    health: { ready: async () => true },
  } as unknown as Parameters<typeof createGate>[0])
  const passed: string[] = []
  const ask = (name: string, key?: string, work = () => {}) => {
    const request = {
      method: "GET",
      url: "/v1/analyze",
      httpVersionMajor: 1,
      headers: key === undefined ? {} : { "x-api-key": key },
      socket: { remoteAddress: "192.0.2.1", destroy: () => {} },
    } as unknown as GateRequest
    gate(request, { setHeader() {} } as unknown as ServerResponse, () => {
      passed.push(name)
      work()
    })
  }
  return { ask, asked, passed }
}

/** More than a turn of strangers, so that the next has to wait for another. */
const busy = () => {
  const end = performance.now() + 2
  while (performance.now() < end);
}

describe("a key that this instance has not seen yet", () => {
  it("is not looked up while nobody waits", async () => {
    const { ask, asked, passed } = open("known")
    ask("key", generateKey("live"))
    await turn()
    assert.deepEqual(passed, ["key"])
    assert.deepEqual(asked, [])
  })

  it("waits for no stranger, if somebody has it", async () => {
    const { ask, passed } = open("known")
    for (const name of ["one", "two", "three", "four"]) ask(name, undefined, busy)
    ask("key", generateKey("live"))
    await sleep(100)
    assert.equal(passed.length, 5)
    assert.ok(passed.indexOf("key") <= 1, passed.join())
  })

  for (const known of ["unknown", "busy", "unavailable"] as const) {
    it(`comes in its turn, where it is ${known}`, async () => {
      const { ask, passed } = open(known)
      for (const name of ["one", "two"]) ask(name, undefined, busy)
      ask("key", generateKey("test"))
      await sleep(100)
      assert.deepEqual(passed, ["one", "two", "key"])
    })
  }
})
