/** A primary that is frozen for good: its connections stay open, and nobody says a word. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Charged } from "./charges.ts"
import { issue } from "./life.ts"
import { Pair } from "./pair.ts"
import { signalServer } from "./server-processes.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, watch } from "./watch.ts"

/** Past what the program waits for a word (src/db/pool.ts); tools that promote take as long. */
const UNNOTICED_MS = 15_000

describe("failover from a primary that says nothing", () => {
  let pair: Pair
  before(async () => {
    pair = await Pair.open(2)
    await pair.standby.setSynchronous(true)
  })
  after(async () => {
    signalServer(pair.cluster.dataDir, "SIGKILL")
    await pair.close()
  })

  it("is over two seconds after the standby takes writes", async () => {
    const { cluster } = pair
    const tenantId = await cluster.tenant("one")
    const client = await cluster.superuser()
    const askers: Asker[] = [{ tenantId, key: await issue(client, tenantId) }]
    await client.end()
    const answers: Charged[] = []
    const watched = await watch(cluster, askers, answers, () =>
      pair.failOver("SIGSTOP", UNNOTICED_MS),
    )
    assertKept(watched)
    assert.ok(watched.seen.some(({ answer }) => answer.status === 503))
    await assertSettled(cluster, askers, answers)
  })
})
