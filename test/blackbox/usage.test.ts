/** What was used, by the API and by the command: the same figures, and they add up to the charge. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const MONTH = new Date().toISOString().slice(0, 7)

interface Counts {
  readonly requests: number
  readonly served: number
  readonly units: number
}
const sum = (parts: readonly Partial<Counts>[]) =>
  (["requests", "served", "units"] as const).map((field) =>
    parts.reduce((all, part) => all + (part[field] ?? 0), 0),
  )

describe("usage", () => {
  let program: Program
  let keys: string[]
  before(async () => {
    program = await startProgram({ environment: { ZT_RESOLVERS: "127.0.0.1:9" } })
    await json("plans", "set", "few", "--units", "5")
    keys = []
    for (const name of ["first", "second"]) {
      const issued = await json(
        ...["keys", "issue", "--tenant", "Few, Ltd", "--plan", "few"],
        ...["--environment", "live", "--name", name],
      )
      keys.push(issued.key)
    }
    const [first = "", second = ""] = keys
    for (const [key, target] of [
      [first, "/v1/analyze?domain=one.test"],
      [first, "/v1/analyze?domain=one.test"], // ready in memory
      [second, "/v1/analyze?domain=two.test"],
      [second, "/v1/analyze?domain=not%20a%20domain"], // 400 costs nothing
      [second, "/v1/analyze"],
      ...["three", "four", "five", "six"].map((name) => [first, `/v1/analyze?domain=${name}.test`]),
    ] as const) {
      await program.ask(target ?? "", { key: key ?? "" })
    }
  })
  after(() => program.stop())
  const zygentrust = (...args: string[]) => runCommand(args, environment(program.dataDir))
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await zygentrust(...args, "--json")
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const ask = (target: string, headers = {}) => program.ask(target, { key: keys[0] ?? "", headers })

  it("the API: each way adds up to the total, and units to the charge", async () => {
    const { json: usage } = await ask("/v1/usage")
    assert.equal(usage.plan, "few")
    assert.deepEqual(usage.charge, { units: 5, per_month: 5, left: 0, soft: false })
    const total = [usage.total.requests, usage.total.served, usage.total.units]
    assert.deepEqual(total, [10, 5, 5], "the request that asks is among them")
    for (const way of ["by_day", "by_route", "by_key"])
      assert.deepEqual(sum(usage[way]), total, way)
    const [requests, , units] = sum(usage.by_status)
    assert.deepEqual([requests, units], [10, 5])
    assert.deepEqual(
      usage.by_status.map(({ status }: { status: number | null }) => status),
      [200, 400, 429, null],
    )
    assert.equal(usage.by_key.length, 2)
  })

  it("a month gone by has nothing, and nothing is left of it", async () => {
    const { json: usage } = await ask("/v1/usage?month=2020-02")
    assert.deepEqual(usage.charge, { units: 0, per_month: 5, left: null, soft: false })
    assert.deepEqual(usage.by_key, [])
  })

  for (const [what, target, accept, type] of [
    ["CSV by name", "/v1/usage?format=csv", undefined, "text/csv"],
    ["CSV by Accept", "/v1/usage", "text/csv", "text/csv"],
    ["NDJSON by name", "/v1/usage?format=ndjson", "text/csv", "application/x-ndjson"],
    ["NDJSON by Accept", "/v1/usage", "application/x-ndjson;q=0.9, */*", "application/x-ndjson"],
    ["JSON where Accept names none", "/v1/usage", "text/html, */*", "application/json"],
    ["JSON by name", "/v1/usage?format=json", "text/csv", "application/json"],
  ] as const) {
    it(`the API exports ${what}`, async () => {
      const answer = await ask(target, accept === undefined ? {} : { accept })
      assert.equal(answer.headers["content-type"], type)
      if (type === "application/json") return
      const lines = type === "text/csv" ? readCsv(answer.text) : readNdjson(answer.text)
      assert.equal(sum(lines)[2], 5)
      assert.ok(lines.length >= 5)
    })
  }

  it("the API refuses a format that it has not", async () => {
    const { status, json: refused } = await ask("/v1/usage?format=xml")
    assert.equal(status, 400)
    assert.match(refused.error.message, /'format' is not one of: json, csv, ndjson/)
  })

  it("the command says the same, of one tenant and of all", async () => {
    const { json: usage } = await ask("/v1/usage")
    const [one] = (await json("usage", "--tenant", "Few, Ltd")).tenants
    const { environment: _, ...told } = usage
    assert.deepEqual(one.charge, told.charge)
    assert.deepEqual(one.by_route[0], told.by_route[0])
    const all = (await json("usage")).tenants
    assert.deepEqual(
      all.map(({ name, total }: { name: string; total: Counts }) => [name, total.units]),
      [
        ["default", 0],
        ["Few, Ltd", 5],
      ],
    )
    const byId = await json("usage", "--tenant", one.id)
    assert.equal(byId.tenants[0].name, "Few, Ltd")
  })

  it("the command exports lines with the tenant's id", async () => {
    const csv = readCsv((await zygentrust("usage", "--csv")).stdout)
    const ndjson = readNdjson((await zygentrust("usage", "--ndjson")).stdout)
    assert.equal(sum(csv)[2], 5)
    assert.deepEqual(sum(ndjson), sum(csv))
    assert.match(String(ndjson[0]?.["tenant"]), /^ten_/)
  })

  it("the command prints tables without colour into a pipe", async () => {
    const { stdout, stderr } = await zygentrust("usage", "--tenant", "Few, Ltd", "--by", "key")
    assert.equal(stderr, "")
    assert.match(stdout, /^Few, Ltd, plan few, /)
    assert.match(stdout, /\n5 of 5 units, 100 %, 0 left {2}█/)
    assert.match(stdout, /\nzt_live_.{8}… first +4 /)
    assert.match(stdout, /\nzt_live_.{8}… second +1 +3 +1 /)
    assert.match(stdout, /\ntotal +5 /)
    assert.ok(!stdout.includes("\u001b"))
    const all = await zygentrust("usage")
    assert.match(all.stdout, /\nFew, Ltd +5 /)
  })

  for (const [what, args, code, message] of [
    ["a tenant that is not there", ["--tenant", "Nobody"], 1, /There is no tenant 'Nobody'/],
    ["what is no month", ["--month", "2026-13"], 2, /--month takes a month like 2026-11/],
    ["another way", ["--by", "hour"], 2, /--by takes tenant, day, route, status, key/],
    ["two forms", ["--csv", "--ndjson"], 2, /one of --csv, --ndjson and --json/],
    ["words", ["Few"], 2, /usage takes options alone/],
  ] as const) {
    it(`the command refuses ${what}`, async () => {
      const refused = await zygentrust("usage", "--month", MONTH, ...args)
      assert.equal(refused.code, code)
      assert.match(refused.stderr, message)
    })
  }
})

describe("metrics", () => {
  let program: Program
  before(async () => {
    program = await startProgram({ environment: { ZT_RESOLVERS: "127.0.0.1:9" } })
  })
  after(() => program.stop())

  for (const [what, accept, type] of [
    ["text unless asked otherwise", undefined, /^application\/openmetrics-text; version=1.0.0/],
    [
      "text for Prometheus",
      "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      /^application\/openmetrics-text/,
    ],
    ["JSON by Accept", "application/json", /^application\/json/],
  ] as const) {
    it(`is ${what}`, async () => {
      const headers = accept === undefined ? {} : { accept }
      const answer = await program.ask("/v1/health/metrics", { headers })
      assert.equal(answer.status, 200)
      assert.match(String(answer.headers["content-type"]), type)
      if (answer.json === undefined) {
        assert.match(
          answer.text,
          /\nzygentrust_component_state{component="maintenance",state="ok"} 1\n/,
        )
        assert.ok(answer.text.endsWith("# EOF\n"))
      } else {
        const { from, to } = answer.json.window
        assert.equal(Date.parse(to) - Date.parse(from), 900_000)
        assert.ok(Date.parse(to) < Date.now())
      }
    })
  }

  it("takes no parameter", async () => {
    assert.equal((await program.ask("/v1/health/metrics?x=1")).status, 400)
  })
})

type Read = Partial<Counts> & Record<string, unknown>

function readCsv(text: string): Read[] {
  const [head = "", ...rows] = text.trimEnd().split(/\r?\n/)
  const columns = head.split(",")
  return rows.map((row) => {
    const cells = row.split(",")
    return Object.fromEntries(
      columns.map((name, n) => [name, /^\d+$/.test(cells[n] ?? "") ? Number(cells[n]) : cells[n]]),
    )
  })
}

function readNdjson(text: string): Read[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
}
