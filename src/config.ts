/**
 * Settings: the environment → one frozen Config.
 *
 * A variable that begins with `ZT_` and is not in the table (settings.ts), or a value that does not
 * parse, stops the start by name.
 */
import { readFileSync, statSync } from "node:fs"
import type { z } from "zod"
import { Problem } from "./core/problem.ts"
import { codeOf } from "./core/thrown.ts"
import type { Environment } from "./environment.ts"
import { readEnvironment } from "./environment.ts"
import { SETTINGS } from "./settings.ts"

export type Config = {
  readonly [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]["schema"]>
}

/**
 * Reads and checks every setting.
 * @throws Problem `INVALID_SETTING` that names the variable.
 */
export function readConfig(environment: Environment = readEnvironment()): Config {
  const names = new Set<string>()
  const config: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(SETTINGS)) {
    names.add(entry.name)
    let text = environment[entry.name]
    if ("file" in entry) {
      names.add(`${entry.name}_FILE`)
      text ??= readSecretFile(`${entry.name}_FILE`, environment[`${entry.name}_FILE`])
    }
    const result = entry.schema.safeParse(text ?? entry.fallback)
    if (!result.success)
      throw invalid(entry.name, result.error.issues[0]?.message ?? "is not valid")
    config[key] = result.data
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith("ZT_") && !names.has(name)) {
      throw invalid(name, "is not a setting; docs/configuration.md lists them")
    }
  }
  if ((config["tlsCertFile"] === undefined) !== (config["tlsKeyFile"] === undefined)) {
    throw invalid("ZT_TLS_CERT_FILE", "and ZT_TLS_KEY_FILE go together: set both or neither")
  }
  if ((config["smtpUrl"] === undefined) !== (config["mailFrom"] === undefined)) {
    const [there, missing] =
      config["smtpUrl"] === undefined
        ? ["ZT_MAIL_FROM", "ZT_SMTP_URL"]
        : ["ZT_SMTP_URL", "ZT_MAIL_FROM"]
    throw invalid(there, `and ${missing} go together: set both or neither`)
  }
  return Object.freeze(config) as Config
}

/**
 * @param settings - Values by variable name, such as a lab's.
 * @returns The configuration with these in place of its own.
 * @throws Problem `INVALID_SETTING` that names the variable.
 */
export function withSettings(config: Config, settings: Environment): Config {
  const given = readConfig(settings)
  const replaced = Object.entries(SETTINGS)
    .filter(([, { name }]) => settings[name] !== undefined)
    .map(([key]) => [key, given[key as keyof Config]])
  return Object.freeze({ ...config, ...Object.fromEntries(replaced) })
}

/** @returns One sentence for each `_FILE` that others than its reader may read. */
export function exposedFiles(environment: Environment = readEnvironment()): string[] {
  return Object.values(SETTINGS).flatMap((entry) => {
    const name = `${entry.name}_FILE`
    const file = "file" in entry ? environment[name] : undefined
    const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
    if (found === undefined) return []
    // Whose file it is not reads it by its group, as a container's or systemd's.
    const others = found.uid === process.getuid?.() ? 0o077 : 0o007
    if ((found.mode & others) === 0) return []
    const mode = (found.mode & 0o777).toString(8)
    return [`${name} names a file that others may read (mode ${mode}): run 'chmod 600' on it.`]
  })
}

function readSecretFile(name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, "utf8").trim()
  } catch (cause) {
    // Not the path itself: a secret put there by mistake would be shown.
    throw invalid(name, `names no file that can be read (${codeOf(cause) ?? "unknown"})`, cause)
  }
}

function invalid(name: string, what: string, cause?: unknown): Problem {
  return new Problem("INVALID_SETTING", { message: `${name} ${what}`, cause })
}
