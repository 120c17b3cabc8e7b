/**
 * What may befall a database while the API is asked all the time, and what its answers were: each in
 * its deadline, 503 with Retry-After while it lasts, and good again soon after.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Cluster } from "./cluster.ts"
import type { Gate } from "./gate.ts"
import { postmasterOf, signalServer } from "./server-processes.ts"

export interface Site {
  readonly cluster: Cluster
  readonly gate: Gate
  /** Somebody's row is held: the others are to be served all the while. */
  readonly heldTenant: string
}

export interface Fault {
  readonly name: string
  /** Begins it, and ends it once it has lasted. */
  during(site: Site, lastsMs: number): Promise<unknown>
  /** 503 is expected of all; else nobody but the tenant that is held may notice. */
  readonly stopsAll: boolean
  readonly lastsMs: number
}

const sql =
  (...texts: string[]) =>
  async ({ cluster }: Site) => {
    const client = await cluster.superuser()
    try {
      for (const text of texts) await client.query(text)
    } finally {
      await client.end()
    }
  }
const CUT = `select pg_terminate_backend(pid) from pg_stat_activity
  where usename = 'zt_runtime'`

/** Each lasts longer than a request's deadline where it can, so that all of it is seen. */
export const FAULTS: readonly Fault[] = [
  {
    name: "the database is stopped (SIGSTOP) for a second",
    stopsAll: true,
    lastsMs: 1_000,
    during: stopped,
  },
  {
    name: "the database is stopped (SIGSTOP) past the deadline",
    stopsAll: true,
    lastsMs: 4_500,
    during: stopped,
  },
  {
    name: "its processes are killed (SIGKILL)",
    stopsAll: true,
    lastsMs: 0,
    during: async ({ cluster }) => {
      const client = await cluster.superuser()
      const { rows } = await client.query<{ pid: number }>(
        "select pid from pg_stat_activity where usename = 'zt_runtime' limit 1",
      )
      client.on("error", () => {})
      // One killed process has the postmaster end all others and recover.
      process.kill(rows[0]?.pid ?? postmasterOf(cluster.dataDir), "SIGKILL")
      await client.end().catch(() => {})
    },
  },
  {
    name: "connections are refused",
    stopsAll: true,
    lastsMs: 1_500,
    during: ({ gate }, ms) => shut(gate, "refused", ms),
  },
  {
    name: "connections are accepted, and nobody answers",
    stopsAll: true,
    lastsMs: 4_500,
    during: ({ gate }, ms) => shut(gate, "silent", ms),
  },
  {
    name: "the database is read-only",
    stopsAll: true,
    lastsMs: 1_500,
    during: async (site, ms) => {
      await sql(
        "alter system set default_transaction_read_only = on",
        "select pg_reload_conf()",
        CUT,
      )(site)
      await sleep(ms)
      await sql(
        "set default_transaction_read_only = off",
        "alter system reset default_transaction_read_only",
        "select pg_reload_conf()",
        CUT,
      )(site)
    },
  },
  {
    name: "there are too many connections",
    stopsAll: true,
    lastsMs: 1_500,
    during: async (site, ms) => {
      await sql("alter role zt_runtime connection limit 0", CUT)(site)
      await sleep(ms)
      await sql("alter role zt_runtime connection limit -1")(site)
    },
  },
  {
    name: "somebody holds a tenant's row",
    stopsAll: false,
    lastsMs: 5_000,
    during: async ({ cluster, heldTenant }, ms) => {
      const client = await cluster.superuser()
      await client.query("begin")
      await client.query("select from live.account where tenant_id = $1 for update", [heldTenant])
      await sleep(ms)
      await client.query("rollback")
      await client.end()
    },
  },
]

async function stopped({ cluster }: Site, ms: number): Promise<void> {
  signalServer(cluster.dataDir, "SIGSTOP")
  await sleep(ms)
  signalServer(cluster.dataDir, "SIGCONT")
}

async function shut(gate: Gate, way: "refused" | "silent", ms: number): Promise<void> {
  await gate.set(way)
  await sleep(ms)
  await gate.set("open")
}
