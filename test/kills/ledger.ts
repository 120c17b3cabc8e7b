/**
 * What the killed programs acknowledged, and whether the data folder still knows all of it.
 *
 * Owns: the lists and the comparison. Not: who writes (writers), who kills (kills.ts).
 * The comparison logs in for itself, so it counts neither as a user of the server nor revives it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { decodeId } from "../../src/core/ids.ts"
import { Problem } from "../../src/core/problem.ts"
import { credentials, runStatement, withClient } from "../../src/db/connection.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { SecretStore } from "../../src/secrets/store.ts"

/** The secret that the operator's program replaces all the time: nothing else uses it. */
export const COUNTED_SECRET = "zt_backup-password"

/** Rows are compared in full at times, else those of the last while: earlier ones were seen. */
const RECENT = 500
const PATIENCE_MS = 30_000

export class Ledger {
  readonly #answers: { readonly id: string; readonly status: number }[] = []
  readonly #issued: string[] = []
  readonly #revoked: string[] = []
  #secret = 0
  #secrets: SecretStore | undefined

  /** An answer arrived, with its `x-request-id`. */
  answered(requestId: string, status: number): void {
    this.#answers.push({ id: uuidOf("req", requestId), status })
  }
  issued(keyId: string): void {
    this.#issued.push(uuidOf("key", keyId))
  }
  revoked(keyId: string): void {
    this.#revoked.push(uuidOf("key", keyId))
  }
  /** @param value - Each higher than the one before. */
  secretSet(value: number): void {
    this.#secret = value
  }

  get counts() {
    return {
      answers: this.#answers.length,
      issued: this.#issued.length,
      revoked: this.#revoked.length,
      secret: this.#secret,
    }
  }

  /** @returns What is missing or there twice, in words; empty when all is well. */
  async check(dataDir: string, which: "recent" | "all" = "all"): Promise<string[]> {
    const secret = this.#secret
    // One that was open all the time sees the others' changes, too, and is quicker.
    if (which === "all") this.#secrets = undefined
    this.#secrets ??= fileSecrets(dataDir)
    const secrets = this.#secrets
    const address = { socketFolder: folderOf(dataDir).run, database: EMBEDDED_DATABASE }
    const login = await credentials(secrets, "zt_migrate")
    const ask = () => withClient(address, login, (client) => this.faults(client, which))
    const found = await patiently(ask)
    const kept = Number((await secrets.get(COUNTED_SECRET))?.split(" ")[0] ?? 0)
    if (kept < secret) found.push(`the secret is at ${kept}, and ${secret} was acknowledged`)
    return found
  }

  /** The same of the database alone. @param client - Of whom row security lets see every row. */
  async faults(client: pg.ClientBase, which: "recent" | "all" = "all"): Promise<string[]> {
    const since = which === "all" ? 0 : -RECENT
    const answers = this.#answers.slice(since)
    const { rows } = await runStatement<{ fault: string }>(client, FAULTS, [
      answers.map(({ id }) => id),
      answers.map(({ status }) => status),
      this.#issued.slice(since),
      this.#revoked.slice(since),
    ])
    return rows.map(({ fault }) => fault)
  }
}

/** A server may have noticed only now that one of its processes is dead, and recover. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const passes = error instanceof Problem && error.code === "UNAVAILABLE"
      if (!passes || performance.now() > end) throw error
      await sleep(20)
    }
  }
}

function uuidOf(prefix: "req" | "key", id: string): string {
  const uuid = decodeId(prefix, id)
  if (uuid === undefined) throw new Error(`${id} is no ${prefix}_ id`)
  return uuid
}

/** An action and its audit entry commit together, so whatever is there has exactly one. */
const FAULTS = `
  select 'no usage row with its outcome for request ' || a.id || ', answered ' || a.status as fault
    from unnest($1::uuid[], $2::integer[]) a(id, status)
    where not exists (select from sandbox.usage u where u.request_id = a.id and u.status = a.status)
  union all
  select count(*) || ' usage rows for request ' || request_id
    from sandbox.usage group by request_id having count(*) > 1
  union all
  select 'no key ' || id from unnest($3::uuid[]) id
    where not exists (select from sandbox.api_key k where k.id = id.id)
  union all
  select 'key ' || id || ' is not revoked' from unnest($4::uuid[]) id
    where not exists (select from sandbox.api_key k where k.id = id.id and k.revoked_at is not null)
  union all
  select entries.count || ' entries of the log for ' || keys.count || ' ' || keys.action
    from (
      select 'key.issued' as action, count(*) from
        (select id from sandbox.api_key union all select id from live.api_key) k
      union all
      select 'key.revoked', count(*) from sandbox.api_key where revoked_at is not null
    ) keys
    join lateral (
      select count(*), count(distinct subject) as subjects from audit.entry e
        where e.action = keys.action
    ) entries on entries.count <> keys.count or entries.subjects <> keys.count`
