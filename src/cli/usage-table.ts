/**
 * Usage as a table with bars, for any width of terminal. Pure.
 *
 * Invariant: the figures of a column add up to its total; a line that has no room for its bar has none,
 * and what names it is cut, never a figure.
 */
import type { Count, Line, Usage } from "../usage/report.ts"
import { count, group } from "../usage/report.ts"
import type { Paint } from "./paint.ts"
import { bar } from "./report-digits.ts"
import { fit, plain, width } from "./report-text.ts"

export const BY = ["tenant", "day", "route", "status", "key"] as const
export type By = (typeof BY)[number]

interface View {
  readonly by: By
  readonly columns: number
  readonly paint: Paint
  /** What a key is called, by its id. */
  readonly keyName: (id: string) => string | undefined
}

const HEADS = ["units", "requests", "served"] as const
const MAX_BAR = 40
const MIN_BAR = 6
const MAX_LABEL = 44
const MIN_LABEL = 8

/** @param about - The tenant, where one was asked for. @param month - `YYYY-MM`. */
export function usageTable(
  month: string,
  lines: readonly (Line & { readonly tenant: string })[],
  about: { readonly name: string; readonly usage: Usage } | undefined,
  view: View,
): string[] {
  const { by, columns, paint } = view
  const top = heading(month, about, view)
  if (lines.length === 0) return [...top, "Nothing was asked with a live key."]
  const rows = rowsOf(lines, view)
  const total = count(lines)
  const figures = [...rows.map(({ counts }) => counts), total].map(figuresOf)
  const widths = HEADS.map((head, n) =>
    Math.max(head.length, ...figures.map((row) => row[n]?.length ?? 0)),
  )
  // What has no room is left out from the right, the bar first.
  const shown = [3, 2, 1].find((n) => MIN_LABEL + room(widths, n) <= columns) ?? 1
  const labels = [by, "total", ...rows.map(({ label }) => label)]
  const longest = Math.min(MAX_LABEL, Math.max(...labels.map(width)))
  const label = Math.max(MIN_LABEL, Math.min(longest, columns - room(widths, shown)))
  const barColumns = Math.min(MAX_BAR, columns - label - room(widths, shown) - 2)
  const most = (counts: Count) => (total.units > 0 ? counts.units : counts.requests)
  const largest = Math.max(1, ...rows.map(({ counts }) => most(counts)))
  const line = (name: string, cells: readonly string[]) =>
    [
      fit(name, label),
      ...cells.slice(0, shown).map((cell, n) => cell.padStart(widths[n] ?? 0)),
    ].join("  ")
  return [
    ...top,
    paint("dim", line(by, HEADS)),
    ...rows.map(({ label: name, counts }) => {
      const text = line(name, figuresOf(counts))
      if (barColumns < MIN_BAR) return text
      const { full, rest } = bar(most(counts) / largest, barColumns)
      return `${text}  ${paint("cyan", full)}${paint("dim", rest)}`
    }),
    paint("bold", line("total", figuresOf(total))),
  ]
}

function heading(
  month: string,
  about: { readonly name: string; readonly usage: Usage } | undefined,
  { columns, paint }: View,
): string[] {
  const date = new Date(`${month}-01T00:00:00Z`)
  const when = `${date.toLocaleString("en", { month: "long", timeZone: "UTC" })} ${month.slice(0, 4)} (UTC)`
  if (about === undefined) return [paint("bold", cut(`All tenants, ${when}`, columns)), ""]
  const { name, usage } = about
  const { units, per_month, left, soft } = usage.charge
  const title = cut(`${plain(name)}, plan ${usage.plan}, ${when}`, columns)
  if (per_month === null) {
    return [paint("bold", title), cut(`${number(units)} units, of any number`, columns), ""]
  }
  const share = per_month === 0 ? 1 : units / per_month
  const after = left === null ? "" : `, ${number(left)} left${soft ? " (soft limit)" : ""}`
  const text = `${number(units)} of ${number(per_month)} units, ${Math.floor(share * 100)} %${after}`
  const barColumns = Math.min(MAX_BAR, columns - width(text) - 2)
  const { full, rest } = bar(share, Math.max(0, barColumns))
  const color = share >= 1 ? "red" : share >= 0.8 ? "yellow" : "green"
  const meter = barColumns < MIN_BAR ? "" : `  ${paint(color, full)}${paint("dim", rest)}`
  return [paint("bold", title), `${cut(text, columns)}${meter}`, ""]
}

function rowsOf(lines: readonly (Line & { readonly tenant: string })[], { by, keyName }: View) {
  const groups = new Map(group(lines, by))
  const names = by === "day" ? daysBetween([...groups.keys()]) : [...groups.keys()]
  const rows = names.map((name) => ({
    label: plain(by === "key" ? (keyName(name) ?? name) : name),
    counts: count(groups.get(name) ?? []),
  }))
  if (by === "day" || by === "status") return rows
  return rows.toSorted((a, b) => b.counts.units - a.counts.units)
}

/** @param days - Sorted. @returns All days from the first to the last. */
function daysBetween(days: readonly string[]): string[] {
  const all: string[] = []
  const [first, last] = [days[0], days.at(-1)].map((day) => Date.parse(day ?? ""))
  if (first === undefined || last === undefined) return all
  for (let day = first; day <= last; day += 86_400_000) {
    all.push(new Date(day).toISOString().slice(0, 10))
  }
  return all
}

function figuresOf({ units, requests, served }: Count): string[] {
  return [units, requests, served].map(number)
}

/** Columns that the first figures take, with the gaps before them. */
function room(widths: readonly number[], shown: number): number {
  return widths.slice(0, shown).reduce((sum, one) => sum + one + 2, 0)
}

function cut(text: string, columns: number): string {
  return fit(text, columns).trimEnd()
}

function number(value: number): string {
  return value.toLocaleString("en")
}
