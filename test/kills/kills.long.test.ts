/** The thousand kills of `npm test -- --long`; `TEST_KILLS` of them where that is set. */
import { describe, it } from "node:test"
import { killLoop } from "./loop.ts"

const KILLS = Number(process.env["TEST_KILLS"] ?? 1_000)

describe("R1, the long form", () => {
  it(`${KILLS} SIGKILLs of every kind: nothing acknowledged is missing or there twice`, async () => {
    await killLoop(KILLS)
  })
})
