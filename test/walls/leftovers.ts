/** What a transaction can leave in its session, and how the next one on the connection would see it. */
import type { Tx } from "../../src/db/database.ts"

export interface Leftover {
  readonly what: string
  readonly leave: string
  /** Its answer, or its SQLSTATE, must be what it is on a new connection. */
  readonly look: string
}

export const LEFTOVERS: readonly Leftover[] = [
  ["a search path", "set search_path = live", "show search_path"],
  ["no time-out", "set statement_timeout = 0", "show statement_timeout"],
  [
    "an isolation level",
    "set session characteristics as transaction isolation level serializable",
    "show default_transaction_isolation",
  ],
  [
    "no way to write",
    "set default_transaction_read_only = on",
    "show default_transaction_read_only",
  ],
  [
    "a tenant",
    "set zt.tenant = '0193a000-0000-7000-8000-00000000000a'",
    "select current_setting('zt.tenant', true)",
  ],
  [
    "a setting of its own",
    "set zt.note = 'of the last tenant'",
    "select coalesce(nullif(current_setting('zt.note', true), ''), 'none')",
  ],
  ["another role", "set role zt_sandbox", "select current_user"],
  ["a statement with a value in it", "prepare p as select 'of the last tenant'", "execute p"],
  [
    "rows in a held cursor",
    "declare c cursor with hold for select id from live.analysis",
    "fetch all from c",
  ],
].map(([what = "", leave = "", look = ""]) => ({ what, leave, look }))

/** @returns What the next transaction sees, as text. */
export async function seen(tx: Tx, { look }: Leftover): Promise<string> {
  return JSON.stringify(await tx.query(look))
}
