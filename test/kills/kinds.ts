/** The ways in which a deployment is killed. Each strikes once it is up and writing. */
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { withClient } from "../../src/db/connection.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { SUPERUSER } from "../../src/db/embedded/initialise.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { Deployment } from "./deployment.ts"
import { killQuietly } from "./deployment.ts"
import type { Random } from "./random.ts"

export interface Kind {
  readonly name: string
  /** How often, against the others: what starts the program again costs most. */
  readonly weight: number
  /** @returns How many moments of death that were. */
  strike(deployment: Deployment, random: Random): Promise<number>
}

/** A start of the program, and a recovery of the database, take up to about that. */
const START_MS = 450
const RECOVERY_MS = 120
const CHECKPOINT_MS = 15

export const KINDS: readonly Kind[] = [
  {
    name: "the program",
    weight: 2,
    async strike(deployment) {
      await deployment.kill("program")
      return 1
    },
  },
  {
    name: "the operator's program",
    weight: 2,
    async strike(deployment) {
      await deployment.kill("operator")
      return 1
    },
  },
  {
    name: "the program, and again while it starts",
    weight: 1,
    async strike(deployment, random) {
      await deployment.kill("program")
      deployment.start("program")
      await sleep(random.next() * START_MS)
      await deployment.kill("program")
      return 2
    },
  },
  {
    name: "everything, and the program again while both start the database",
    weight: 1,
    async strike(deployment, random) {
      await everything(deployment)
      for (const who of ["program", "operator"] as const) deployment.start(who)
      await sleep(random.next() * START_MS)
      await deployment.kill("program")
      return 2
    },
  },
  {
    name: "the postmaster",
    weight: 3,
    async strike(deployment) {
      killQuietly(deployment.postgres().postmaster ?? 0)
      return 1
    },
  },
  {
    name: "the database, every process of it",
    weight: 5,
    async strike(deployment) {
      killDatabase(deployment)
      return 1
    },
  },
  {
    name: "the database, and again while it recovers",
    weight: 4,
    async strike(deployment, random) {
      killDatabase(deployment)
      await sleep(random.next() * RECOVERY_MS)
      killDatabase(deployment)
      return 2
    },
  },
  {
    name: "one process of the database",
    weight: 5,
    async strike(deployment, random) {
      const { postmaster, all } = deployment.postgres()
      const others = all.filter((pid) => pid !== postmaster)
      killQuietly(others[Math.floor(random.next() * others.length)] ?? 0)
      return 1
    },
  },
  {
    name: "the database, during a checkpoint",
    weight: 3,
    async strike(deployment, random) {
      const checkpoint = asSuperuser(deployment.dataDir, (client) =>
        client.query("checkpoint"),
      ).catch(() => {})
      await sleep(random.next() * CHECKPOINT_MS)
      killDatabase(deployment)
      await checkpoint
      return 1
    },
  },
  {
    name: "the program and the database",
    weight: 2,
    async strike(deployment) {
      const killed = deployment.kill("program")
      killDatabase(deployment)
      await killed
      return 1
    },
  },
  {
    name: "everything at once",
    weight: 2,
    async strike(deployment) {
      await everything(deployment)
      return 1
    },
  },
]

async function everything(deployment: Deployment): Promise<void> {
  const killed = [deployment.kill("operator"), deployment.kill("program")]
  killDatabase(deployment)
  await Promise.all(killed)
}

/** The postmaster and all that it started, one system call after the other. */
export function killDatabase(deployment: Deployment): void {
  for (const pid of deployment.postgres().all) killQuietly(pid)
}

/** Past the program, and past row security. */
export async function asSuperuser<T>(
  dataDir: string,
  work: (client: pg.Client) => Promise<T>,
  database = EMBEDDED_DATABASE,
): Promise<T> {
  const password = (await fileSecrets(dataDir).get("superuser-password")) ?? ""
  const address = { socketFolder: folderOf(dataDir).run, database }
  return withClient(address, { user: SUPERUSER, password }, work)
}
