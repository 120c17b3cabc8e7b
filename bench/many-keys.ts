/** Databases with many keys in them, and admission over one connection as the program has it. */
import { createHash } from "node:crypto"
import type pg from "pg"
import { Admission } from "../src/admission/admission.ts"
import type { Arrival } from "../src/admission/batch.ts"
import { newUuid } from "../src/core/ids.ts"
import { Problem } from "../src/core/problem.ts"
import { runStatement } from "../src/db/connection.ts"
import type { Database } from "../src/db/database.ts"

export const KEYS_A_TENANT = 100
/** Of every second tenant: a rate and a quota, both out of reach. The others are `unlimited`. */
export const LIMITED_PLAN = "limited"

/** One object, as of the answers that lie ready. */
const OUTCOME = { status: 200, latencyBucket: 0, cacheHit: true }

export type AskingKey = Pick<Arrival, "index8" | "digest">

/** @returns Key `n` of those that {@link fillKeys} made: `n / KEYS_A_TENANT` is its tenant. */
export function keyNumber(n: number): AskingKey {
  const digest = createHash("sha256").update(String(n)).digest("hex")
  return { index8: digest.slice(0, 8), digest }
}

/** An id that is a number, in SQL. */
export const uuidOf = (n: string): string => `lpad(to_hex(${n}), 32, '0')::uuid`

/** Ten million take three minutes and 4 GB of disk. */
export async function fillKeys(client: pg.Client, keys: number): Promise<void> {
  await client.query(`
    insert into platform.plan (name, units_per_month, requests_per_second, burst)
      values ('${LIMITED_PLAN}', 1000000000, 1000000, 1000000);
    insert into platform.tenant (id, name_index, sealed_name, plan)
      select ${uuidOf("t")}, decode(md5(t::text), 'hex'), '\\x00',
        case when t % 2 = 1 then '${LIMITED_PLAN}' else 'unlimited' end
      from generate_series(0, ${keys / KEYS_A_TENANT - 1}) t;
    alter table live.api_key drop constraint api_key_pkey; -- made again at the end, which is quicker
    drop index live.api_key_index8;
    set session_replication_role = replica; -- each key's tenant is there: not asked ten million times
    insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
      select ${uuidOf(`k / ${KEYS_A_TENANT}`)}, ${uuidOf("k")}, decode(repeat('00', 40), 'hex'),
        left(encode(d, 'hex'), 8), d
      from (select k, sha256(k::text::bytea) as d from generate_series(0, ${keys - 1}) k offset 0) s;
    set session_replication_role = default;
    set maintenance_work_mem = '512MB';
    alter table live.api_key add primary key (tenant_id, id);
    create index api_key_index8 on live.api_key (index8);
  `)
  for (const table of ["platform.tenant", "live.api_key"])
    await client.query(`vacuum analyze ${table}`)
}

/** @returns Admission whose statements go over this connection alone. */
export function admissionOver(client: pg.Client): Admission {
  const database = {
    call: async (text: string, args: unknown[]) => (await runStatement(client, text, args)).rows,
  } as unknown as Database
  return new Admission(database, "live")
}

/** Admits one request a key, in one batch, each with its outcome. @throws Problem of one refused. */
export function admitAll(
  admission: Admission,
  keys: readonly AskingKey[],
  options: { readonly introduced: boolean },
): Promise<unknown> {
  return Promise.all(
    keys.map(
      (key) =>
        new Promise<void>((resolve, reject) => {
          const arrival = {
            ...key,
            ...(options.introduced && { caller: admission.callerOf(key.digest) }),
            ...{ requestId: newUuid(), route: 1, cost: 1, scope: 1 },
            outcome: OUTCOME,
          }
          admission.admit(arrival, (result) =>
            result instanceof Problem ? reject(result) : resolve(),
          )
        }),
    ),
  )
}
