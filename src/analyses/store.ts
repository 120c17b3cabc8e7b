/**
 * Observations on disk, each its tenant's own, sealed.
 *
 * Owns: the rows. Not: how long one is good for (analyst.ts), what it means (engine/).
 * Trust: row security alone decides which rows are the tenant's; without the tenant's keys they say
 * nothing but when something was looked at.
 */
import { canonicalJson } from "../core/canonical-json.ts"
import { newUuid } from "../core/ids.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { SealedTable } from "../db/reseal.ts"
import type { Observation } from "../engine/types.ts"
import type { Keyring, Keys } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"

export interface StoredObservation {
  readonly observation: Observation
  readonly expiresAt: Date
}

/** Whose rows, and what opens them. */
export interface Owner {
  readonly environment: Environment
  readonly tenantId: string
  readonly keyring: Keyring
  readonly keys: Keys
}

/** @returns The newest observation of a host that has not expired, or undefined. */
export async function latestObservation(
  tx: Tx,
  owner: Owner,
  host: string,
  now: Date,
): Promise<StoredObservation | undefined> {
  const table = tableOf(owner)
  const [row] = await tx.query<{ id: string; sealed: Buffer; expires_at: Date }>(
    `select id, sealed, expires_at from ${table}
      where domain_index = any ($1) and expires_at > $2
      order by observed_at desc limit 1`,
    [owner.keys.indexes(`${table}.domain`, host), now],
  )
  if (row === undefined) return undefined
  const text = await owner.keyring.open(owner.keys, placeOf(owner, row.id), row.sealed)
  return { observation: JSON.parse(text), expiresAt: row.expires_at }
}

/** Keeps an observation, as its canonical JSON. */
export async function saveObservation(
  tx: Tx,
  owner: Owner,
  { observation, expiresAt }: StoredObservation,
): Promise<void> {
  const table = tableOf(owner)
  const id = newUuid()
  const [index] = owner.keys.indexes(`${table}.domain`, observation.name.host)
  const sealed = owner.keys.seal(placeOf(owner, id), canonicalJson(observation))
  await tx.query(
    `insert into ${table} (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      values (platform.current_tenant(), $1, $2, $3, $4, $5)`,
    [id, index, observation.observedAt, expiresAt, sealed],
  )
}

/** What a rotation of the root key seals again. */
export const SEALED_ANALYSES: readonly SealedTable[] = Object.values(SCHEMAS).map((schema) => ({
  table: `${schema}.analysis`,
  column: "sealed",
  tenantColumn: "tenant_id",
  index: {
    column: "domain_index",
    what: `${schema}.analysis.domain`,
    by: "tenant",
    value: (observation) => (JSON.parse(observation) as Observation).name.host,
  },
}))

function tableOf({ environment }: Owner): string {
  return `${SCHEMAS[environment]}.analysis`
}

function placeOf(owner: Owner, rowId: string): Place {
  return { table: tableOf(owner), column: "sealed", tenantId: owner.tenantId, rowId }
}
