/**
 * How this machine is looked at: files of /proc and /sys, links, and a few programs.
 *
 * Owns: reading, without judging. Whatever cannot be read is undefined; nothing here throws.
 */
import { execFile } from "node:child_process"
import { readdir, readFile, realpath } from "node:fs/promises"

export interface Machine {
  /** As `process.platform` says it. */
  readonly platform: string
  text(path: string): Promise<string | undefined>
  /** Names in a folder; none where there is no such folder. */
  names(folder: string): Promise<readonly string[]>
  /** The path behind links. */
  real(path: string): Promise<string | undefined>
  /** @returns What a program prints; undefined where it is missing, fails, or takes too long. */
  run(program: string, ...args: readonly string[]): Promise<string | undefined>
}

const PROGRAM_TIMEOUT_MS = 5_000
/** Tools for file systems are not in everybody's PATH. */
const ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin" }

export const thisMachine: Machine = {
  platform: process.platform,
  text: (path) => readFile(path, "utf8").catch(() => undefined),
  names: (folder) => readdir(folder).catch(() => []),
  real: (path) => realpath(path).catch(() => undefined),
  run: (program, ...args) =>
    new Promise((resolve) => {
      const options = { timeout: PROGRAM_TIMEOUT_MS, env: ENVIRONMENT, cwd: "/" }
      execFile(program, args, options, (error, stdout) => resolve(error ? undefined : stdout))
    }),
}
