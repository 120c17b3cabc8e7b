/** The database's faults: 503 in time, good again by itself, nothing charged that was not answered. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Charged } from "./charges.ts"
import { Cluster } from "./cluster.ts"
import type { Site } from "./faults.ts"
import { FAULTS } from "./faults.ts"
import { Gate } from "./gate.ts"
import { issue } from "./life.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, DEADLINE_MS, watch } from "./watch.ts"

describe("faults of the database", () => {
  let site: Site
  let gate: Gate | undefined
  let cluster: Cluster | undefined
  const askers: Asker[] = []
  const answers: Charged[] = []
  before(async () => {
    cluster = await Cluster.open({
      size: 1,
      async databaseUrl({ socketFolder }) {
        gate = await Gate.open(socketFolder)
        return gate.url
      },
    })
    if (gate === undefined) throw new Error("no gate")
    const client = await cluster.superuser()
    for (const name of ["held", "other"]) {
      const tenantId = await cluster.tenant(name)
      askers.push({ tenantId, key: await issue(client, tenantId) })
    }
    await client.end()
    site = { cluster, gate, heldTenant: askers[0]?.tenantId ?? "" }
  })
  after(async () => {
    await gate?.close()
    await cluster?.close()
  })

  for (const { name, during, stopsAll, lastsMs } of FAULTS) {
    it(name, async () => {
      const watched = await watch(site.cluster, askers, answers, () => during(site, lastsMs))
      assertKept(watched)
      const { seen, began, ended } = watched
      const isHeld = ({ tenantId }: Asker) => tenantId === site.heldTenant
      const stopped = seen.filter(({ answer }) => answer.status === 503)
      if (!stopsAll) {
        assert.ok(
          stopped.every(({ asker }) => isHeld(asker)),
          "others are unharmed",
        )
        const served = seen.filter(
          (one) => !isHeld(one.asker) && one.began > began && one.ended < ended,
        )
        assert.ok(served.length > 10, `others are served meanwhile: ${served.length}`)
      } else if (lastsMs > DEADLINE_MS) assert.ok(stopped.length > 0, "it is felt")
    })
  }

  it("after all that: charged is what was answered, and no connection is left over", () =>
    assertSettled(site.cluster, askers, answers))
})
