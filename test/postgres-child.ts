/** Starts `postgres-program.ts`, in whatever circumstances, and talks to it. */
import type { SpawnOptions } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { dirname, join, relative } from "node:path"
import { createInterface } from "node:readline"

const CHECKOUT = dirname(import.meta.dirname)
const NODE = relative(CHECKOUT, process.execPath)

export interface Said {
  readonly ready?: string
  readonly migrated?: number
  readonly problem?: string
  readonly message?: string
  readonly count?: number
  readonly kept?: string
}

export interface Child {
  readonly pid: number
  /** Names of tenants whose making was acknowledged so far. */
  readonly kept: readonly string[]
  /** Its next answer, besides what was kept; rejects when it ends without one. */
  answer(): Promise<Said>
  ask(command: "write" | "count"): void
  kill(): Promise<void>
  /** Lets it close and end. */
  end(): Promise<number | null>
}

export interface ChildOptions extends Pick<SpawnOptions, "uid" | "gid"> {
  /** Words before the program's own, like `unshare --mount`. */
  readonly prefix?: readonly string[]
  readonly embeddedPackage?: string
  /** A copy of the checkout to run from. */
  readonly checkout?: string
}

export function startChild(dataDir: string, options: ChildOptions = {}): Child {
  const { prefix = [], embeddedPackage, checkout = CHECKOUT, ...spawnOptions } = options
  const [command = "", ...args] = [
    ...prefix,
    join(checkout, NODE),
    join(checkout, "test/postgres-program.ts"),
    dataDir,
    ...(embeddedPackage === undefined ? [] : [embeddedPackage]),
  ]
  const child = spawn(command, args, { ...spawnOptions, stdio: ["pipe", "pipe", "inherit"] })
  const exit = once(child, "exit")
  const kept: string[] = []
  const answers: Said[] = []
  let wake = () => {}
  const lines = createInterface(child.stdout)
  lines.on("line", (line) => {
    const said: Said = JSON.parse(line)
    if (said.kept !== undefined) kept.push(said.kept)
    else answers.push(said)
    wake()
  })
  let over = false
  lines.on("close", () => {
    over = true
    wake()
  })
  child.stdin.on("error", () => {}) // it was killed
  return {
    pid: child.pid ?? 0,
    kept,
    async answer() {
      for (;;) {
        const said = answers.shift()
        if (said !== undefined) return said
        if (over) throw new Error("the program ended without an answer")
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    ask: (line) => void child.stdin.write(`${line}\n`),
    async kill() {
      child.kill("SIGKILL")
      await exit
    },
    async end() {
      child.stdin.end()
      const [code] = await exit
      return code
    },
  }
}
