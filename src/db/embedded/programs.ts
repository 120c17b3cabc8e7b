/**
 * Runs PostgreSQL's programs, which refuse to run as root: for root, in a user namespace where
 * the same user is nobody. The files stay root's, so a checkout or a data folder that only root
 * may enter works too.
 */
import type { ChildProcess, StdioOptions } from "node:child_process"
import { spawn } from "node:child_process"
import { Problem } from "../../core/problem.ts"

const NOBODY = 65_534
const UNSHARE = "/usr/bin/unshare"
/** Their messages are read, so they are English; and nothing of our environment reaches them. */
const ENVIRONMENT = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" }

/** Starts a program in a session of its own, so that Ctrl-C does not reach it. */
export function startProgram(
  path: string,
  args: readonly string[],
  stdio: StdioOptions,
): ChildProcess {
  const [command, ...words] =
    process.getuid?.() === 0
      ? [UNSHARE, "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, path, ...args]
      : [path, ...args]
  return spawn(command, words, { stdio, detached: true, env: ENVIRONMENT, cwd: "/" })
}

/** @returns A Problem `PLATFORM` when a program could not even begin, by what it left as output. */
export function platformProblem(output: string): Problem | undefined {
  const namespace = /^unshare: .*$/m.exec(output)?.[0]
  if (namespace !== undefined) {
    return new Problem("PLATFORM", {
      message: `PostgreSQL does not run as root, and this system does not let root leave that role (${namespace}). Run this as an ordinary user.`,
    })
  }
  const library = /error while loading shared libraries: (\S+?):/.exec(output)?.[1]
  if (library !== undefined) {
    return new Problem("PLATFORM", {
      message: `The embedded PostgreSQL needs ${library}: install it, or set ZT_DATABASE_URL to a server of your own.`,
    })
  }
  const memory =
    /could not (?:create|resize|map|open) (?:any )?(?:anonymous )?shared memory.*/.exec(output)?.[0]
  if (memory !== undefined) {
    return new Problem("PLATFORM", {
      message: `The embedded PostgreSQL gets no shared memory (${memory}): give this machine or container more.`,
    })
  }
  return undefined
}

/** @returns A Problem `PLATFORM` for a program that could not be started at all. */
export function startFailure(path: string, cause: Error): Problem {
  return new Problem("PLATFORM", {
    message: `${path} cannot be run: ${cause.message}. Run 'npm ci' again, or run this as an ordinary user.`,
    cause,
  })
}
