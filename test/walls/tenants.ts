/**
 * Two tenants with a row in every table that has tenants: Alice attacks, Bob has something to lose.
 *
 * Invariant: a new table of tenants is furnished here, or every suite of walls says so.
 */
import assert from "node:assert/strict"
import { randomBytes, randomInt, randomUUID } from "node:crypto"
import type pg from "pg"
import { SCHEMAS } from "../../src/db/database.ts"
import type { TestDatabase } from "../postgres.ts"

export const ALICE = "0193a000-0000-7000-8000-00000000000a"
export const BOB = "0193a000-0000-7000-8000-00000000000b"
export const NOBODY = "0193a000-0000-7000-8000-00000000000c"

const SCHEMA_NAMES = Object.values(SCHEMAS)

/** @returns What is in Bob's rows and he alone knows: ids, digests, seeds, as text. */
export async function furnish(db: TestDatabase): Promise<ReadonlySet<string>> {
  return db.asSuperuser(async (client) => {
    for (const tenant of [ALICE, BOB]) {
      await client.query(
        "insert into platform.tenant (id, name_index, sealed_name) values ($1, $2, $3)",
        [tenant, randomBytes(16), randomBytes(40)],
      )
      await client.query("insert into platform.tenant_key (tenant_id, seed) values ($1, $2)", [
        tenant,
        randomBytes(32),
      ])
      await client.query(
        "insert into platform.contact (tenant_id, id, sealed_address) values ($1, $2, $3)",
        [tenant, randomUUID(), randomBytes(40)],
      )
      for (const schema of SCHEMA_NAMES) {
        await client.query(
          `insert into ${schema}.event (tenant_id, kind, key_id, occasion, detail)
            values ($1, 'key_leaked', $2, $3, '{}')`,
          [tenant, randomUUID(), hex(8)],
        )
        await client.query(
          `insert into ${schema}.api_key (tenant_id, id, sealed_name, index8, digest)
            values ($1, $2, $3, $4, $5)`,
          [tenant, randomUUID(), randomBytes(40), hex(4), randomBytes(32)],
        )
        await insertAnalyses(client, schema, tenant, 2)
        await client.query(
          `insert into ${schema}.usage (tenant_id, request_id, key_id, at, route, units, plan)
            values ($1, $2, $3, now(), 1, 1, $4)`,
          [tenant, randomUUID(), randomUUID(), hex(8)],
        )
        await client.query(`insert into ${schema}.usage_day values ($1, now(), $2, 1, 200, 1, 1)`, [
          tenant,
          randomUUID(),
        ])
        await client.query(
          `insert into ${schema}.usage_hour values ($1, now(), $2, 1, 200, 'x', true, 1, 1, 1)`,
          [tenant, randomUUID()],
        )
        await client.query(`insert into ${schema}.key_use values ($1, $2, now())`, [
          tenant,
          randomUUID(),
        ])
        await client.query(`insert into ${schema}.account values ($1)`, [tenant])
        await client.query(`insert into ${schema}.idempotency values ($1, $2, $3, $4, $5)`, [
          tenant,
          randomUUID(),
          randomBytes(32),
          randomBytes(32),
          randomUUID(),
        ])
        const number = () => randomInt(2 ** 40, 2 ** 47)
        await client.query(`insert into ${schema}.charge values ($1, now(), $2, $3)`, [
          tenant,
          number(),
          number(),
        ])
        await client.query(`insert into ${schema}.watch_hour values ($1, now(), $2, 1, 1, 1, 1)`, [
          tenant,
          randomUUID(),
        ])
        await client.query(`insert into ${schema}.network values ($1, $2, now(), 1, 1)`, [
          tenant,
          randomUUID(),
        ])
        await client.query(`insert into ${schema}.network_day values ($1, $2, now(), 1)`, [
          tenant,
          randomUUID(),
        ])
        await client.query(
          `insert into ${schema}.finding (tenant_id, rule, subject, measured, threshold)
            values ($1, 'burst', $2, 1, 1)`,
          [tenant, randomUUID()],
        )
        await client.query(
          `insert into ${schema}.throttle (tenant_id, key_id, actor, until, requests_per_second, burst)
            values ($1, $2, 'program', now(), 1, 1)`,
          [tenant, randomUUID()],
        )
        await client.query(`insert into ${schema}.rate values ($1, $2, $3, $4)`, [
          tenant,
          randomUUID(),
          number(),
          number(),
        ])
      }
    }
    const secrets = new Set<string>()
    for (const table of await tenantTables(client)) {
      const owner = table === "platform.tenant" ? "id" : "tenant_id"
      const { rows } = await client.query<{ row: Record<string, unknown> }>(
        `select to_jsonb(t) as row from ${table} t where ${owner} = $1`,
        [BOB],
      )
      assert.ok(
        rows.length > 0,
        `${table} is new: give Alice and Bob a row in test/walls/tenants.ts`,
      )
      for (const value of rows.flatMap(({ row }) => Object.values(row))) {
        const text = String(value).replace(/^\\x/, "")
        const isDate = /^\d{4}-\d\d-\d\d$/.test(text)
        if (text.length >= 8 && !isDate && text !== BOB && /^[0-9a-f-]+$/.test(text))
          secrets.add(text)
      }
    }
    assert.ok(secrets.size >= 20, "Bob has secrets")
    return secrets
  })
}

/** Rows of one tenant, as many as wanted. */
export async function insertAnalyses(
  client: pg.Client,
  schema: string,
  tenant: string,
  count: number,
): Promise<void> {
  await client.query(
    `insert into ${schema}.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      select $1, gen_random_uuid(), substr(sha256(random()::text::bytea), 1, 16), now(),
          now() + interval '1 day', sha256(random()::text::bytea)
        from generate_series(1, $2)`,
    [tenant, count],
  )
}

/** @returns Names of all tables whose rows belong to tenants. */
export async function tenantTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
      where c.relkind in ('r', 'p') and not c.relispartition
        and c.relnamespace::regnamespace::text in ('platform', 'live', 'sandbox')
        and (c.oid = 'platform.tenant'::regclass or exists (
          select from pg_attribute a
            where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
      order by 1`,
  )
  return rows.map(({ name }) => name)
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex")
}
