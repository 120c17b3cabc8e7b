/**
 * Customers' queries under row security, against the same on copies of the tables without it.
 *
 * `bin/node bench/row-security.ts [--tenants 200] [--calls 4000]`. Both run as zt_tenant with the
 * tenant set, sent as the program sends them (unnamed, extended), by turns on one connection. The
 * copies have the same rows and indexes, and a where clause does what the policy does. Both at once
 * would cost some 10 % on small queries, for the tenant is then asked for and compared twice.
 */
import { parseArgs } from "node:util"
import type pg from "pg"
import { runStatement } from "../src/db/connection.ts"
import { medians, openScratch, usageDays } from "./scratch.ts"
import { tidily } from "./tidy.ts"

const LIMIT = 1.05
const ANALYSES = 500
const USAGE_ROWS = 2_000

const { values } = parseArgs({
  options: {
    tenants: { type: "string", default: "200" },
    calls: { type: "string", default: "4000" },
  },
})
const tenants = Number(values.tenants)
const calls = Number(values.calls)

interface Query {
  readonly name: string
  /** @param tenant - A clause before the others. */
  text(schema: "live" | "plain", tenant: string): string
  values(n: number): unknown[]
  /** Of all calls, since some take longer. */
  readonly share: number
}

const TENANT = "tenant_id = (select platform.current_tenant()) and"

/** As analyses/store.ts, keys/keys.ts and usage/report.ts ask. */
const QUERIES: readonly Query[] = [
  {
    name: "the newest observation of a domain",
    text: (schema, tenant) =>
      `select id, sealed, expires_at from ${schema}.analysis
        where ${tenant} domain_index = any ($1) and expires_at > $2
        order by observed_at desc limit 1`,
    values: (n) => [[domainIndex(n % ANALYSES)], new Date(0)],
    share: 1,
  },
  {
    name: "one key by its id",
    text: (schema, tenant) =>
      `select id, index8, created_at from ${schema}.api_key where ${tenant} id = $1`,
    values: (n) => [uuid(n % 20)],
    share: 1,
  },
  {
    name: `a month's usage, ${USAGE_ROWS} rows`,
    text: (schema, tenant) =>
      `select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, route, status, count(*)::integer as requests
        from ${schema}.usage where ${tenant} at >= $1 and at < $2 group by 1, 2, 3`,
    values: () => [new Date("2026-11-01"), new Date("2026-12-01")],
    share: 0.1,
  },
]

await tidily(async (stack) => {
  const scratch = await openScratch(stack)
  await scratch.create("bench")
  const owner = await scratch.connect("bench")
  await fill(owner)
  const customer = await scratch.connect("bench")
  // The tenant first: customers' roles may not set it.
  await customer.query(`set zt.tenant = '${uuid(Math.floor(tenants / 2))}'; set role zt_tenant`)
  let worst = 0
  for (const { name, text, values, share } of QUERIES) {
    const secured = text("live", "")
    const plain = text("plain", TENANT)
    const rows = await Promise.all(
      [secured, plain].map(async (query) => (await runStatement(customer, query, values(1))).rows),
    )
    if (rows[0]?.length === 0 || JSON.stringify(rows[0]) !== JSON.stringify(rows[1])) {
      throw new Error(`${name}: ${rows.map((r) => r.length)} rows`)
    }
    const found = await medians(
      {
        secured: (n) => runStatement(customer, secured, values(n)),
        plain: (n) => runStatement(customer, plain, values(n)),
      },
      calls * share,
    )
    const ratio = found.secured / found.plain
    worst = Math.max(worst, ratio)
    console.log(
      `${name.padEnd(36)} ${found.secured.toFixed(0).padStart(6)} µs, ${found.plain.toFixed(0).padStart(6)} µs without: ${ratio.toFixed(3)}`,
    )
  }
  console.log(`worst ${worst.toFixed(3)} (limit ${LIMIT})`)
  if (worst > LIMIT) process.exitCode = 1
})

function uuid(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
}

function domainIndex(n: number): Buffer {
  return Buffer.from(String(n).padStart(16, "0"))
}

async function fill(client: pg.Client): Promise<void> {
  const id = (n: string) => `('00000000-0000-7000-8000-' || lpad((${n})::text, 12, '0'))::uuid`
  await client.query(`
    insert into platform.tenant (id, name_index, sealed_name)
      select ${id("t")}, decode(md5(t::text), 'hex'), '\\x00' from generate_series(0, ${tenants - 1}) t;
    insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
      select ${id("t")}, ${id("k")}, '\\x00', left(md5(t || '-' || k), 8), sha256((t || '-' || k)::bytea)
      from generate_series(0, ${tenants - 1}) t, generate_series(0, 19) k;
    insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      select ${id("t")}, ${id("a")}, lpad(a::text, 16, '0')::bytea, now(), now(), decode(repeat(md5(a::text), 30), 'hex')
      from generate_series(0, ${ANALYSES - 1}) a, generate_series(0, ${tenants - 1}) t;
    ${usageDays("date '2026-11-02'", 3)};
    insert into live.usage
      select ${id("t")}, ${id("u")}, ${id("0")}, timestamptz '2026-11-02' + u * interval '1 minute', 1 + u % 2,
        200, 1, true, 1, 'unlimited'
      from generate_series(0, ${USAGE_ROWS - 1}) u, generate_series(0, ${tenants - 1}) t;
    create schema plain;
    grant usage on schema plain to zt_tenant;
  `)
  for (const table of ["api_key", "analysis", "usage"]) {
    await client.query(`${copyOf(table)};
      insert into plain.${table} select * from live.${table};
      grant select on plain.${table} to zt_tenant`)
    for (const schema of ["live", "plain"]) await client.query(`vacuum analyze ${schema}.${table}`)
  }
}

/** In SQL: the same table without row security, in as many partitions where it has some. */
function copyOf(table: string): string {
  return `do $$ declare
    original constant regclass := 'live.${table}';
    part record;
  begin
    execute 'create table plain.${table} (like live.${table} including all)'
      || coalesce(' partition by ' || pg_get_partkeydef(original), '');
    for part in select relname, pg_get_expr(relpartbound, c.oid) as bound
        from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = original loop
      execute format('create table plain.%I partition of plain.${table} %s', part.relname, part.bound);
    end loop;
  end $$`
}
