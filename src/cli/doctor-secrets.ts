/**
 * Checks of the data folder's secrets: none is empty or damaged, none that a start needs is gone.
 * Their texts are never shown.
 */
import { access } from "node:fs/promises"
import type { Config } from "../config.ts"
import { exposedFiles } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { folderOf } from "../db/embedded/folder.ts"
import type { Environment } from "../environment.ts"
import type { SecretName } from "../secrets/store.ts"
import { SECRET_NAMES } from "../secrets/store.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"
import { openSecrets } from "./open-secrets.ts"
import { hasForm } from "./secret-form.ts"

const CHECK = "secrets"

export async function checkSecrets(config: Config): Promise<Diagnosis[]> {
  const secrets = openSecrets(config)
  const gone: SecretName[] = []
  const look = async (name: SecretName): Promise<Diagnosis | undefined> => {
    try {
      const text = await secrets.get(name)
      if (text === undefined) gone.push(name)
      if (text === undefined || (await hasForm(name, text))) return undefined
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return fail(CHECK, error.message, "")
    }
    return fail(
      CHECK,
      `'${name}' is damaged`,
      name === "verdict-key" || name === "authority-key"
        ? `Restore it from a backup, or run: bin/zygentrust secrets rotate ${name} --now`
        : "Restore it from a backup.",
    )
  }
  const damaged = (await Promise.all(SECRET_NAMES.map(look))).filter((one) => one !== undefined)
  const said = new Map(damaged.map((one) => [one.message, one])) // a store that is shut says it once
  const found = [...said.values(), ...(await missing(gone, config))]
  return found.length > 0 ? found : [ok(CHECK, "whole, or made when they are needed")]
}

/** Of the settings that name a file with a secret. */
export async function checkSecretFiles(environment?: Environment): Promise<Diagnosis[]> {
  return exposedFiles(environment).map((message) =>
    warn("secret files", message, "Where a container mounts it so, set its mode there."),
  )
}

/** What a start cannot do without; it makes keys itself, and all else beside a new cluster. */
async function missing(gone: readonly SecretName[], config: Config): Promise<Diagnosis[]> {
  const list = SECRET_NAMES.filter((name) => name.startsWith("zt_") && gone.includes(name)).join(
    ", ",
  )
  if (config.databaseUrl !== undefined) {
    const advice =
      "Copy secrets.age and identity.txt from the data folder that the database was set up from, or set it up: 'bin/zygentrust migrate --bootstrap'."
    return list === "" ? [] : [fail(CHECK, `missing: ${list}`, advice)]
  }
  const hasCluster = await access(folderOf(config.dataDir).data).then(
    () => true,
    () => false,
  )
  if (!hasCluster) return []
  if (gone.includes("superuser-password")) {
    const advice = "Restore it from a backup of the data folder."
    return [fail(CHECK, "missing: superuser-password", advice)]
  }
  return list === "" ? [] : [warn(CHECK, `missing: ${list}`, "The next start makes new ones.")]
}
