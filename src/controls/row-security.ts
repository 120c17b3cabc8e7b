/**
 * Claim I1: row security, forced, on every tenant table, with policies that let a customer's role
 * see the rows of its tenant and nothing else.
 *
 * Owns: what a tenant table is (it has a `tenant_id`, or is the table of tenants), and the closed
 * list of tables that belong to none: a new one without the column is a finding until it is listed.
 */
import type pg from "pg"
import type { Catalog, Policy, Table } from "./catalog.ts"
import { readCatalog } from "./catalog.ts"
import type { Finding } from "./finding.ts"

/** Nothing in them is a tenant's; of batches and requests for keys, no customer's role may see any. */
const WITHOUT_TENANT: readonly string[] = [
  "live.batch",
  "live.network_salt",
  "live.unknown_key",
  "live.usage_progress",
  "platform.backup_run",
  "platform.backup_turn",
  "platform.key_request",
  "platform.maintenance_turn",
  "platform.migration",
  "platform.plan",
  "platform.watch_turn",
  "sandbox.batch",
  "sandbox.network_salt",
  "sandbox.unknown_key",
  "sandbox.usage_progress",
]

const CUSTOMERS: readonly string[] = ["zt_tenant", "zt_sandbox", "PUBLIC"]
const TENANTS = "platform.tenant"

/** @throws Problem `UNAVAILABLE` */
export async function checkRowSecurity(client: pg.ClientBase): Promise<Finding[]> {
  return findOpenTables(await readCatalog(client))
}

/** @returns What lets a customer's role pass row security; empty where the claim holds. */
export function findOpenTables({ tables }: Catalog): Finding[] {
  return tables
    .filter(({ kind }) => kind !== "sequence")
    .flatMap((table) =>
      weaknesses(table).map((message) => ({ subject: table.name, message, isWeakness: false })),
    )
}

function weaknesses(table: Table): string[] {
  const { name, kind, columns, rowSecurity, forced, policies } = table
  const column = name === TENANTS ? "id" : "tenant_id"
  if (!columns.includes(column)) {
    return WITHOUT_TENANT.includes(name)
      ? []
      : ["has no tenant_id, and is not listed as a table without tenants"]
  }
  if (kind !== "table")
    return [`is a ${kind} of tenants' rows, which row security cannot be forced on`]
  const found: string[] = []
  if (!rowSecurity) found.push("has tenants' rows without row security")
  if (!forced) found.push("has tenants' rows, and row security is not forced on its owner")
  return [...found, ...policies.flatMap((policy) => opens(policy, column))]
}

/** A customer's policy compares the row's tenant with the transaction's, and does nothing else. */
function opens(
  { name, roles, permissive, command, using, check }: Policy,
  column: string,
): string[] {
  const customers = roles.filter((role) => CUSTOMERS.includes(role))
  if (customers.length === 0 || !permissive) return []
  const own = `(${column} = ( SELECT platform.current_tenant() AS current_tenant))`
  const reads = command === "insert" || using === own
  const writes = check === null ? command !== "insert" : check === own
  if (reads && writes) return []
  return [`has the policy ${name}, by which ${customers.join(" and ")} may reach others' rows`]
}
