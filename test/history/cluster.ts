/**
 * Several instances of the program on one database, in one data folder of a test's own. They are
 * paused, killed and started again; the database is reached as its superuser from beside.
 */
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { readConfig } from "../../src/config.ts"
import type { Address, Credentials } from "../../src/db/connection.ts"
import { logIn } from "../../src/db/connection.ts"
import type { AdminDatabase } from "../../src/db/database.ts"
import type { Server } from "../../src/db/server.ts"
import { openServer } from "../../src/db/server.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { ensureTenant } from "../../src/keys/tenants.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import { Keyring } from "../../src/secrets/keyring.ts"
import { fastFolder } from "../fast-folder.ts"
import type { Random } from "../kills/random.ts"
import type { Program } from "../program.ts"
import { startProgram } from "../program.ts"

/** A resolver that is not there: the machine that runs this may have one or none. */
const SETTINGS = { ZT_RESOLVERS: "127.0.0.1:9", ZT_LOG_LEVEL: "silent" }

/** Linux shares out a busy machine by sessions: else all instances would have what one backend has. */
const OWN_SESSION = process.platform === "linux" ? { prefix: ["setsid"] } : {}

const PAUSED_SHARE = 0.02
const LOGIN_TRIES = 20
/** A machine that has no time for us is no fault of the program's. */
const LOGIN_MS = 60_000

/** Where the cluster's database is. */
export interface DatabaseSite {
  readonly dataDir: string
  readonly socketFolder: string
  readonly superuser: Credentials
}

export interface ClusterOptions {
  /** Instances. */
  readonly size: number
  /** By default the database's own socket. */
  readonly databaseUrl?: (site: DatabaseSite) => Promise<string>
  /** More settings of one instance. */
  readonly settings?: (instance: number) => Readonly<Record<string, string>>
}

export class Cluster {
  readonly dataDir: string
  readonly admin: AdminDatabase
  readonly #server: Server
  readonly #keyring: Keyring
  readonly #settings: (instance: number) => Readonly<Record<string, string>>
  /** Undefined while it is down. */
  readonly #instances: (Program | undefined)[]
  readonly #paused = new Set<number>()
  /** Where the database's superuser logs in. */
  #database: Address
  /** When which instance was killed, by `performance.now`. */
  readonly kills: { readonly n: number; readonly at: number }[] = []

  private constructor(
    dataDir: string,
    server: Server,
    keyring: Keyring,
    settings: (instance: number) => Readonly<Record<string, string>>,
    instances: (Program | undefined)[],
  ) {
    this.dataDir = dataDir
    this.#server = server
    this.#keyring = keyring
    this.#settings = settings
    this.#instances = instances
    this.#database = server.address
    this.admin = server.admin()
  }

  static async open({ size, databaseUrl, settings }: ClusterOptions): Promise<Cluster> {
    const dataDir = fastFolder("zt-history-")
    const instances: (Program | undefined)[] = []
    const abandon = () => {
      for (const instance of instances) void instance?.stop("SIGKILL") // a terminal reaches no other session
      rmSync(dataDir, { recursive: true, force: true })
      process.exit(1)
    }
    process.once("SIGINT", abandon).once("SIGTERM", abandon)
    const secrets = fileSecrets(dataDir)
    const server = await openServer(readConfig({ ZT_DATA_DIR: dataDir }), secrets)
    const folder = socketFolderOf(server.address)
    const { superuser } = server
    if (superuser === undefined) throw new Error("not an embedded database")
    let url = `postgresql:///zygentrust?host=${folder}`
    const settingsOf = (n: number) => ({ ...SETTINGS, ZT_DATABASE_URL: url, ...settings?.(n) })
    const cluster = new Cluster(dataDir, server, await Keyring.open(secrets), settingsOf, instances)
    try {
      if (databaseUrl) url = await databaseUrl({ dataDir, socketFolder: folder, superuser })
      for (let n = 0; n < size; n++) await cluster.start(n)
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get size(): number {
    return this.#instances.length
  }

  get socketFolder(): string {
    return socketFolderOf(this.#server.address)
  }

  instance(n: number): Program | undefined {
    return this.#instances[n]
  }

  /** @returns An instance's number; one that is paused now and then, or all would soon wait for it. */
  any(random: Random): number {
    const numbers = [...this.#instances.keys()]
    const awake = numbers.filter((n) => !this.#paused.has(n))
    const from = awake.length === 0 || random.next() < PAUSED_SHARE ? numbers : awake
    return from[Math.floor(random.next() * from.length)] ?? 0
  }

  async start(n: number): Promise<void> {
    this.#instances[n] = await startProgram({
      ...OWN_SESSION,
      dataDir: this.dataDir,
      environment: this.#settings(n),
    })
  }

  async kill(n: number): Promise<void> {
    const program = this.#instances[n]
    this.#instances[n] = undefined
    this.kills.push({ n, at: performance.now() })
    await program?.stop("SIGKILL")
  }

  /** Asks it to stop. @returns Its exit code. */
  async stop(n: number): Promise<number | null | undefined> {
    const code = await this.#instances[n]?.stop()
    this.#instances[n] = undefined
    return code
  }

  async pause(n: number, ms: number): Promise<void> {
    const pid = this.#instances[n]?.pid
    if (pid === undefined) return
    this.#paused.add(n)
    process.kill(pid, "SIGSTOP")
    await sleep(ms)
    this.#paused.delete(n)
    if (this.#instances[n]?.pid === pid) process.kill(pid, "SIGCONT") // else: killed meanwhile
  }

  /** @returns A login as the database's superuser; whoever takes it ends it. */
  async superuser(): Promise<pg.Client> {
    const { superuser } = this.#server
    if (superuser === undefined) throw new Error("not an embedded database")
    for (let tries = 1; ; tries++) {
      try {
        return await logIn(this.#database, superuser, { connectionTimeoutMillis: LOGIN_MS })
      } catch (error) {
        if (tries === LOGIN_TRIES) throw error // else it was cut
      }
    }
  }

  /** From now on the superuser logs in there. */
  movedTo(socketFolder: string): void {
    this.#database = { socketFolder, database: EMBEDDED_DATABASE }
  }

  /** @returns The id of a new tenant. */
  async tenant(name: string, plan?: string): Promise<string> {
    const { id } = await this.admin.asOperator((tx) =>
      ensureTenant(tx, this.#keyring, name, "test", plan),
    )
    return id
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.map((_, n) => this.kill(n)))
    await this.#server.close()
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}

function socketFolderOf(address: Address): string {
  if (!("socketFolder" in address)) throw new Error("not an embedded database")
  return address.socketFolder
}
