/** What befalls instances and the database's connections, at random, until told to stop. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Random } from "../kills/random.ts"
import type { Cluster } from "./cluster.ts"

const KINDS = [
  { weight: 3, name: "paused" },
  { weight: 1, name: "killed" },
  { weight: 2, name: "cut" },
] as const

export type Mishaps = Record<(typeof KINDS)[number]["name"], number>

/** @returns How often each happened. */
export async function befall(
  cluster: Cluster,
  random: Random,
  everyMs: number,
  isOver: () => boolean,
): Promise<Mishaps> {
  const counts = { paused: 0, killed: 0, cut: 0 }
  while (!isOver()) {
    await sleep(random.next() * 2 * everyMs)
    const { name } = random.pick(KINDS)
    const n = Math.floor(random.next() * cluster.size)
    if (name === "paused") await cluster.pause(n, 50 + random.next() * 700)
    if (name === "killed") {
      await cluster.kill(n)
      await cluster.start(n)
    }
    if (name === "cut") await cutConnections(cluster, random.next())
    counts[name]++
  }
  return counts
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
