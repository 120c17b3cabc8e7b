/** Usage for other programs: CSV (RFC 4180) and NDJSON, a line for each day, key, route and status. */
import type { Line } from "./report.ts"

const COLUMNS = ["day", "key", "route", "status", "requests", "served", "units"] as const

/** A line, and for operators whose it is. */
type Exported = Line & { readonly tenant?: string }

/** @param withTenant - A first column with the tenant's id. @returns Lines that end with CRLF. */
export function toCsv(lines: readonly Exported[], withTenant = false): string {
  const columns: (keyof Exported)[] = withTenant ? ["tenant", ...COLUMNS] : [...COLUMNS]
  const rows = lines.map((line) => columns.map((column) => quoted(line[column] ?? "")))
  return [columns, ...rows].map((row) => `${row.join(",")}\r\n`).join("")
}

/** @returns A JSON object a line; nothing where there was nothing. */
export function toNdjson(lines: readonly Exported[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("")
}

function quoted(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
