/**
 * An attack on the walls in the database, and the same with the wall taken down.
 *
 * The first goes the program's own way (`Database.asTenant`). The second runs in a transaction that
 * is rolled back: a superuser takes the wall down, becomes the runtime, the tenant's role, and
 * attacks; it must succeed, or the first has shown nothing.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { messageOf } from "../../src/core/thrown.ts"
import type { Database, Environment } from "../../src/db/database.ts"
import { sqlState } from "../../src/db/errors.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import { ALICE, BOB, furnish, NOBODY } from "./tenants.ts"

export interface Attack {
  readonly what: string
  /** One statement, in the attacker's words. */
  readonly sql: string
  /**
   * The SQLSTATE of its refusal. Without one, the attack is answered or fails, and neither the
   * answer nor the error says anything of Bob's.
   */
  readonly refused?: string
  /** It names Bob's id: outcome and words must be those of an id that nobody has. */
  readonly oracle?: boolean
  /** What takes the wall down. Without it, PostgreSQL itself is the wall. */
  readonly down?: string
}

const ROLES = { live: "zt_tenant", test: "zt_sandbox" } as const

export const DENIED = "42501"

/** Takes row security off everything, for {@link Attack.down}. */
export const NO_ROW_SECURITY = `do $$ declare t regclass; begin
  for t in select oid from pg_class where relrowsecurity loop
    execute format('alter table %s disable row level security', t);
  end loop; end $$`

/** @returns SQL that lets everybody call all functions of these names. */
export function allow(...names: readonly string[]): string {
  return `do $$ declare f regprocedure; begin
    for f in select oid from pg_proc where proname = any ('{${names}}') loop
      execute format('grant execute on function %s to public', f);
    end loop; end $$`
}

export interface Outcome {
  /** SQLSTATE of an error. */
  readonly state: string | undefined
  readonly failed: boolean
  /** Rows as JSON, or all that the error says. */
  readonly said: string
}

/** Attacks as the program would run it. */
export function attempt(
  database: Database,
  environment: Environment,
  { sql }: Pick<Attack, "sql">,
): Promise<Outcome> {
  return outcome(database.asTenant(environment, ALICE, (tx) => tx.query(sql)))
}

/** Attacks with the wall down. Nothing stays. */
export function attemptWithout(
  db: TestDatabase,
  environment: Environment,
  { sql, down }: Pick<Attack, "sql" | "down">,
): Promise<Outcome> {
  return db.asSuperuser(async (client) => {
    await client.query("begin")
    if (down) await client.query(down)
    await client.query("set local session authorization zt_runtime")
    await client.query("select set_config('zt.tenant', $1, true), set_config('role', $2, true)", [
      ALICE,
      ROLES[environment],
    ])
    const result = await outcome(extended(client, sql))
    await client.query("rollback")
    return result
  })
}

/**
 * Declares a suite: each attack, with the wall and without, on both versions.
 * @param arrange - Done once for each database, before all.
 */
export function describeAttacks(
  title: string,
  environment: Environment,
  attacks: readonly Attack[],
  arrange: (db: TestDatabase) => Promise<void> = async () => {},
): void {
  for (const major of [18, 15] as const) {
    describe(`${title}, PostgreSQL ${major}`, () => {
      let db: TestDatabase
      let secrets: ReadonlySet<string>
      before(async () => {
        db = await createDatabase(major)
        await arrange(db)
        secrets = await furnish(db)
      })
      after(() => db.drop())
      for (const attack of attacks) {
        it(attack.what, async () => {
          if (attack.oracle) {
            const nobodys = { ...attack, sql: attack.sql.replaceAll(BOB, NOBODY) }
            const [open, none] = [
              await attemptWithout(db, environment, attack),
              await attemptWithout(db, environment, nobodys),
            ]
            assert.notEqual(open.said, none.said, "with the wall down it tells")
            const closed = await attempt(db.database, environment, attack)
            assert.deepEqual(closed, await attempt(db.database, environment, nobodys))
            return
          }
          if (attack.down !== undefined) {
            const open = await attemptWithout(db, environment, attack)
            if (attack.refused === undefined) {
              assert.ok(tells(open, secrets), `with the wall down it succeeds: ${open.said}`)
            } else {
              assert.ok(!open.failed, `with the wall down it succeeds: ${open.said}`)
            }
          }
          assertFailed(attack, await attempt(db.database, environment, attack), secrets)
        })
      }
    })
  }
}

export function assertFailed(attack: Attack, outcome: Outcome, secrets: ReadonlySet<string>): void {
  assert.ok(!tells(outcome, secrets), `${attack.what} tells: ${outcome.said}`)
  if (attack.refused !== undefined) assert.equal(outcome.state, attack.refused, outcome.said)
}

function tells({ said }: Outcome, secrets: ReadonlySet<string>): boolean {
  return [...secrets].some((secret) => said.includes(secret))
}

async function outcome(promise: Promise<unknown>): Promise<Outcome> {
  try {
    return { state: undefined, failed: false, said: JSON.stringify(await promise) ?? "" }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    const details = Object.values(cause as object).filter((value) => typeof value === "string")
    const said = [messageOf(error), messageOf(cause), ...details].join(" | ")
    return { state: sqlState(error), failed: true, said }
  }
}

async function extended(client: pg.Client, text: string): Promise<unknown> {
  const query: pg.QueryConfig & { queryMode: "extended" } = { text, queryMode: "extended" }
  return (await client.query(query)).rows
}
