/**
 * What the program was started with. The only reader of `process.env`.
 *
 * Owns: secrets that were put into the environment, where others may read them for as long as the
 * process lives (`/proc/PID/environ`). bin/zygentrust takes them out before Node starts and hands
 * them over through a pipe, one `NAME=value` a line.
 * Invariant: what `readEnvironment` gives was in this process's environment, or in that pipe.
 */
import { closeSync, readFileSync } from "node:fs"
import { Problem } from "./core/problem.ts"

export type Environment = Readonly<Record<string, string | undefined>>

/** Names the pipe's descriptor. */
const HAND_OVER = "ZT_SECRETS_FD"
/** As in bin/zygentrust; the last is one where it holds a login. */
const SECRETS = ["ZT_PASSPHRASE", "ZT_ADMIN_DATABASE_URL", "ZT_SMTP_URL", "ZT_DATABASE_URL"]
const LOGIN = /@|password=/
/** What writes memory or the keys of connections to a file, or opens memory to whoever connects. */
const OPENS_MEMORY = /^--(inspect|heap[-_]?prof|heapsnapshot|abort[-_]on[-_]uncaught|tls[-_]keylog)/

let handedOver: Environment | undefined

/** @returns The environment with what was handed over. @throws Problem `INVALID_SETTING` */
export function readEnvironment(): Environment {
  const { [HAND_OVER]: _, ...environment } = process.env
  return { ...environment, ...takeOver() }
}

/** @returns Names of the secrets that were taken out of the environment. @throws Problem */
export function takenSecrets(): string[] {
  return Object.keys(takeOver())
}

/**
 * Starts bin/zygentrust in place of this process, when this one was started without it and has
 * secrets in its environment.
 * @param program - Path of bin/zygentrust, which takes them out.
 */
export function leaveExposed(program: string, argv: readonly string[]): void {
  if (process.env[HAND_OVER] !== undefined) return // from there already
  const exposed = SECRETS.some((name) => {
    const value = process.env[name] ?? ""
    return name === "ZT_DATABASE_URL" ? LOGIN.test(value) : value !== ""
  })
  if (exposed) process.execve?.(program, [program, ...argv], process.env)
}

/** @returns Options of Node, however they were given, under which its memory is open to others. */
export function memoryOptions(): string[] {
  const words = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/[\s"]+/)]
  return words.filter((word) => OPENS_MEMORY.test(word))
}

/** Read once: the pipe is empty afterwards. */
function takeOver(): Environment {
  if (handedOver !== undefined) return handedOver
  const descriptor = Number(process.env[HAND_OVER])
  if (!(descriptor > 2)) return {}
  const lines = readFileSync(descriptor, "utf8").split("\n").filter(Boolean)
  closeSync(descriptor)
  handedOver = Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
      if (name !== undefined && SECRETS.includes(name)) return [name, value]
      throw new Problem("INVALID_SETTING", {
        message: `A secret in the environment (${SECRETS.join(", ")}) holds a line break: name a file with it in the same variable with _FILE.`,
      })
    }),
  )
  return handedOver
}
