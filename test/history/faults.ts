/**
 * What may befall a database while the API is asked all the time, and what its answers were: each in
 * its deadline, 503 with Retry-After while it lasts, and good again soon after.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { findBinaries, platformPackage } from "../../src/db/embedded/binaries.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { startPostmaster } from "../../src/db/embedded/postmaster.ts"
import { sqlState } from "../../src/db/errors.ts"
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
  /** 503 is expected of all, may come to whose row is held, or to nobody. */
  readonly stops: "all" | "held" | "nobody"
  readonly lastsMs: number
  /** The program itself stands still, so nobody can be answered meanwhile. */
  readonly standsStill?: boolean
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
    stops: "all",
    lastsMs: 1_000,
    during: stopped,
  },
  {
    name: "the database is stopped (SIGSTOP) past the deadline",
    stops: "all",
    lastsMs: 4_500,
    during: stopped,
  },
  {
    name: "its processes are killed (SIGKILL)",
    stops: "all",
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
    name: "its postmaster is killed (SIGKILL), and it is started again",
    stops: "all",
    lastsMs: 500,
    during: killed,
  },
  {
    name: "connections are refused",
    stops: "all",
    lastsMs: 1_500,
    during: ({ gate }, ms) => shut(gate, "refused", ms),
  },
  {
    name: "connections are accepted, and nobody answers",
    stops: "all",
    lastsMs: 4_500,
    during: ({ gate }, ms) => shut(gate, "silent", ms),
  },
  {
    name: "the database is read-only",
    stops: "all",
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
    stops: "all",
    lastsMs: 1_500,
    during: async (site, ms) => {
      await sql("alter role zt_runtime connection limit 0", CUT)(site)
      await sleep(ms)
      await sql("alter role zt_runtime connection limit -1")(site)
    },
  },
  {
    name: "others have taken every connection (max_connections)",
    stops: "all",
    lastsMs: 1_500,
    during: async (site, ms) => {
      await sql("alter role zt_runtime connection limit 0", CUT)(site)
      const taken = await takeConnections(site)
      await taken[0]?.query("alter role zt_runtime connection limit -1")
      await sleep(ms)
      await Promise.all(taken.map((client) => client.end()))
    },
  },
  {
    name: "each statement takes longer than the deadline",
    stops: "all",
    lastsMs: 4_500,
    during: async (site, ms) => {
      await sql(
        `create function public.slow() returns trigger language plpgsql
          as $$ begin perform pg_sleep(4); return null; end $$`,
        `create trigger slow before insert on live.usage
          for each statement execute function public.slow()`,
      )(site)
      await sleep(ms)
      await sql("drop trigger slow on live.usage", "drop function public.slow")(site)
    },
  },
  {
    name: "somebody locks the tenants in the other order: deadlocks",
    stops: "all",
    lastsMs: 3_000,
    during: deadlocks,
  },
  {
    name: "the database's clock goes back by an hour: what it wrote lies ahead",
    stops: "nobody",
    lastsMs: 500,
    during: (site, ms) => clockJump(site, ms, 1),
  },
  {
    name: "the database's clock goes on by an hour: what it wrote lies behind",
    stops: "nobody",
    lastsMs: 500,
    during: (site, ms) => clockJump(site, ms, -1),
  },
  {
    name: "the program's clock goes on by an hour, and back by two",
    stops: "nobody",
    lastsMs: 700,
    during: async ({ cluster }, ms) => {
      const pid = cluster.instance(0)?.pid ?? 0
      process.kill(pid, "SIGUSR2") // jumping-preload.ts
      await sleep(ms)
      process.kill(pid, "SIGUSR2")
      await sleep(ms)
    },
  },
  {
    name: "the program stands still (SIGSTOP) past the deadline",
    stops: "held",
    lastsMs: 5_000,
    standsStill: true,
    during: ({ cluster }, ms) => cluster.pause(0, ms),
  },
  {
    name: "somebody holds a tenant's row",
    stops: "held",
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

/** What lasts as long as an outage does; behind `--long`. */
export const LONG_FAULTS: readonly Fault[] = [10_000, 60_000].flatMap((lastsMs) =>
  (
    [
      ["the database is stopped (SIGSTOP)", stopped],
      ["its postmaster is killed (SIGKILL), and it is away", killed],
      ["connections are refused", ({ gate }: Site, ms: number) => shut(gate, "refused", ms)],
      ["connections are silent", ({ gate }: Site, ms: number) => shut(gate, "silent", ms)],
    ] as const
  ).map(([name, during]) => ({
    name: `${name} for ${lastsMs / 1000} s`,
    stops: "all" as const,
    lastsMs,
    during,
  })),
)

async function stopped({ cluster }: Site, ms: number): Promise<void> {
  signalServer(cluster.dataDir, "SIGSTOP")
  await sleep(ms)
  signalServer(cluster.dataDir, "SIGCONT")
}

async function killed({ cluster }: Site, ms: number): Promise<void> {
  process.kill(postmasterOf(cluster.dataDir), "SIGKILL")
  await sleep(ms)
  await startPostmaster(folderOf(cluster.dataDir), await findBinaries(platformPackage()))
}

/**
 * Holds one tenant's row and asks for the other's, so that a batch that holds that and waits for this
 * can never go on. The batch is the one that looks (deadlock_timeout), so it is the one that is ended.
 */
async function deadlocks(site: Site, ms: number): Promise<void> {
  const set = (value: string) => sql(`alter system ${value}`, "select pg_reload_conf()")(site)
  await set("set deadlock_timeout = '100ms'")
  const client = await site.cluster.superuser()
  const count = async () => {
    const { rows } = await client.query<{ deadlocks: string }>(
      "select deadlocks from pg_stat_database where datname = current_database()",
    )
    return Number(rows[0]?.deadlocks)
  }
  const before = await count()
  await client.query("set deadlock_timeout = '10s'")
  const { rows } = await client.query<{ tenant_id: string }>(
    "select tenant_id from live.account order by tenant_id desc",
  )
  const end = performance.now() + ms
  while (performance.now() < end) {
    await client.query("begin")
    for (const { tenant_id } of rows) {
      await client.query("select from live.account where tenant_id = $1 for update", [tenant_id])
      await sleep(20)
    }
    await client.query("rollback")
    await sleep(20)
  }
  await sleep(1_100) // statistics are a second behind
  const after = await count()
  await client.end()
  await set("reset deadlock_timeout")
  if (after === before) throw new Error("there was no deadlock")
}

/** @returns As many as the server has left. */
async function takeConnections({ cluster }: Site): Promise<pg.Client[]> {
  const taken: pg.Client[] = []
  for (;;) {
    try {
      taken.push(await cluster.superuser())
    } catch (error) {
      if (sqlState(error) !== "53300") throw error // too_many_connections
      return taken
    }
  }
}

/**
 * What a jump of the server's clock leaves: rates that lie an hour ahead of it, or behind. clock.test.ts moves the clock itself.
 */
async function clockJump(site: Site, ms: number, hours: number): Promise<void> {
  await sql(
    `begin;
    lock table live.account in exclusive mode;
    update live.rate set tat = tat + ${hours} * 3600000000;
    commit`,
  )(site)
  await sleep(ms)
}

async function shut(gate: Gate, way: "refused" | "silent", ms: number): Promise<void> {
  await gate.set(way)
  await sleep(ms)
  await gate.set("open")
}
