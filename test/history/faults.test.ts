/** The database's faults: 503 in time, good again by itself, nothing charged that was not answered. */
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { Answer } from "../program.ts"
import type { Charged } from "./charges.ts"
import { chargeFaults } from "./charges.ts"
import { Cluster } from "./cluster.ts"
import type { Site } from "./faults.ts"
import { FAULTS } from "./faults.ts"
import { Gate } from "./gate.ts"
import { issue } from "./life.ts"

const DEADLINE_MS = 3_500
const RECOVERY_MS = 2_000
const PATIENCE_MS = 10_000
const CLIENTS = 8
/** So many good answers one after the other. */
const CALM = 16
const PATHS = ["/v1/analyze?domain=approve.test", "/v1/usage", "/v1/analyze?domain=other.test"]

interface Seen {
  readonly answer: Answer
  readonly began: number
  readonly ended: number
  readonly held: boolean
}

describe("faults of the database", () => {
  let site: Site
  let gate: Gate | undefined
  let cluster: Cluster | undefined
  const tenants: { tenantId: string; key: string }[] = []
  const answers: Charged[] = []
  before(async () => {
    cluster = await Cluster.open({
      size: 1,
      async databaseUrl(folder) {
        gate = await Gate.open(folder)
        return gate.url
      },
    })
    if (gate === undefined) throw new Error("no gate")
    const client = await cluster.superuser()
    for (const name of ["held", "other"]) {
      const tenantId = await cluster.tenant(name)
      tenants.push({ tenantId, key: await issue(client, tenantId) })
    }
    await client.end()
    const pidFile = join(cluster.dataDir, "postgres/data/postmaster.pid")
    const postmasterPid = Number((await readFile(pidFile, "utf8")).split("\n")[0])
    site = { cluster, gate, postmasterPid, heldTenant: tenants[0]?.tenantId ?? "" }
  })
  after(async () => {
    await gate?.close()
    await cluster?.close()
  })

  /** Asks all the time until told to stop. */
  const load = async (seen: Seen[], isOver: () => boolean): Promise<void> => {
    const client = async (n: number) => {
      const { tenantId, key } = tenants[n % 2] ?? { tenantId: "", key: "" }
      for (let turn = n; !isOver(); turn++) {
        const began = performance.now()
        const answer = await site.cluster.instance(0)?.ask(PATHS[turn % 3] ?? "", { key })
        if (answer === undefined) throw new Error("the instance is gone")
        seen.push({ answer, began, ended: performance.now(), held: n % 2 === 0 })
        const requestId = String(answer.headers["x-request-id"])
        const counts = PATHS[turn % 3] !== "/v1/usage" || answer.status !== 200
        if (counts) answers.push({ tenantId, requestId, status: answer.status, orphaned: false })
        await sleep(5)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)))
  }

  /** How long a request takes that needs no database: the machine may be busy with other things. */
  const slowest = async (isOver: () => boolean): Promise<number> => {
    let slowestMs = 0
    while (!isOver()) {
      const began = performance.now()
      await site.cluster.instance(0)?.ask("/v1/health/live")
      slowestMs = Math.max(slowestMs, performance.now() - began)
      await sleep(20)
    }
    return slowestMs
  }

  for (const { name, during, stopsAll, lastsMs } of FAULTS) {
    it(name, async () => {
      let over = false
      const seen: Seen[] = []
      const loading = load(seen, () => over)
      const probing = slowest(() => over)
      await sleep(200)
      const began = performance.now()
      await during(site, lastsMs)
      const ended = performance.now()
      const recovered = () => {
        const last = seen.slice(-CALM)
        return (
          last.length === CALM &&
          last.every((one) => one.began > ended && one.answer.status === 200)
        )
      }
      while (!recovered() && performance.now() < ended + PATIENCE_MS) await sleep(20)
      const tookMs = performance.now() - ended
      const isWell = recovered()
      over = true
      await loading
      const slackMs = 3 * (await probing)
      assert.ok(isWell && tookMs < RECOVERY_MS + slackMs, `all are served after ${tookMs} ms`)
      for (const { answer, began, ended } of seen) {
        assert.ok([200, 503].includes(answer.status), `answered ${answer.status}: ${answer.text}`)
        assert.ok(
          ended - began < DEADLINE_MS + slackMs,
          `${answer.status} took ${ended - began} ms`,
        )
        if (answer.status === 503) assert.ok(Number(answer.headers["retry-after"]) >= 1)
      }
      const stopped = seen.filter(({ answer }) => answer.status === 503)
      if (!stopsAll) {
        assert.ok(
          stopped.every(({ held }) => held),
          "others are unharmed",
        )
        const served = seen.filter((one) => !one.held && one.began > began && one.ended < ended)
        assert.ok(served.length > 10, `others are served meanwhile: ${served.length}`)
      } else if (lastsMs > DEADLINE_MS) assert.ok(stopped.length > 0, "it is felt")
    })
  }

  it("after all that: charged is what was answered, and no connection is left over", async () => {
    await sleep(1_500)
    const client = await site.cluster.superuser()
    const used = await client.query<{ units: string }>(
      `select coalesce(sum(u.units), 0) as units from unnest($1::uuid[]) with ordinality t(id, n)
        left join live.usage u on u.tenant_id = t.id group by n order by n`,
      [tenants.map(({ tenantId }) => tenantId)],
    )
    const budgets = tenants.map(({ tenantId }, n) => ({
      tenantId,
      units: Number(used.rows[n]?.units),
    }))
    assert.deepEqual(await chargeFaults(client, budgets, answers), [])
    const { rows } = await client.query<{ count: number }>(
      "select count(*)::integer from pg_stat_activity where usename = 'zt_runtime'",
    )
    await client.end()
    assert.ok((rows[0]?.count ?? 0) <= 10, `${rows[0]?.count} connections`)
  })
})
