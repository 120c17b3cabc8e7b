/**
 * `zygentrust migrate`: brings the database up to date; `--bootstrap` sets up one of one's own, and
 * `--drop` takes it out again.
 */
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"

export const help = `Bring the database up to date, or set up one of your own.

Usage: zygentrust migrate [--bootstrap | --drop --confirm DATABASE]

The embedded database needs neither: a start makes and migrates it. For a PostgreSQL
of your own (15 or later), in ZT_DATABASE_URL:

  --bootstrap  once, and when a release asks for it: make the database and its roles
               as the administrator in ZT_ADMIN_DATABASE_URL (or the file named by
               ZT_ADMIN_DATABASE_URL_FILE), then migrate. The roles' passwords are
               generated into the data folder; every instance needs them.
  --drop       take the deployment out, all of its data with it, and leave the server
               as it was before --bootstrap. As the same administrator, when no
               instance runs. The database goes too if --bootstrap made it.
  --confirm    the database's name, so that no other is meant

Migrations are safe while older instances run.

Example
  ZT_DATABASE_URL=postgresql://db.example/zygentrust \\
  ZT_ADMIN_DATABASE_URL_FILE=/run/secrets/postgres zygentrust migrate --bootstrap`

/** @throws Problem `DATABASE`, `INVALID_SETTING` and what opening the embedded server throws. */
export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const options = {
    bootstrap: { type: "boolean", default: false },
    drop: { type: "boolean", default: false },
    confirm: { type: "string" },
  } as const
  const { bootstrap, drop, confirm } = parseArgs({ args: argv, options }).values
  if (drop && bootstrap) throw wrongUsage("--bootstrap or --drop, not both")
  if (!drop && confirm !== undefined) throw wrongUsage("--confirm is for --drop")
  if (drop) return takeOut(cli, confirm)
  const { databaseUrl, adminDatabaseUrl } = cli.config
  const { openSecrets } = await import("./open-secrets.ts")
  const secrets = openSecrets(cli.config, cli.signal)
  if (databaseUrl === undefined) {
    const { openServer } = await import("../db/server.ts")
    const server = await openServer(cli.config, secrets)
    await server.close()
    say(cli, server)
    return 0
  }
  const { bootstrapOwn, migrateOwn } = await import("../db/setup.ts")
  if (!bootstrap) {
    say(cli, await migrateOwn(databaseUrl, secrets))
    return 0
  }
  if (adminDatabaseUrl === undefined) throw noAdministrator("making")
  const result = await bootstrapOwn(databaseUrl, adminDatabaseUrl, secrets)
  // Instances get a copy of this folder's secrets, and are to sign with one key.
  const { generateVerdictKey } = await import("../engine/attestation.ts")
  await secrets.getOrCreate("verdict-key", generateVerdictKey)
  if (result.weaknesses.length > 0) {
    cli.err(
      `Isolation is weaker than it could be: this administrator could not take from all roles ${result.weaknesses.join(", ")}. A superuser can.`,
    )
  }
  say(cli, result)
  return 0
}

async function takeOut(cli: Cli, confirm: string | undefined): Promise<ExitCode> {
  const { dataDir, databaseUrl, adminDatabaseUrl } = cli.config
  if (databaseUrl === undefined) {
    throw new Problem("INVALID_SETTING", {
      message: `ZT_DATABASE_URL is missing. The embedded database lies in the data folder: stop the program and remove ${dataDir}.`,
    })
  }
  if (adminDatabaseUrl === undefined) throw noAdministrator("dropping")
  const { readDatabaseUrl } = await import("../db/address.ts")
  const { database } = readDatabaseUrl(databaseUrl)
  if (confirm !== database) {
    throw wrongUsage(
      `this takes out the deployment in '${database}', all of its data with it, for good: say so by --confirm ${database}`,
    )
  }
  const { dropOwn } = await import("../db/setup.ts")
  const dropped = await dropOwn(databaseUrl, adminDatabaseUrl)
  if (cli.json) cli.out(JSON.stringify({ dropped: database, ...dropped }))
  else {
    cli.out(`Dropped the roles ${dropped.roles.join(", ")}, and all that they owned.`)
    cli.out(
      dropped.database
        ? `Dropped the database '${database}'. The server is as it was.`
        : `The database '${database}' stays: it was there before, or holds what others made. The server is as it was.`,
    )
    cli.out(`The secrets in ${dataDir} are still there.`)
  }
  return 0
}

function noAdministrator(what: string): Problem {
  return new Problem("INVALID_SETTING", {
    message: `ZT_ADMIN_DATABASE_URL is missing: an administrator's address, for ${what} roles.`,
  })
}

interface Result {
  readonly version: string
  readonly migrated: readonly string[]
  /** Only after a bootstrap. */
  readonly weaknesses?: readonly string[]
}

function say(cli: Cli, { version, migrated, weaknesses }: Result): void {
  if (cli.json) {
    cli.out(JSON.stringify({ postgres: version, migrated, weaknesses }))
    return
  }
  if (weaknesses !== undefined) cli.out("Roles are set up.")
  for (const name of migrated) cli.out(`Applied ${name}.`)
  cli.out(`The database (PostgreSQL ${version}) is up to date.`)
}
