/** `zygentrust usage`: what tenants used of a month, and what that was charged. */
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import type { AdminDatabase } from "../db/database.ts"
import type { ListedKey } from "../keys/keys.ts"
import type { ListedTenant } from "../keys/tenants.ts"
import type { Line, Usage } from "../usage/report.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { withAdmin } from "./operator.ts"
import { painter } from "./paint.ts"
import type { By } from "./usage-table.ts"
import { BY, usageTable } from "./usage-table.ts"

export const help = `Usage: zygentrust usage [--tenant NAME|ID] [--month YYYY-MM]
                        [--by tenant|day|route|status|key] [--csv | --ndjson]

Shows what tenants used of a calendar month (UTC): requests with live keys, how many of
them were served, and the units that they cost, which add up to what was charged.
Test keys cost nothing, and are not in it.

--tenant  Of one tenant, by name or id; without it, of all.
--month   The month; this one without it.
--by      How it is added up: of one tenant by day, of all by tenant, unless said.
--csv     A line for each tenant, day, key, route and status (RFC 4180).
--ndjson  The same, a JSON object a line.

Works with or without a running server.

Example
  zygentrust usage --tenant "Acme Ltd" --month 2026-11 --by route`

/** A tenant with its month. */
interface TenantUsage {
  readonly tenant: ListedTenant
  readonly usage: Usage
}

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      tenant: { type: "string" },
      month: { type: "string" },
      by: { type: "string" },
      csv: { type: "boolean" },
      ndjson: { type: "boolean" },
    },
    allowPositionals: true,
  })
  const { tenant, month = new Date().toISOString().slice(0, 7), csv, ndjson } = values
  if (positionals.length > 0) throw wrongUsage("usage takes options alone, such as --tenant NAME")
  if (!/^[12]\d{3}-(0[1-9]|1[0-2])$/.test(month)) {
    throw wrongUsage(`--month takes a month like 2026-11, not '${month}'`)
  }
  if ([csv, ndjson, cli.json].filter(Boolean).length > 1) {
    throw wrongUsage("give one of --csv, --ndjson and --json")
  }
  const by = readBy(values.by) ?? (tenant === undefined ? "tenant" : "day")
  const { used, keys } = await withAdmin(cli, async (admin, keyring) => {
    const [{ listTenants }, { listKeys }] = await Promise.all([
      import("../keys/tenants.ts"),
      import("../keys/keys.ts"),
    ])
    const [tenants, keys] = await admin.asOperator(async (tx) => [
      await listTenants(tx, keyring),
      by === "key" ? await listKeys(tx, keyring) : [],
    ])
    const used = await readAll(admin, choose(tenants, tenant), month, cli.signal)
    return { used, keys }
  })
  if (cli.json) cli.out(JSON.stringify(await toJson(month, used)))
  else if (csv || ndjson) await exportLines(used, csv ? "csv" : "ndjson", cli)
  else print(used, { month, by, keys, one: tenant !== undefined }, cli)
  return 0
}

function readBy(text: string | undefined): By | undefined {
  if (text === undefined) return undefined
  const by = BY.find((one) => one === text)
  if (by === undefined) throw wrongUsage(`--by takes ${BY.join(", ")}, not '${text}'`)
  return by
}

/** @throws Problem `NOT_FOUND` */
function choose(tenants: readonly ListedTenant[], asked: string | undefined) {
  if (asked === undefined) return tenants
  const found = tenants.filter(({ id, name }) => id === asked || name === asked)
  if (found.length > 0) return found
  throw new Problem("NOT_FOUND", {
    message: `There is no tenant '${asked}'; 'tenants list' shows all.`,
  })
}

/** Each as the tenant itself, so that row security decides whose rows are read. */
async function readAll(
  admin: AdminDatabase,
  tenants: readonly ListedTenant[],
  month: string,
  signal: AbortSignal,
): Promise<TenantUsage[]> {
  const [{ readUsage }, { decodeId }] = await Promise.all([
    import("../usage/report.ts"),
    import("../core/ids.ts"),
  ])
  const used: TenantUsage[] = []
  for (const tenant of tenants) {
    signal.throwIfAborted()
    const uuid = decodeId("ten", tenant.id) ?? ""
    used.push({ tenant, usage: await admin.asTenant(uuid, (tx) => readUsage(tx, "live", month)) })
  }
  return used
}

async function toJson(month: string, used: readonly TenantUsage[]) {
  const { reportOf } = await import("../usage/report.ts")
  const tenants = used.map(({ tenant: { id, name }, usage }) => ({ id, name, ...reportOf(usage) }))
  return { month, tenants }
}

async function exportLines(used: readonly TenantUsage[], format: "csv" | "ndjson", cli: Cli) {
  const { toCsv, toNdjson } = await import("../usage/export.ts")
  const lines = used.flatMap(({ tenant: { id }, usage }) =>
    usage.lines.map((line) => ({ tenant: id, ...line })),
  )
  const text = format === "csv" ? toCsv(lines, true) : toNdjson(lines)
  if (text !== "") cli.out(text.replace(/\r?\n$/, "")) // `out` ends the line
}

interface Printing {
  readonly month: string
  readonly by: By
  readonly keys: readonly ListedKey[]
  /** A tenant was asked for. */
  readonly one: boolean
}

function print(used: readonly TenantUsage[], { month, by, keys, one }: Printing, cli: Cli): void {
  const labelled = used.map(({ tenant: { id, name }, usage }) => ({ name: name ?? id, usage }))
  const lines = labelled.flatMap(({ name, usage }) =>
    usage.lines.map((line): Line & { tenant: string } => ({ tenant: name, ...line })),
  )
  const keyNames = new Map(keys.map(({ id, hint, name }) => [String(id), `${hint} ${name}`]))
  const [first] = labelled
  const { color, columns } = cli.terminal
  const view = { by, columns, paint: painter(color), keyName: (id: string) => keyNames.get(id) }
  const about = one && first !== undefined ? first : undefined
  for (const line of usageTable(month, lines, about, view)) cli.out(line)
  for (const { name, usage } of labelled) {
    const sum = usage.lines.reduce((units, line) => units + line.units, 0)
    if (sum !== usage.charge.units) {
      cli.err(`${name}: the rows add up to ${sum} units, charged are ${usage.charge.units}.`)
    }
  }
}
