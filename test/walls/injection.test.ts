/**
 * I1, I3: SQL injection, planted on purpose. The attacker writes any expression, any sub-select, or
 * whatever else leaves a literal, into a statement of the extended protocol.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Attack } from "./attack.ts"
import { DENIED, describeAttacks, NO_ROW_SECURITY } from "./attack.ts"
import { PAYLOADS } from "./payloads.ts"

const TIMEOUT_MS = 300

/** What a careless route would send. */
const literal = (payload: string) =>
  `select id::text as value from live.analysis where id::text = '${payload}'`
const ordered = (payload: string) =>
  `select id::text as value from live.analysis order by ${payload}`
const limited = (payload: string) => `select id::text as value from live.analysis limit ${payload}`

const SYNTAX = "42601"

const BREAK_OUTS: readonly Attack[] = [
  { what: "or", sql: literal("' or '1'='1"), down: NO_ROW_SECURITY },
  {
    what: "a union",
    sql: literal("' union select id::text from live.analysis --"),
    down: NO_ROW_SECURITY,
  },
  {
    what: "a union over a comment",
    sql: literal("'/**/union/**/select/**/seed::text/**/from/**/platform.tenant_key--"),
    down: NO_ROW_SECURITY,
  },
  {
    what: "an order by a sub-select",
    sql: ordered("(select seed::text from platform.tenant_key limit 1)"),
    down: NO_ROW_SECURITY,
  },
  {
    what: "a limit by a sub-select",
    sql: limited("(select count(*) from live.analysis)"),
    down: NO_ROW_SECURITY,
  },
  { what: "a second statement", sql: literal("'; set role zt_runtime --"), refused: SYNTAX },
  {
    what: "a second statement that commits",
    sql: literal("'; commit; reset role; --"),
    refused: SYNTAX,
  },
  {
    what: "a second statement in Unicode",
    sql: literal("'; set role zt_runtime; --\u02bc"),
    refused: SYNTAX,
  },
  {
    what: "a lock after all",
    sql: `${literal("' or '1'='1")} for update`,
    refused: DENIED,
    down: "grant update on live.analysis to zt_tenant",
  },
  {
    what: "a table made of the answer",
    sql: literal("x").replace("from", "into temp t from"),
    refused: DENIED,
    down: "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
  },
]

describe("the payloads", () => {
  it("are many, and no two alike", () => {
    assert.ok(PAYLOADS.length >= 60)
    assert.equal(new Set(PAYLOADS.map(({ sql }) => sql)).size, PAYLOADS.length)
  })
})

describeAttacks("an injected expression", "live", [...PAYLOADS, ...BREAK_OUTS], async (db) => {
  await db.asSuperuser(async (client) => {
    const { rows } = await client.query("select current_database() as name")
    await client.query(
      `alter role zt_runtime in database ${rows[0].name} set statement_timeout = ${TIMEOUT_MS}`,
    )
  })
})
