/**
 * R1: acknowledged writes survive SIGKILL of the program and of the database, and nobody has to
 * help. With those of first-start.test.ts, more than 200; `npm test -- --long` adds a thousand.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { KINDS } from "./kinds.ts"
import { killLoop } from "./loop.ts"

const KILLS = 165

describe("R1: SIGKILL of the program and the database", () => {
  it(`${KILLS} times, of every kind: nothing acknowledged is missing or there twice`, async () => {
    const counts = await killLoop(KILLS)
    assert.deepEqual([...counts.keys()].sort(), KINDS.map(({ name }) => name).sort())
  })
})
