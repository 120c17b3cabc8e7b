/** `zygentrust restore FILE`: a backup becomes a deployment, in an empty place. */
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import type { OwnServer, Restored } from "../backup/restore.ts"
import { Problem } from "../core/problem.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"

export const help = `Usage: zygentrust restore FILE [--tenant-keys FILE] [--deployment ID]

Makes the deployment that FILE is a backup of, in an empty data folder (ZT_DATA_DIR):
its embedded database, keys, tenants and secrets. With ZT_DATABASE_URL and
ZT_ADMIN_DATABASE_URL, the database goes into that server instead, which must not hold
a deployment. All of it is put into place, or nothing.

The identity that opens FILE is the deployment's: in the file that ZT_IDENTITY_FILE
names, or identity.txt in the data folder.

--tenant-keys FILE  the tenants' keys; by default tenant-keys.age beside FILE. A later
                    one than FILE is right: tenants erased since stay erased.
--deployment ID     whose backup it must be, where the identity is that of a further
                    recipient (ZT_BACKUP_RECIPIENTS). 'zygentrust backup' shows the id.

Example
  ZT_DATA_DIR=/srv/zygentrust ZT_IDENTITY_FILE=/media/key/identity.txt \\
    zygentrust restore /mnt/elsewhere/zygentrust.age`

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { "tenant-keys": { type: "string" }, deployment: { type: "string" } },
    allowPositionals: true,
  })
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) throw wrongUsage("restore takes one file")
  const [{ restore }, { identitySource }, { commandActor }, { backupProgress }] = await Promise.all(
    [
      import("../backup/restore.ts"),
      import("./open-secrets.ts"),
      import("../keys/keys.ts"),
      import("./backup-progress.ts"),
    ],
  )
  const seeds = values["tenant-keys"]
  const server = ownServer(cli)
  const shown = backupProgress(cli)
  const restored = await restore({
    dataDir: cli.config.dataDir,
    identity: identitySource(cli.config, cli.signal),
    ...(server && { server }),
    file: resolve(file),
    seeds: seeds === undefined ? undefined : resolve(seeds),
    deployment: values.deployment,
    actor: commandActor(),
    signal: cli.signal,
    progress: shown.step,
  }).finally(() => shown.end())
  say(restored, cli)
  return 0
}

function ownServer({ config: { databaseUrl, adminDatabaseUrl } }: Cli): OwnServer | undefined {
  if (databaseUrl === undefined) return undefined
  if (adminDatabaseUrl === undefined) {
    throw new Problem("INVALID_SETTING", {
      message: "ZT_ADMIN_DATABASE_URL is missing: an administrator's address, for making roles.",
    })
  }
  return { databaseUrl, adminDatabaseUrl }
}

function say(restored: Restored | undefined, cli: Cli): void {
  const { dataDir } = cli.config
  if (restored === undefined) {
    if (cli.json) cli.out(JSON.stringify({ data_dir: dataDir, resumed: true }))
    else cli.out(`The restore into ${dataDir} that was interrupted at its end is whole now.`)
    return
  }
  const { header, tables, rows, erased, migrated } = restored
  if (cli.json) {
    const { at, program } = header
    const document = {
      data_dir: dataDir,
      at,
      program,
      tables: tables.length,
      rows,
      erased,
      migrated,
    }
    cli.out(JSON.stringify(document))
    return
  }
  cli.out(`Restored into ${dataDir}: ${rows} rows of ${tables.length} tables as of ${header.at}.`)
  if (erased > 0) {
    cli.out(
      `Of ${erased} tenants that were erased, nothing can be read, and their keys do not work.`,
    )
  }
  for (const name of migrated) cli.out(`Applied ${name}.`)
  cli.out("Start it with the same settings: bin/zygentrust start")
}
