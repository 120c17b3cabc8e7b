/**
 * Observations on disk, each its tenant's own.
 *
 * Owns: the rows. Not: how long one is good for (analyst.ts), what it means (engine/).
 * Trust: row security alone decides which rows are the tenant's.
 */
import { canonicalJson } from "../core/canonical-json.ts"
import { newUuid } from "../core/ids.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Observation } from "../engine/types.ts"

export interface StoredObservation {
  readonly observation: Observation
  readonly expiresAt: Date
}

/** @returns The newest observation of a host that has not expired, or undefined. */
export async function latestObservation(
  tx: Tx,
  environment: Environment,
  host: string,
  now: Date,
): Promise<StoredObservation | undefined> {
  const [row] = await tx.query<{ observation: string; expires_at: Date }>(
    `select observation, expires_at from ${SCHEMAS[environment]}.analysis
      where tenant_id = (select platform.current_tenant()) and domain = $1 and expires_at > $2
      order by observed_at desc limit 1`,
    [host, now],
  )
  return row && { observation: JSON.parse(row.observation), expiresAt: row.expires_at }
}

/** Keeps an observation, as its canonical JSON. */
export async function saveObservation(
  tx: Tx,
  environment: Environment,
  { observation, expiresAt }: StoredObservation,
): Promise<void> {
  await tx.query(
    `insert into ${SCHEMAS[environment]}.analysis (tenant_id, id, domain, observed_at, expires_at, observation)
      values (platform.current_tenant(), $1, $2, $3, $4, $5)`,
    [
      newUuid(),
      observation.name.host,
      observation.observedAt,
      expiresAt,
      canonicalJson(observation),
    ],
  )
}
