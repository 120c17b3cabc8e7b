/** `zygentrust backup [FILE]` and `backup verify FILE`: an encrypted copy of all, and whether it is good. */
import { dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import type { Made } from "../backup/make.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"

export const help = `Usage: zygentrust backup [FILE]
       zygentrust backup verify FILE [--tenant-keys FILE] [--deployment ID]

Writes everything of this deployment, encrypted to its identity, into FILE: the
database as it is at one moment, and the secrets its rows are sealed with. Without
FILE, into ZT_BACKUP_DIR, named by the time. tenant-keys.age beside it holds what
opens the tenants' data; keep it with the backups, and replace copies of it whenever
you copy a backup: an erased tenant is gone from all backups only then.

verify   Restores FILE into a scratch database in the data folder, compares every
         table with what was backed up, and throws it away.

The server may run meanwhile. Whoever has FILE, tenant-keys.age and the identity can
restore it anywhere: zygentrust restore. Without the identity nobody can, so keep a
copy of that elsewhere: docs/backup.md.

Example
  zygentrust backup /mnt/elsewhere/zygentrust.age`

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { "tenant-keys": { type: "string" }, deployment: { type: "string" } },
    allowPositionals: true,
  })
  const [first, second, ...rest] = positionals
  if (first === "verify") {
    if (second === undefined || rest.length > 0) throw wrongUsage("backup verify takes one file")
    return verify(resolve(second), values["tenant-keys"], values.deployment, cli)
  }
  if (second !== undefined) throw wrongUsage("backup takes one file")
  if (Object.keys(values).length > 0) throw wrongUsage("only backup verify takes options")
  return make(first, cli)
}

async function make(named: string | undefined, cli: Cli): Promise<ExitCode> {
  const { backupDir } = cli.config
  const { backupName, pruneBackups } = await import("../backup/folder.ts")
  if (named === undefined && backupDir === undefined) {
    throw wrongUsage("say where to: a FILE, or a folder in ZT_BACKUP_DIR")
  }
  const file = resolve(named ?? join(backupDir ?? "", backupName(new Date())))
  const { withBackups } = await import("./with-backups.ts")
  const made = await withBackups(cli, async (opened) => {
    const { takeBackup } = await import("../backup/take.ts")
    const { commandActor } = await import("../keys/keys.ts")
    const { backupProgress } = await import("./backup-progress.ts")
    const shown = backupProgress(cli)
    try {
      return await takeBackup({
        ...opened,
        file,
        actor: commandActor(),
        progress: shown.step,
      })
    } finally {
      shown.end()
    }
  })
  if (named === undefined) await pruneBackups(dirname(file), cli.config.backupKeep, new Date())
  await say(made, cli)
  return 0
}

async function say({ file, bytes, tables, rows, at, deployment }: Made, cli: Cli): Promise<void> {
  if (cli.json) {
    cli.out(JSON.stringify({ file, bytes, tables, rows, at, deployment }))
    return
  }
  const { sizeText } = await import("./backup-progress.ts")
  cli.out(`${file}: ${sizeText(bytes)}, ${rows} rows of ${tables} tables as of ${at}.`)
  cli.out(`Deployment ${deployment}. Its tenants' keys lie beside it, in tenant-keys.age.`)
}

async function verify(
  file: string,
  seeds: string | undefined,
  deployment: string | undefined,
  cli: Cli,
): Promise<ExitCode> {
  const [{ identitySource }, { drill, identityFor }, { backupProgress }] = await Promise.all([
    import("./open-secrets.ts"),
    import("../backup/restore.ts"),
    import("./backup-progress.ts"),
  ])
  const { dataDir } = cli.config
  const { identity } = await identityFor(dataDir, identitySource(cli.config, cli.signal))
  const shown = backupProgress(cli)
  const { header, tables, rows, erased } = await drill({
    dataDir,
    identity,
    file,
    seeds,
    deployment,
    actor: "drill",
    signal: cli.signal,
    progress: shown.step,
  }).finally(() => shown.end())
  if (cli.json) {
    cli.out(JSON.stringify({ file, at: header.at, tables: tables.length, rows, erased }))
    return 0
  }
  cli.out(`${file} restores: ${rows} rows of ${tables.length} tables as of ${header.at}.`)
  return 0
}
