/**
 * K6: a test key drives every route, in every place of a request, and of what is live nothing is
 * written, nothing is read, nothing is locked; nobody outside is asked anything.
 *
 * That nothing is read, PostgreSQL's own counters say: every scan of a table or an index counts.
 */
import assert from "node:assert/strict"
import { readdir, readFile, readlink } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import type { Deployment } from "./deployment.ts"
import { startDeployment } from "./deployment.ts"
import type { Document } from "./operations.ts"
import { routesOf } from "./operations.ts"

/** Reads live rows as aggregates alone, for nobody's key, and not on its behalf. */
const OPEN_AGGREGATES = "GET /v1/health/metrics"

/** Only a secret scanner's signature opens it, and no key. */
const REPORTS = "POST /v1/leaked-keys"

const DOMAINS = [
  "approve.test",
  "review.test",
  "reject.test",
  "unreachable.test",
  "rate-limited.test",
  "error.test",
  // Two that the lab has: a test key must not go and look.
  "lindenshop.test",
  "harbourbank.test",
]
const ODD_VALUES = ["true", "2026-11", "lindenshop.test", "ten_01kar0v9z8fjrbh3p5t7wxyqm4"]

describe("a test key", () => {
  let deployment: Deployment
  before(async () => {
    deployment = await startDeployment()
    // Retention is no request's doing: nobody has its turn here.
    await deployment.asSuperuser((client) => client.query("delete from platform.maintenance_turn"))
  })
  after(() => deployment.close())

  it("changes, reads and locks nothing live, and sends nothing to anybody", async () => {
    const { program, lab } = deployment
    const key = await deployment.issue("default", "test")
    const document: Document = (await program.ask("/v1/openapi.json")).json
    const ownId = async () => {
      const [issue] = routesOf(document).filter(({ name }) => name === "POST /v1/keys")
      assert.ok(issue)
      return (await deployment.ask(issue.plain, key)).json.id
    }
    const before = await deployment.asSuperuser(live)
    assert.equal(before["live.api_key rows"], 1, "the count sees live rows: the first live key")
    const watch = watchLocks(deployment)
    let driven = 0
    for (const { name } of routesOf(document)) {
      if (name === OPEN_AGGREGATES) continue
      const route = routesOf(document, { id: await ownId() }).find((each) => each.name === name)
      assert.ok(route)
      const requests = [
        route.plain,
        ...route.slots.flatMap(({ fill }) => [...ODD_VALUES, ...DOMAINS].map(fill)),
      ]
      const statuses = await Promise.all(
        requests.map(async (request) => (await deployment.ask(request, key)).status),
      )
      const expected = name === REPORTS ? [404] : [200, 201, 202]
      assert.ok(
        expected.some((status) => statuses.includes(status)),
        route.name,
      )
      assert.ok(!statuses.includes(401), route.name)
      driven += requests.length
    }
    for (const domain of DOMAINS) {
      await program.ask(`/v1/analyze?domain=${domain}&fresh=true&attest=true`, { key })
    }
    const strangers = await connections(program.pid)
    assert.deepEqual(await watch.stop(), [])
    assert.ok(watch.looks() > 10, "locks were looked at while it went on")
    assert.ok(driven > 500)
    assert.deepEqual(await deployment.asSuperuser(live), before)
    assert.deepEqual(strangers, [])
    assert.deepEqual(questions(deployment), [])
    assert.deepEqual([...lab.requests.connections], [])
  })

  it("while a live key does all of it", async () => {
    const { program, lab } = deployment
    const key = program.keys?.live ?? ""
    const before = await deployment.asSuperuser(live)
    const watch = watchLocks(deployment)
    let asked = 0
    while (watch.seen().length === 0 && asked < 2_000) {
      const { status } = await program.ask("/v1/usage", { key })
      assert.equal(status, 200)
      asked++
    }
    assert.equal((await program.ask("/v1/analyze?domain=lindenshop.test", { key })).status, 200)
    assert.ok((await watch.stop()).length > 0, "locks are seen")
    const after = await deployment.asSuperuser(live)
    for (const what of ["live.analysis rows", "live.usage rows", "live.api_key scans"]) {
      assert.ok(Number(after[what]) > Number(before[what]), what)
    }
    assert.ok(lab.requests.connections.size > 0)
    assert.ok(questions(deployment).includes("lindenshop.test A"))
  })
})

/**
 * @returns Of each live table: rows, a digest of them, reads and writes ever; of each sequence: its
 *   last value. The program's sessions are ended first, for they tell what they counted only now and
 *   then, or when they end.
 */
async function live(client: pg.Client): Promise<Record<string, unknown>> {
  await client.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where usename in ('zt_runtime', 'zt_admin') and datname = current_database()`,
  )
  const result: Record<string, unknown> = {}
  const { rows: counters } = await client.query(
    `select 'live.' || t.relname as name,
        coalesce(seq_scan, 0) + coalesce((select sum(idx_scan) from pg_stat_user_indexes i
          where i.relid = t.relid), 0) as scans,
        n_tup_ins + n_tup_upd + n_tup_del as writes, relkind = 'p' as "isParent", relispartition as part
      from pg_stat_user_tables t join pg_class c on c.oid = t.relid
      where schemaname = 'live' order by 1`,
  )
  for (const { name, scans, writes, isParent } of counters) {
    // Whoever reads a parent reads its partitions.
    result[`${name} scans`] = Number(scans) - (isParent ? 0 : ownReads)
    result[`${name} writes`] = Number(writes)
  }
  for (const { name, part } of counters) {
    if (part) continue
    const {
      rows: [row],
    } = await client.query(
      `select count(*)::int as n, md5(string_agg(t::text, ',' order by t::text)) as digest from ${name} t`,
    )
    result[`${name} rows`] = row.n
    result[`${name} digest`] = row.digest
  }
  const { rows: sequences } = await client.query(
    "select sequencename as name, last_value from pg_sequences where schemaname = 'live'",
  )
  for (const { name, last_value } of sequences) result[`live.${name} last`] = last_value
  await client.query("select pg_stat_force_next_flush()")
  await client.query("select 1")
  ownReads++
  return result
}
/** Each table was read once by each digest before. */
let ownReads = 0

/** Looks again and again at who holds a lock on what is live. */
function watchLocks({ asSuperuser }: Deployment) {
  const seen = new Set<string>()
  let looks = 0
  let over = false
  const watching = asSuperuser(async (client) => {
    while (!over) {
      const { rows } = await client.query<{ name: string }>(
        `select distinct c.relname || ' by ' || a.usename as name
          from pg_locks l
            join pg_class c on c.oid = l.relation and c.relnamespace = 'live'::regnamespace
            join pg_stat_activity a using (pid)
          where a.usename in ('zt_runtime', 'zt_admin')`,
      )
      looks++
      for (const { name } of rows) seen.add(name)
    }
  })
  return {
    seen: () => [...seen],
    looks: () => looks,
    async stop() {
      over = true
      await watching
      return [...seen]
    },
  }
}

/** @returns Where the program's own TCP connections lead, but those of its clients, and its UDP. */
async function connections(pid: number): Promise<string[]> {
  const inodes = new Set<string>()
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  const found: string[] = []
  for (const table of ["tcp", "tcp6", "udp", "udp6"]) {
    const text = await readFile(`/proc/${pid}/net/${table}`, "utf8").catch(() => "")
    const rows = text
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
    const own = rows.filter((row) => inodes.has(row[9] ?? ""))
    const listening = new Set(own.filter((row) => row[3] === "0A").map((row) => port(row[1])))
    for (const row of own) {
      if (row[3] === "0A" || (table.startsWith("tcp") && listening.has(port(row[1])))) continue
      found.push(`${table} ${row[2]}`)
    }
  }
  return found
}

function port(address = ""): string {
  return address.split(":")[1] ?? ""
}

/** @returns What was asked of DNS. Health asks for the root, which is nobody's domain. */
function questions({ lab }: Deployment): string[] {
  return [...lab.requests.questions.keys()].filter((question) => question !== ". NS")
}
