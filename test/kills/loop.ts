/** Kills a deployment again and again, and asks after each time whether all that was acknowledged is there. */
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { Deployment } from "./deployment.ts"
import type { Kind } from "./kinds.ts"
import { KINDS } from "./kinds.ts"
import { Ledger } from "./ledger.ts"
import { seeded } from "./random.ts"

/** Writers write for up to that long before the next strike. */
const QUIET_MS = 40
const FULL_CHECK_EVERY = 25

/**
 * @param kills - At least so many moments of death, all kinds interleaved.
 * @returns How many of each kind there were.
 */
export async function killLoop(kills: number): Promise<ReadonlyMap<string, number>> {
  const random = seeded()
  console.log(`TEST_SEED=${random.seed}`)
  const ledger = new Ledger()
  const deployment = await Deployment.begin(ledger)
  const counts = new Map<string, number>()
  let kind: Kind | undefined
  try {
    await deployment.up()
    for (let done = 0, round = 0; done < kills; round++) {
      await sleep(random.next() * QUIET_MS)
      // Each kind once, then as they come.
      kind = KINDS[round] ?? random.pick(KINDS)
      const moments = await kind.strike(deployment, random)
      done += moments
      counts.set(kind.name, (counts.get(kind.name) ?? 0) + moments)
      await deployment.up()
      const which = round % FULL_CHECK_EVERY === 0 || done >= kills ? "all" : "recent"
      assert.deepEqual(await ledger.check(deployment.dataDir, which), [])
    }
  } catch (error) {
    const message = `After SIGKILL of ${kind?.name} (TEST_SEED=${random.seed}): ${error instanceof Error ? error.message : error}`
    throw new Error(message, { cause: error })
  } finally {
    await deployment.end()
  }
  console.log(JSON.stringify({ ...Object.fromEntries(counts), ...ledger.counts }))
  return counts
}
