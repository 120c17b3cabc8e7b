/**
 * A deployment that is killed and comes back: the real program, an operator's, their database,
 * and clients that ask all the time. What is acknowledged goes into the ledger.
 *
 * Invariant: whatever ends without having been killed, or does not come back by itself, throws.
 */
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { Agent } from "node:https"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { ROOT } from "../../src/settings.ts"
import { fastFolder } from "../fast-folder.ts"
import { askOver, environment, PROGRAM, runCommand } from "../program.ts"
import type { Ledger } from "./ledger.ts"

const PATIENCE_MS = 30_000
const STOP_MS = 3_000
const CLIENTS = 2
const RETRY_MS = 5
/** Where bin/zygentrust keeps it too. */
const COMPILED = join(ROOT, "node_modules/.cache/zygentrust")
const OPERATOR_PROGRAM = join(import.meta.dirname, "operator-program.ts")

/** A resolver that is not there: the machine that runs this may have one or none. */
const SETTINGS = { ZT_RESOLVERS: "127.0.0.1:9", ZT_LOG_LEVEL: "silent" }

type Who = "program" | "operator"

interface Process {
  readonly child: ChildProcess
  /** Its first line; rejects when it ends before without having been killed. */
  readonly ready: Promise<string>
  readonly closed: Promise<unknown>
  killed: boolean
}

interface Keys {
  readonly good: string
  readonly revoked: string
}

export class Deployment {
  readonly dataDir: string
  readonly #ledger: Ledger
  readonly #processes = new Map<Who, Process>()
  /** How often each has acknowledged something. */
  readonly #acknowledged = { program: 0, operator: 0 }
  #secret = 1
  #agent = new Agent()
  #url: string | undefined
  #keys: Keys | undefined
  #clients: Promise<unknown> = Promise.resolve()
  #over = false
  /** What ended by itself: fatal. */
  #broken: Error | undefined

  /** With a new data folder; nothing is started. */
  constructor(ledger: Ledger) {
    this.dataDir = fastFolder("zt-kills-")
    this.#ledger = ledger
    process.once("SIGTERM", () => {
      this.#remove()
      process.exit(1)
    })
  }

  /** A deployment with a good and a revoked key, and clients that ask. */
  static async begin(ledger: Ledger): Promise<Deployment> {
    const deployment = new Deployment(ledger)
    const { keys } = JSON.parse(await deployment.begun("program"))
    const command = async (...args: string[]) => {
      const env = environment(deployment.dataDir, SETTINGS)
      const { stdout, stderr } = await runCommand(["keys", ...args, "--json"], env)
      if (stdout === "") throw new Error(stderr)
      return JSON.parse(stdout)
    }
    const more = await command("issue", "--tenant", "default", "--environment", "test")
    await command("revoke", more.id)
    deployment.#keys = { good: keys.test, revoked: more.key }
    deployment.#clients = Promise.all(Array.from({ length: CLIENTS }, () => deployment.#ask()))
    return deployment
  }

  /** Starts what was killed, and waits until both have acknowledged something new. */
  async up(): Promise<void> {
    await Promise.all((["program", "operator"] as const).map((who) => this.begun(who)))
    const before = { ...this.#acknowledged }
    const end = performance.now() + PATIENCE_MS
    const waits = () =>
      before.program === this.#acknowledged.program ||
      before.operator === this.#acknowledged.operator
    while (waits()) {
      if (this.#broken !== undefined) throw this.#broken
      if (performance.now() > end) throw new Error("nothing is acknowledged any more")
      await sleep(RETRY_MS)
    }
  }

  /** Starts it if it does not run. @returns Its first line. */
  async begun(who: Who): Promise<string> {
    const found = this.#processes.get(who)
    const { ready } = found === undefined || found.killed ? this.start(who) : found
    return ready
  }

  start(who: Who): Process {
    const child = who === "program" ? this.#spawnProgram() : this.#spawnOperator()
    let stderr = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    promise.catch(() => {}) // it may be killed before anybody waits
    const closed = once(child, "close")
    const one: Process = { child, ready: promise, closed, killed: false }
    let first = true
    lines.on("line", (line) => {
      if (!first) return this.#note(JSON.parse(line))
      first = false
      if (who === "program") this.#reach(JSON.parse(line).url, JSON.parse(line).ca)
      resolve(line)
    })
    child.on("close", (code, signal) => {
      const error = new Error(`${who} ended with ${code ?? signal}: ${stderr}`)
      reject(error)
      if (!one.killed && !this.#over) this.#broken ??= error
    })
    this.#processes.set(who, one)
    return one
  }

  #spawnProgram(): ChildProcess {
    const env = environment(this.dataDir, SETTINGS)
    return spawn(PROGRAM, ["start", "--json"], { env, stdio: ["ignore", "pipe", "pipe"] })
  }

  #spawnOperator(): ChildProcess {
    // Above what was acknowledged and what was being set when the last one was killed.
    const first = String(this.#secret + 10)
    return spawn(process.execPath, [OPERATOR_PROGRAM, this.dataDir, first], {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
      stdio: ["ignore", "pipe", "pipe"],
    })
  }

  #note(said: { issued?: string; revoked?: string; secret?: number }): void {
    if (said.issued !== undefined) this.#ledger.issued(said.issued)
    if (said.revoked !== undefined) this.#ledger.revoked(said.revoked)
    if (said.secret !== undefined) {
      this.#secret = said.secret
      this.#ledger.secretSet(said.secret)
    }
    this.#acknowledged.operator++
  }

  #reach(url: string, ca: string): void {
    this.#agent.destroy()
    this.#agent = new Agent({ ca: readFileSync(ca), keepAlive: true })
    this.#url = url
  }

  /** One client: whatever is answered 200 or 401 is acknowledged. */
  async #ask(): Promise<void> {
    const { good = "", revoked = "" } = this.#keys ?? {}
    for (let n = 0; !this.#over; n++) {
      const target = n % 3 === 0 ? "/v1/usage" : "/v1/analyze?domain=approve.test"
      const key = n % 5 === 0 ? revoked : good
      try {
        if (this.#url === undefined) throw new Error("not up")
        const { status, headers } = await askOver(this.#agent, this.#url, target, { key })
        if (status !== 200 && status !== 401) throw new Error(`answered ${status}`)
        this.#ledger.answered(String(headers["x-request-id"]), status)
        this.#acknowledged.program++
      } catch {
        await sleep(RETRY_MS)
      }
    }
  }

  /** SIGKILL, and waits until what it had said is read. Harmless where it does not run. */
  async kill(who: Who): Promise<void> {
    const found = this.#processes.get(who)
    if (found === undefined || found.killed) return
    found.killed = true
    if (who === "program") this.#url = undefined
    found.child.kill("SIGKILL")
    await found.closed
    if (this.#broken !== undefined) throw this.#broken
  }

  /** Sends one request to the program that is up. @returns Its status. */
  async status(path: string, key: string): Promise<number> {
    return (await askOver(this.#agent, this.#url ?? "", path, { key })).status
  }

  /** Process numbers of every PostgreSQL process on this data folder, the postmaster first. */
  postgres(): { readonly postmaster: number | undefined; readonly all: readonly number[] } {
    const all = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
    const ours = all.filter((pid) => cwdOf(pid).startsWith(join(this.dataDir, "postgres")))
    const file = join(this.dataDir, "postgres/data/postmaster.pid")
    const postmaster = ours.find((pid) => String(pid) === firstLine(file))
    return { postmaster, all: ours }
  }

  /** Stops all, and removes the folder. */
  async end(): Promise<void> {
    this.#over = true
    this.#broken = undefined // whoever cares was told
    await Promise.all([this.kill("program"), this.kill("operator")])
    const { postmaster } = this.postgres()
    if (postmaster !== undefined) process.kill(postmaster, "SIGINT") // gives back what it shares
    const end = performance.now() + STOP_MS
    while (this.postgres().all.length > 0 && performance.now() < end) await sleep(RETRY_MS)
    this.#remove()
    this.#agent.destroy()
    await this.#clients
  }

  #remove(): void {
    for (const { child } of this.#processes.values()) child.kill("SIGKILL")
    for (const pid of this.postgres().all) killQuietly(pid)
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** It may have ended by itself meanwhile. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {}
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ""
  }
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n", 1)[0]
  } catch {
    return undefined
  }
}
