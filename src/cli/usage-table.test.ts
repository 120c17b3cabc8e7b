import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { stripVTControlCharacters } from "node:util"
import type { Line } from "../usage/report.ts"
import { painter } from "./paint.ts"
import { width } from "./report-text.ts"
import type { By } from "./usage-table.ts"
import { BY, usageTable } from "./usage-table.ts"

const line = (
  tenant: string,
  day: string,
  status: number | null,
  requests: number,
): Line & { tenant: string } => {
  const served = status !== null && status < 400 ? requests : 0
  const units = status === null ? requests : served // of what nobody knows, the charge stays
  return { tenant, day, key: "key_1", route: "GET /v1/analyze", status, requests, served, units }
}
const LINES = [
  line("Small Ltd", "2026-11-02", 200, 5),
  line("Large\u001b[31m and very long named Ltd of somewhere far away", "2026-11-02", 200, 12_345),
  line("Small Ltd", "2026-11-05", 429, 40),
  line("Small Ltd", "2026-11-05", null, 1),
]
const usage = (units: number, per_month: number | null, soft = false) => ({
  plan: "small",
  period: { from: "", to: "" },
  charge: {
    units,
    per_month,
    left: per_month === null ? null : Math.max(0, per_month - units),
    soft,
  },
  lines: [],
})
const table = (by: By, columns: number, color = false, about?: Parameters<typeof usageTable>[2]) =>
  usageTable("2026-11", LINES, about, {
    by,
    columns,
    paint: painter(color),
    keyName: () => undefined,
  })

describe("usage as a table", () => {
  for (const by of BY) {
    it(`by ${by}: nothing is wider than the terminal, figures are never cut`, () => {
      for (const columns of [20, 24, 32, 40, 60, 80, 200]) {
        const rows = table(by, columns)
        for (const row of rows) assert.ok(width(row) <= columns, `${columns}: ${row}`)
        assert.match(rows.at(-1) ?? "", /^total +12,351/)
      }
    })
  }

  for (const [columns, has, because] of [
    [80, /2,345 +12,345 {2}█+$/m, "80 columns have room for all of it"],
    [44, /12,345 +12,345 +12,345$/m, "44 have none for a bar"],
    [20, /^Large…? .*12,345$/m, "20 have room for a name's beginning and its units"],
  ] as const) {
    it(because, () => assert.match(table("tenant", columns).join("\n"), has))
  }

  it("days without any answer are shown between others", () => {
    const days = table("day", 80).filter((row) => row.startsWith("2026-"))
    assert.deepEqual(
      days.map((row) => row.slice(0, 18).split(/ +/).join(" ")),
      ["2026-11-02 12,350", "2026-11-03 0", "2026-11-04 0", "2026-11-05 1"],
    )
  })

  it("an outcome that nobody knows is named so, and keeps its unit", () => {
    assert.match(table("status", 80).join("\n"), /^unknown +1 +1 +0/m)
  })

  it("colour changes no text, and a tenant's name brings none", () => {
    const plain = table("tenant", 80).join("\n")
    assert.equal(stripVTControlCharacters(table("tenant", 80, true).join("\n")), plain)
    assert.ok(!plain.includes("\u001b"))
  })

  for (const [because, about, text] of [
    ["what is left", usage(900, 1_000), "900 of 1,000 units, 90 %, 100 left"],
    ["a soft limit", usage(1_200, 1_000, true), "1,200 of 1,000 units, 120 %, 0 left (soft limit)"],
    ["no limit", usage(5, null), "5 units, of any number"],
    ["a plan without any unit", usage(0, 0), "0 of 0 units, 100 %, 0 left"],
  ] as const) {
    it(`says of one tenant ${because}`, () => {
      const [title, meter = ""] = table("day", 80, false, { name: "Small Ltd", usage: about })
      assert.equal(title, "Small Ltd, plan small, November 2026 (UTC)")
      assert.ok(meter.startsWith(text), meter)
    })
  }

  it("says so where there is nothing", () => {
    const view = {
      by: "day",
      columns: 80,
      paint: painter(false),
      keyName: () => undefined,
    } as const
    const rows: string[] = usageTable("2026-11", [], undefined, view)
    assert.equal(rows.at(-1), "Nothing was asked with a live key.")
  })
})
