/**
 * A standby of a cluster's database by streaming replication, over a gate of its own, so that the
 * link between the two can be cut.
 *
 * Made by the low-level backup (PostgreSQL, "Making a Base Backup Using the Low Level API"): the
 * packages of npm bring no pg_basebackup.
 */
import { appendFile, chmod, cp, mkdir, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import type { Credentials } from "../../src/db/connection.ts"
import { logIn } from "../../src/db/connection.ts"
import { findBinaries, platformPackage } from "../../src/db/embedded/binaries.ts"
import type { Folder } from "../../src/db/embedded/folder.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { startPostmaster } from "../../src/db/embedded/postmaster.ts"
import type { DatabaseSite } from "./cluster.ts"
import { Gate } from "./gate.ts"
import { signalServer } from "./server-processes.ts"

const NAME = "standby"
/** Not copied: of the running server alone, or made anew (the same chapter). */
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|(pg_wal|pg_replslot|pg_stat_tmp|pg_dynshmem|pg_notify)\/.+)$/
const PATIENCE_MS = 20_000

export class Standby {
  readonly dataDir: string
  /** The way from the standby to the primary. */
  readonly link: Gate
  readonly #folder: Folder
  readonly #superuser: Credentials
  readonly #primary: DatabaseSite

  private constructor(primary: DatabaseSite, link: Gate) {
    this.dataDir = join(primary.dataDir, NAME)
    this.link = link
    this.#folder = folderOf(this.dataDir)
    this.#superuser = primary.superuser
    this.#primary = primary
  }

  /** Copies a running database, and follows it. */
  static async of(primary: DatabaseSite): Promise<Standby> {
    const standby = new Standby(primary, await Gate.open(primary.socketFolder))
    await standby.#copy()
    await startPostmaster(standby.#folder, await findBinaries(platformPackage()))
    await standby.#until("select count(*) = 1 as so from pg_stat_replication")
    return standby
  }

  get socketFolder(): string {
    return this.#folder.run
  }

  /** Whether the primary waits for it before it acknowledges a commit. */
  async setSynchronous(yes: boolean): Promise<void> {
    await this.#onPrimary(async (client) => {
      await client.query(`alter system set synchronous_standby_names = '${yes ? NAME : ""}'`)
      await client.query("select pg_reload_conf()")
    })
    const state = yes ? "sync" : "async"
    await this.#until(`select bool_and(sync_state = '${state}') as so from pg_stat_replication`)
  }

  /** Waits until it has all that was committed so far. */
  caughtUp(): Promise<void> {
    return this.#until(
      "select bool_and(replay_lsn = pg_current_wal_lsn()) as so from pg_stat_replication",
    )
  }

  /** Makes it the primary. @returns When it took writes, by `performance.now`. */
  async promote(): Promise<number> {
    const client = await logIn(this.#here, this.#superuser)
    await client.query("select pg_promote()")
    await client.end()
    return performance.now()
  }

  async close(): Promise<void> {
    signalServer(this.dataDir, "SIGKILL")
    await this.link.close()
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 10 })
  }

  get #here() {
    return { socketFolder: this.#folder.run, database: "postgres" }
  }

  async #copy(): Promise<void> {
    const from = join(this.#primary.dataDir, "postgres/data")
    const { data, run } = this.#folder
    await mkdir(run, { recursive: true, mode: 0o700 })
    await mkdir(dirname(data), { recursive: true })
    await this.#onPrimary(async (client) => {
      await client.query("select pg_backup_start('standby', true)")
      const filter = (path: string) => !LEFT_OUT.test(relative(from, path))
      await cp(from, data, { recursive: true, filter })
      const { rows } = await client.query<{ labelfile: string }>("select * from pg_backup_stop()")
      await writeFile(join(data, "backup_label"), rows[0]?.labelfile ?? "", { mode: 0o600 })
    })
    await chmod(data, 0o700)
    await writeFile(join(data, "standby.signal"), "", { mode: 0o600 })
    const { user, password } = this.#superuser
    const { port } = new URL(this.link.url)
    await appendFile(
      join(data, "postgresql.auto.conf"),
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=${user} password=${password} sslmode=disable application_name=${NAME}'
wal_retrieve_retry_interval = 200ms
dynamic_shared_memory_type = mmap # goes with the folder
`,
    )
  }

  async #until(question: string): Promise<void> {
    await this.#onPrimary(async (client) => {
      const end = performance.now() + PATIENCE_MS
      for (;;) {
        const { rows } = await client.query<{ so: boolean | null }>(question)
        if (rows[0]?.so) return
        if (performance.now() > end) throw new Error(`not yet: ${question}`)
        await sleep(20)
      }
    })
  }

  async #onPrimary(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const { socketFolder, superuser } = this.#primary
    const client = await logIn({ socketFolder, database: "postgres" }, superuser)
    try {
      await work(client)
    } finally {
      await client.end()
    }
  }
}
