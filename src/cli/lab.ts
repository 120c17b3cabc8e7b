/**
 * `bin/zygentrust lab`, and the lab as a child of another command.
 *
 * The lab is a program of its own (lab/main.ts): nothing of it is imported here, it is run by the
 * same Node, and it ends when its standard input does, so that it cannot outlive its parent.
 */
import type { ChildProcessByStdio } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import type { Cli, ExitCode } from "./cli.ts"

export const help = `zygentrust lab: a small internet on loopback

Usage: zygentrust lab [--json]

Runs DNS, TLS, HTTP and RDAP servers of many characters (a good shop, a parked
name, a look-alike, an expired certificate…) until Ctrl-C, and prints the
settings with which the program sees them in place of the real internet.

Options
  --json   one line, {"settings": {…}}, in place of text

Examples
  zygentrust lab                              look around in it
  zygentrust analyze lindenshop.test --lab  one run, with a lab of its own
  zygentrust start --lab                      the server, with a lab of its own`

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  parseArgs({ args: argv, options: {} })
  const lab = spawnLab("inherit", cli.json ? ["--json"] : [])
  cli.signal.addEventListener("abort", () => lab.stdin.end())
  const [code] = await once(lab, "close")
  cli.signal.throwIfAborted()
  return code === 0 ? 0 : 1
}

const STOP_TIMEOUT_MS = 5_000

export interface LabProcess {
  /** Settings (`ZT_…`) with which the lab is reached. */
  readonly settings: Readonly<Record<string, string>>
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>
}

/**
 * Starts a lab that lives no longer than this process.
 * @param signal - Gives up while it starts; a lab that runs is ended by `stop` alone.
 * @throws Problem `PLATFORM` when it does not come up; what it wrote is on standard error.
 */
export async function startLabProcess(signal: AbortSignal): Promise<LabProcess> {
  const lab = spawnLab("pipe", ["--json"])
  const closed = new Promise((resolve) => lab.once("close", resolve))
  const giveUp = () => lab.kill()
  signal.addEventListener("abort", giveUp)
  const settings = readSettings(await firstLine(lab.stdout))
  signal.removeEventListener("abort", giveUp)
  if (settings === undefined) {
    lab.kill()
    signal.throwIfAborted()
    throw new Problem("PLATFORM", { message: "The lab did not start." })
  }
  return {
    settings,
    stop: async () => {
      lab.stdin.end()
      const late = setTimeout(() => lab.kill("SIGKILL"), STOP_TIMEOUT_MS)
      await closed
      clearTimeout(late)
    },
  }
}

/** Detached: in a process group of its own, Ctrl-C does not end it before what still needs it. */
function spawnLab(
  stdout: "inherit",
  options: readonly string[],
): ChildProcessByStdio<Writable, null, null>
function spawnLab(
  stdout: "pipe",
  options: readonly string[],
): ChildProcessByStdio<Writable, Readable, null>
function spawnLab(
  stdout: "inherit" | "pipe",
  options: readonly string[],
): ChildProcessByStdio<Writable, Readable | null, null> {
  const program = join(import.meta.dirname, "../../lab/main.ts")
  const child = spawn(process.execPath, [program, "--until-stdin-closes", ...options], {
    stdio: ["pipe", stdout, "inherit"],
    detached: true,
  }) as ChildProcessByStdio<Writable, Readable | null, null>
  child.stdin.on("error", () => {}) // it went away by itself
  return child
}

/** @returns `undefined` when the stream ends without a whole line. What follows is let go. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  let text = ""
  for await (const chunk of stream.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk
    const end = text.indexOf("\n")
    if (end === -1) continue
    stream.resume()
    return text.slice(0, end)
  }
  return undefined
}

function readSettings(line: string | undefined): Record<string, string> | undefined {
  const document: unknown = line === undefined ? undefined : JSON.parse(line)
  if (typeof document !== "object" || document === null) return undefined
  if (!("settings" in document) || typeof document.settings !== "object") return undefined
  const settings = Object.entries(document.settings ?? {})
  return Object.fromEntries(settings.map(([name, value]) => [name, String(value)]))
}
