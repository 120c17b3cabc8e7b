/**
 * A thousand tenants at once over few connections, each looking only for what is not its own, while
 * some transactions fail, are cancelled, time out or lose their connection, by a seed.
 */
import type pg from "pg"
import type { Database, Tx } from "../../src/db/database.ts"
import { seeded } from "./random.ts"

export const TENANTS = 1_000

export interface CrowdOptions {
  readonly seed: number
  readonly tenants: number
  /** Transactions of each. */
  readonly rounds: number
  /** Which part of the transactions shall end badly. */
  readonly mishapShare: number
  /** Cancels or ends a server process, as a superuser. */
  disturb(how: "cancel" | "terminate", pid: number): Promise<unknown>
}

export interface CrowdResult {
  /** What somebody saw that was not theirs, or did not see that was. */
  readonly wrong: readonly string[]
  readonly looked: number
  /** Transactions that ended as they were meant to end badly, by how. */
  readonly failed: Readonly<Record<Mishap, number>>
}

const MISHAPS = ["error", "rejection", "swallowed", "time-out", "cancel", "lost"] as const
type Mishap = (typeof MISHAPS)[number]

export function tenantOf(n: number): string {
  return `0193b000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`
}

/** Makes the tenants, each with one analysis, whose id is the tenant's. */
export async function gather(client: pg.Client): Promise<void> {
  await client.query(
    `insert into platform.tenant (id, name_index, sealed_name)
      select id, uuid_send(id), '' from unnest($1::uuid[]) id`,
    [Array.from({ length: TENANTS }, (_, n) => tenantOf(n))],
  )
  await client.query(
    `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      select id, id, uuid_send(id), now(), now(), '' from platform.tenant`,
  )
}

export async function crowd(
  database: Database,
  { seed, tenants, rounds, mishapShare, disturb }: CrowdOptions,
): Promise<CrowdResult> {
  const random = seeded(seed)
  const wrong: string[] = []
  const failed: Record<Mishap, number> = {
    error: 0,
    rejection: 0,
    swallowed: 0,
    "time-out": 0,
    cancel: 0,
    lost: 0,
  }
  let looked = 0
  const look = async (tx: Tx, tenant: string) => {
    const rows = await tx.query<{ id: string; tenant: string; role: string }>(
      `select id, platform.current_tenant() as tenant, current_user as role from live.analysis limit 3`,
    )
    looked++
    const told = JSON.stringify(rows)
    if (told !== JSON.stringify([{ id: tenant, tenant, role: "zt_tenant" }])) {
      wrong.push(`${tenant} saw ${told.slice(0, 200)}`)
    }
  }
  const mishap = async (tx: Tx, how: Mishap) => {
    switch (how) {
      case "error":
        return tx.query("select 1 / 0")
      case "rejection":
        throw new Error("changed its mind")
      case "swallowed":
        return tx.query("select * from no_table").catch(() => {})
      case "time-out":
        await tx.query("set statement_timeout = 1")
        return tx.query("select pg_sleep(1)")
      default: {
        const [row] = await tx.query<{ pid: number }>("select pg_backend_pid() as pid")
        let over = false
        const sleeping = tx.query("select pg_sleep(10)").finally(() => {
          over = true
        })
        sleeping.catch(() => {}) // awaited below
        // A signal that comes before the statement does is forgotten.
        while (!over) await disturb(how === "cancel" ? "cancel" : "terminate", row?.pid ?? 0)
        return sleeping
      }
    }
  }
  const visit = async (tenant: string) => {
    for (let round = 0; round < rounds; round++) {
      const how =
        random() < mishapShare ? MISHAPS[Math.floor(random() * MISHAPS.length)] : undefined
      const work = patiently(() =>
        database.asTenant("live", tenant, async (tx) => {
          await look(tx, tenant)
          if (how !== undefined) await mishap(tx, how)
        }),
      )
      if (how === undefined) await work
      else {
        await work.then(
          () => wrong.push(`${how} was taken for a success`),
          () => failed[how]++,
        )
      }
    }
  }
  await Promise.all(Array.from({ length: tenants }, (_, n) => visit(tenantOf(n))))
  return { wrong, looked, failed }
}

/** Where the machine is busy, a connection may not come free in time: not what is looked for here. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      if (!/timeout exceeded when trying to connect/.test(String(cause))) throw error
    }
  }
}
