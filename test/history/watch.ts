/**
 * Clients that ask while something befalls the database, and what is promised of their answers: each
 * in its deadline, 503 with Retry-After while it lasts, and good again soon after, by itself.
 */
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import type { Answer } from "../program.ts"
import type { Charged } from "./charges.ts"
import { chargeFaults } from "./charges.ts"
import type { Cluster } from "./cluster.ts"

export const DEADLINE_MS = 3_500
const RECOVERY_MS = 2_000
const PATIENCE_MS = 30_000
const CLIENTS = 8
/** So many good answers one after the other. */
const CALM = 16
const PATHS = ["/v1/analyze?domain=approve.test", "/v1/usage", "/v1/analyze?domain=other.test"]
/** Every connection of one instance: ZT_DATABASE_POOL_SIZE's default. */
const POOL_SIZE = 10
/** Until what was uncertain is taken back, and connections that were cut are gone. */
const SETTLED_MS = 1_500

export interface Asker {
  readonly tenantId: string
  readonly key: string
}

interface Seen {
  readonly answer: Answer
  readonly began: number
  readonly ended: number
  readonly asker: Asker
}

export interface Watched {
  readonly seen: readonly Seen[]
  /** When it began and was over, by `performance.now`. */
  readonly began: number
  readonly ended: number
  /** From its end until all were served. */
  readonly tookMs: number
  /** How much slower than usual the machine was: it may be busy with other things. */
  readonly slackMs: number
}

/** @param during - Befalls them. @returns When it was over, where that was not now. */
export async function watch(
  cluster: Pick<Cluster, "instance" | "size">,
  askers: readonly Asker[],
  answers: Charged[],
  during: () => Promise<unknown>,
): Promise<Watched> {
  const seen: Seen[] = []
  let over = false
  const client = async (n: number) => {
    const asker = askers[n % askers.length]
    if (asker === undefined) throw new Error("nobody asks")
    for (let turn = n; !over; turn++) {
      const path = PATHS[turn % PATHS.length] ?? ""
      const began = performance.now()
      const answer = await cluster.instance(turn % cluster.size)?.ask(path, { key: asker.key })
      if (answer === undefined) throw new Error("the instance is gone")
      seen.push({ answer, began, ended: performance.now(), asker })
      const requestId = String(answer.headers["x-request-id"])
      const { tenantId } = asker
      const costs = path !== "/v1/usage" || answer.status !== 200
      if (costs) answers.push({ tenantId, requestId, status: answer.status, orphaned: false })
      await sleep(5)
    }
  }
  /** A request that needs no database. */
  const slowest = async () => {
    let slowestMs = 0
    while (!over) {
      const began = performance.now()
      await cluster.instance(0)?.ask("/v1/health/live")
      slowestMs = Math.max(slowestMs, performance.now() - began)
      await sleep(20)
    }
    return slowestMs
  }
  const loading = Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)))
  const probing = slowest()
  try {
    await sleep(200)
    const began = performance.now()
    const told = await during()
    const ended = typeof told === "number" ? told : performance.now()
    const isWell = () => {
      const last = seen.slice(-CALM)
      return (
        last.length === CALM && last.every((one) => one.began > ended && one.answer.status === 200)
      )
    }
    while (!isWell() && performance.now() < ended + PATIENCE_MS) await sleep(20)
    const tookMs = isWell() ? performance.now() - ended : Number.POSITIVE_INFINITY
    over = true
    await loading
    return { seen, began, ended, tookMs, slackMs: 3 * (await probing) }
  } finally {
    over = true
    await Promise.allSettled([loading, probing])
  }
}

/**
 * What holds whatever befalls.
 * @param standsStillMs - For so long the program itself could do nothing.
 */
export function assertKept({ seen, tookMs, slackMs }: Watched, standsStillMs = 0): void {
  for (const { answer, began, ended } of seen) {
    assert.ok([200, 503].includes(answer.status), `answered ${answer.status}: ${answer.text}`)
    const ms = ended - began
    assert.ok(ms < DEADLINE_MS + standsStillMs + slackMs, `${answer.status} took ${ms} ms`)
    if (answer.status === 503) assert.ok(Number(answer.headers["retry-after"]) >= 1)
  }
  assert.ok(tookMs < RECOVERY_MS + slackMs, `all are served after ${tookMs} ms`)
}

/** Once all is over: charged is what was answered, and no connection is left over. */
export async function assertSettled(
  cluster: Pick<Cluster, "superuser" | "size">,
  askers: readonly Asker[],
  answers: readonly Charged[],
): Promise<void> {
  await sleep(SETTLED_MS)
  const client = await cluster.superuser()
  try {
    const { rows } = await client.query<{ units: string }>(
      `select coalesce(sum(u.units), 0) as units from unnest($1::uuid[]) with ordinality t(id, n)
        left join live.usage u on u.tenant_id = t.id group by n order by n`,
      [askers.map(({ tenantId }) => tenantId)],
    )
    const budgets = askers.map(({ tenantId }, n) => ({ tenantId, units: Number(rows[n]?.units) }))
    assert.deepEqual(await chargeFaults(client, budgets, answers), [])
    const left = await client.query<{ count: number }>(
      "select count(*)::integer from pg_stat_activity where usename = 'zt_runtime'",
    )
    const count = left.rows[0]?.count ?? 0
    assert.ok(count <= POOL_SIZE * cluster.size, `${count} connections`)
  } finally {
    await client.end()
  }
}
