/** What befalls instances and the database's connections, until told to stop. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Random } from "../kills/random.ts"
import type { Cluster } from "./cluster.ts"

/** Past the deadline of whatever the instance has under way. */
const STALL_MS = 3_200
/** In turn; an instance is killed beside them. */
const KINDS = ["cut", "paused", "cut", "stalled"] as const

export type Mishaps = Record<(typeof KINDS)[number] | "killed", number>

/** @returns How often each happened. */
export async function befall(
  cluster: Cluster,
  random: Random,
  everyMs: number,
  isOver: () => boolean,
): Promise<Mishaps> {
  const counts = { paused: 0, stalled: 0, killed: 0, cut: 0 }
  const wait = () => sleep(random.next() * 2 * everyMs)
  const anyone = () => Math.floor(random.next() * cluster.size)
  const kills = async () => {
    for (await sleep(4 * everyMs); !isOver(); await sleep(random.next() * 8 * everyMs)) {
      const n = anyone()
      await cluster.kill(n)
      await startAgain(cluster, n)
      counts.killed++
    }
  }
  const others = async () => {
    for (let turn = 0; !isOver(); turn++) {
      await wait()
      const kind = KINDS[turn % KINDS.length] ?? "cut"
      if (kind === "paused") await cluster.pause(anyone(), 50 + random.next() * 500)
      if (kind === "stalled") await cluster.pause(anyone(), STALL_MS)
      if (kind === "cut") await cutConnections(cluster, random.next())
      counts[kind]++
    }
  }
  await Promise.all([kills(), others()])
  return counts
}

/** A start whose first connection is cut says so and ends; whoever supervises it tries again. */
async function startAgain(cluster: Cluster, n: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await cluster.start(n)
      return
    } catch (error) {
      if (tries === 5 || !String(error).includes("UNAVAILABLE")) throw error
    }
  }
}

/** Ends about this share of all the database's connections, those of operators too. */
async function cutConnections(cluster: Cluster, share: number): Promise<void> {
  const client = await cluster.superuser()
  try {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < $1`,
      [share],
    )
  } finally {
    await client.end()
  }
}
