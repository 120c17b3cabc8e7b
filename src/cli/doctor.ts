/**
 * `zygentrust doctor`: what is right and wrong on this machine, and what to do.
 *
 * Invariant: it only looks. It makes no folder, starts no database, writes nothing.
 */
import { parseArgs } from "node:util"
import type { Cli, ExitCode } from "./cli.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail } from "./doctor-check.ts"
import { painter } from "./paint.ts"
import { fit, plain, wrap } from "./report-text.ts"

export const help = `zygentrust doctor: what is right and wrong here, and what to do

Usage: zygentrust doctor [--json]

Looks at the runtime, the data folder and whether its disk is encrypted, the database,
its standby and who may do what in it, the secrets, backups, mail, the certificate, the
ports, the DNS resolvers and the clock. Changes nothing: it makes no folder and starts
no database.

Options
  --json   one document, {"status", "checks": [{check, status, message, advice}]}

Example
  zygentrust doctor

Exit codes: 0 when nothing fails, 1 when something does, 2 wrong usage.`

const NAME_COLUMNS = 13

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  parseArgs({ args: argv, options: {} })
  const checks = await diagnose(cli)
  const failed = checks.some(({ status }) => status === "fail")
  if (cli.json) cli.out(JSON.stringify({ status: failed ? "fail" : "ok", checks }))
  else cli.out(renderChecks(checks, cli.terminal))
  return failed ? 1 : 0
}

/** Runs all checks side by side; one that breaks is a failure of its own. */
async function diagnose({ config, signal }: Cli): Promise<Diagnosis[]> {
  const [
    machine,
    atRest,
    database,
    secrets,
    identity,
    edge,
    network,
    observer,
    runtime,
    backup,
    mail,
  ] = await Promise.all([
    import("./doctor-machine.ts"),
    import("./doctor-at-rest.ts"),
    import("./doctor-database.ts"),
    import("./doctor-secrets.ts"),
    import("./doctor-identity.ts"),
    import("./doctor-edge.ts"),
    import("./doctor-network.ts"),
    import("../engine/observe/observer.ts"),
    import("./runtime.ts"),
    import("./doctor-backup.ts"),
    import("./doctor-mail.ts"),
  ])
  const now = new Date()
  const options = observer.observerOptions(config)
  const checks: Record<string, () => Promise<Diagnosis | Diagnosis[]>> = {
    runtime: async () => machine.checkNode(process.versions.node, runtime.missingPackages()),
    platform: () => machine.checkPlatform(config),
    "data folder": () => machine.checkDataFolder(config),
    "disk space": () => machine.checkSpace(config),
    encryption: () => atRest.checkAtRest(config, now),
    clock: async () => machine.checkClock(now, new Date((await options).bootstrap.publication)),
    database: () => database.checkDatabase(config),
    standby: () => database.checkStandby(config),
    privileges: async () => (await import("./doctor-privileges.ts")).checkPrivilegesOf(config),
    abuse: async () => (await import("./doctor-abuse.ts")).checkAbuse(config),
    secrets: () => secrets.checkSecrets(config),
    "secret files": () => secrets.checkSecretFiles(),
    identity: () => identity.checkIdentity(config),
    backups: () => backup.checkBackups(config, now),
    mail: async () => mail.checkMail(config),
    certificate: () => edge.checkCertificate(config, now),
    ports: () => edge.checkPorts(config),
    resolvers: async () => network.checkResolvers(await options, signal),
    registration: async () => network.checkBootstrap((await options).bootstrap, now),
  }
  const results = await Promise.all(
    Object.entries(checks).map(([check, look]) =>
      look().catch((error: Error) => fail(check, `cannot be checked: ${error.message}`, "")),
    ),
  )
  signal.throwIfAborted()
  return results.flat()
}

const MARKS = { ok: ["✓", "green"], warn: ["!", "yellow"], fail: ["✗", "red"] } as const

export function renderChecks(
  checks: readonly Diagnosis[],
  { color, columns }: { color: boolean; columns: number },
): string {
  const room = Math.min(100, Math.max(60, columns)) - NAME_COLUMNS - 4
  const paint = painter(color)
  const lines = checks.flatMap(({ check, status, message, advice }) => {
    const [mark, style] = MARKS[status]
    const about = wrap(plain(message), room).map((line, i) =>
      i === 0 ? `${paint(style, mark)} ${fit(check, NAME_COLUMNS)} ${line}` : indent(line),
    )
    const todo = wrap(plain(advice ?? ""), room - 2).map((line, i) =>
      indent(i === 0 ? `${paint("cyan", "→")} ${line}` : `  ${line}`),
    )
    return [...about, ...todo]
  })
  return [...lines.map((line) => ` ${line}`), "", ` ${paint("bold", total(checks))}`].join("\n")
}

function indent(line: string): string {
  return `${" ".repeat(NAME_COLUMNS + 3)}${line}`
}

function total(checks: readonly Diagnosis[]): string {
  const count = (status: Diagnosis["status"]) => checks.filter((c) => c.status === status).length
  const parts = [`${count("ok")} good`]
  if (count("warn") > 0) parts.push(`${count("warn")} to look at`)
  if (count("fail") > 0) parts.push(`${count("fail")} to fix`)
  return `${parts.join(", ")}.`
}
