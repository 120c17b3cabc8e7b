/**
 * Check of the walls in a running deployment: roles, privileges, row security and service paths
 * are as documented (claims A2, I1, I2). It reads the catalog as zt_migrate, and nothing else.
 */
import type { Config } from "../config.ts"
import type { Finding } from "../controls/finding.ts"
import { checkPrivileges } from "../controls/privileges.ts"
import { checkRowSecurity } from "../controls/row-security.ts"
import { checkServicePaths } from "../controls/service-paths.ts"
import { Problem } from "../core/problem.ts"
import { readDatabaseUrl } from "../db/address.ts"
import type { Address } from "../db/connection.ts"
import { credentials, withClient } from "../db/connection.ts"
import { folderOf, socketFolder } from "../db/embedded/folder.ts"
import { findPostmaster } from "../db/embedded/postmaster.ts"
import { checkOwn, EMBEDDED_DATABASE } from "../db/setup.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"
import { openSecrets } from "./open-secrets.ts"

const CHECK = "privileges"
const UNDO = "Somebody changed the database by hand: find out who, and undo it."
const WEAKER = "The administrator who set it up is no superuser; one can change it."
/** Of each kind; the rest is counted. */
const SHOWN = 5

export async function checkPrivilegesOf(config: Config): Promise<Diagnosis[]> {
  if (config.databaseUrl !== undefined) {
    const { address, database } = readDatabaseUrl(config.databaseUrl)
    return look(config, address(database))
  }
  const folder = folderOf(config.dataDir)
  if ((await findPostmaster(folder))?.status !== "ready") {
    return [ok(CHECK, "not looked at: the embedded database does not run")]
  }
  using socket = socketFolder(folder)
  return await look(config, { socketFolder: socket.path, database: EMBEDDED_DATABASE })
}

async function look(config: Config, address: Address): Promise<Diagnosis[]> {
  const secrets = openSecrets(config)
  try {
    await checkOwn(address, secrets)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return [ok(CHECK, "not looked at: the database does not answer, or is not up to date")]
  }
  const login = await credentials(secrets, "zt_migrate")
  const findings = await withClient(address, login, async (client) => [
    ...(await checkRowSecurity(client)),
    ...(await checkServicePaths(client)),
    ...(await checkPrivileges(client)),
  ])
  return diagnose(findings)
}

/** @returns One diagnosis where all is well, else one a finding. */
export function diagnose(findings: readonly Finding[]): Diagnosis[] {
  const weaknesses = findings.filter(({ isWeakness }) => isWeakness)
  const breaches = findings.filter(({ isWeakness }) => !isWeakness)
  if (findings.length === 0) return [ok(CHECK, "each role's are as docs/privileges.md says")]
  return [
    ...shown(breaches).map((text, at) => fail(CHECK, text, at === 0 ? UNDO : "")),
    ...shown(weaknesses).map((text, at) => warn(CHECK, text, at === 0 ? WEAKER : "")),
  ]
}

function shown(findings: readonly Finding[]): string[] {
  const texts = findings.map(({ subject, message }) => `${subject}: ${message}`)
  const more = texts.length - SHOWN
  return more > 0 ? [...texts.slice(0, SHOWN), `and ${more} more`] : texts
}
