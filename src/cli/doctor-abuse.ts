/** Check of what detectors found in the last day, in a running database; it only reads. */
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { readDatabaseUrl } from "../db/address.ts"
import type { Address } from "../db/connection.ts"
import { credentials, runStatement, withClient } from "../db/connection.ts"
import { folderOf, socketFolder } from "../db/embedded/folder.ts"
import { findPostmaster } from "../db/embedded/postmaster.ts"
import { checkOwn, EMBEDDED_DATABASE } from "../db/setup.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { ok, warn } from "./doctor-check.ts"
import { openSecrets } from "./open-secrets.ts"

const CHECK = "abuse"

export async function checkAbuse(config: Config): Promise<Diagnosis> {
  if (config.databaseUrl !== undefined) {
    const { address, database } = readDatabaseUrl(config.databaseUrl)
    return look(config, address(database))
  }
  const folder = folderOf(config.dataDir)
  if ((await findPostmaster(folder))?.status !== "ready") {
    return ok(CHECK, "not looked at: the embedded database does not run")
  }
  using socket = socketFolder(folder)
  return await look(config, { socketFolder: socket.path, database: EMBEDDED_DATABASE })
}

interface Counts {
  readonly findings: number
  readonly throttles: number
}

async function look(config: Config, address: Address): Promise<Diagnosis> {
  const secrets = openSecrets(config)
  try {
    await checkOwn(address, secrets)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return ok(CHECK, "not looked at: the database does not answer, or is not up to date")
  }
  const login = await credentials(secrets, "zt_migrate")
  return withClient(address, login, async (client) => {
    const { rows } = await runStatement<Counts>(
      client,
      `select sum(findings)::int as findings, sum(throttles)::int as throttles from (
          select (select count(*) from live.finding
              where last_at > now() - interval '1 day' and dismissed_at is null) as findings,
            (select count(*) from live.throttle) as throttles
          union all
          select (select count(*) from sandbox.finding
              where last_at > now() - interval '1 day' and dismissed_at is null),
            (select count(*) from sandbox.throttle)) c`,
    )
    return diagnose(rows[0] ?? { findings: 0, throttles: 0 })
  })
}

export function diagnose({ findings, throttles }: Counts): Diagnosis {
  if (findings === 0 && throttles === 0) return ok(CHECK, "nothing suspicious in the last day")
  const message = `${findings} suspicious ${findings === 1 ? "thing" : "things"} in the last day, ${throttles} throttled ${throttles === 1 ? "key" : "keys"}`
  return warn(CHECK, message, "See: bin/zygentrust abuse list")
}
