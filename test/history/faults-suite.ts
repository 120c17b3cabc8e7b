/** A table of faults as tests: 503 in time, good again by itself, nothing charged that was not answered. */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { savePlan } from "../../src/usage/plans.ts"
import type { Charged } from "./charges.ts"
import { Cluster } from "./cluster.ts"
import type { Fault, Site } from "./faults.ts"
import { Gate } from "./gate.ts"
import { issue } from "./life.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, DEADLINE_MS, watch } from "./watch.ts"

const PRELOAD = join(import.meta.dirname, "jumping-preload.ts")
/** All that limits is looked at, and there is enough. */
const PLAN = { units_per_month: 1_000_000, requests_per_second: 5_000, burst: 5_000 }

export function describeFaults(what: string, faults: readonly Fault[]): void {
  describe(what, () => suite(faults))
}

function suite(faults: readonly Fault[]): void {
  let site: Site
  let gate: Gate | undefined
  let cluster: Cluster | undefined
  const askers: Asker[] = []
  const answers: Charged[] = []
  before(async () => {
    cluster = await Cluster.open({
      size: 1,
      settings: () => ({ NODE_OPTIONS: `--import=${PRELOAD}` }),
      async databaseUrl({ socketFolder }) {
        gate = await Gate.open(socketFolder)
        return gate.url
      },
    })
    if (gate === undefined) throw new Error("no gate")
    const client = await cluster.superuser()
    await cluster.admin.asOperator((tx) => savePlan(tx, "enough", PLAN, "test"))
    for (const name of ["held", "other"]) {
      const tenantId = await cluster.tenant(name, "enough")
      askers.push({ tenantId, key: await issue(client, tenantId) })
    }
    await client.end()
    site = { cluster, gate, heldTenant: askers[0]?.tenantId ?? "" }
  })
  after(async () => {
    await gate?.close()
    await cluster?.close()
  })

  for (const { name, during, stops, lastsMs, standsStill = false } of faults) {
    it(name, async () => {
      const watched = await watch(site.cluster, askers, answers, () => during(site, lastsMs))
      assertKept(watched, standsStill ? lastsMs : 0)
      const { seen, began, ended } = watched
      const isHeld = ({ tenantId }: Asker) => tenantId === site.heldTenant
      const stopped = seen.filter(({ answer }) => answer.status === 503)
      if (stops === "all") {
        if (lastsMs > DEADLINE_MS) assert.ok(stopped.length > 0, "it is felt")
        return
      }
      if (standsStill) return
      const unharmed = (asker: Asker) => stops === "nobody" || !isHeld(asker)
      assert.ok(!stopped.some(({ asker }) => unharmed(asker)), "others are unharmed")
      if (lastsMs < DEADLINE_MS) return
      const served = seen.filter(
        (one) => unharmed(one.asker) && one.began > began && one.ended < ended,
      )
      assert.ok(served.length > 10, `they are served meanwhile: ${served.length}`)
    })
  }

  it("after all that: charged is what was answered, and no connection is left over", () =>
    assertSettled(site.cluster, askers, answers))
}
