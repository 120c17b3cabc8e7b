/**
 * Events that a tenant's owner is told of: appended, and listed.
 *
 * Owns: kinds and what each says of itself, closed and never personal. Not: what makes the program's
 * own (the database's functions, asked by job.ts), mailing them (dispatcher.ts).
 * Invariant: of one tenant, kind and occasion there is one event, whoever tells it how often.
 */
import type { Id } from "../core/ids.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"

/** What each kind says of itself. Fields are public: the owner, the operator and mails show them. */
export interface EventDetails {
  /** The month in UTC, `YYYY-MM`; units as charged when it was seen; what the plan has. */
  readonly quota_80: QuotaDetail
  readonly quota_100: QuotaDetail
  /** Whole days before its end, RFC 3339. */
  readonly key_expiring: { readonly days: 7 | 1; readonly expires_at: string }
  /** Who reported it, by the name in the operator's file; `none`: the key had ended before. */
  readonly key_leaked: {
    readonly partner: string
    readonly action: "disabled" | "notified" | "none"
  }
  readonly key_sent_in_clear: Readonly<Record<never, never>>
  /** Of detectors: which, and figures of theirs. */
  readonly abuse_suspected: DetectorDetail
  readonly key_throttled: DetectorDetail
  readonly throttle_lifted: DetectorDetail
}

interface QuotaDetail {
  readonly month: string
  readonly units: number
  readonly per_month: number
}

type DetectorDetail = Readonly<Record<string, string | number | boolean | null>>

export type EventKind = keyof EventDetails

export const EVENT_KINDS = [
  "quota_80",
  "quota_100",
  "key_expiring",
  "key_leaked",
  "key_sent_in_clear",
  "abuse_suspected",
  "key_throttled",
  "throttle_lifted",
] as const satisfies readonly EventKind[]

/** An event as it is shown. Times are RFC 3339 in UTC. */
export interface ShownEvent {
  readonly id: Id<"evt">
  readonly kind: EventKind
  readonly at: string
  readonly environment: Environment
  /** The key it is about, if it is about one. */
  readonly key: Id<"key"> | null
  /** As in {@link EventDetails}. */
  readonly details: Readonly<Record<string, unknown>>
  /** When it was handed over to the owner's mail; null: it was not (yet). */
  readonly mailed_at: string | null
}

interface EventRow {
  readonly environment: Environment
  readonly tenant_id: string
  readonly id: string
  readonly kind: EventKind
  readonly key_id: string | null
  readonly at: Date
  readonly detail: Readonly<Record<string, unknown>>
  readonly mailed_at: Date | null
}

/** What an event is about. */
export interface About {
  /** UUID of a key. */
  readonly keyId?: string
  /** What it is told once of, 200 characters at most; by default it is always told. */
  readonly occasion?: string
}

/**
 * Appends an event, within the transaction where `sql` is one.
 * @param sql - An operator's, or the runtime's own: `{ query: database.callAside }`.
 * @returns Whether it is new: false where this occasion was told before.
 */
export async function appendEvent<Kind extends EventKind>(
  sql: Tx,
  environment: Environment,
  tenantId: string,
  kind: Kind,
  detail: EventDetails[Kind],
  { keyId, occasion = newUuid() }: About = {},
): Promise<boolean> {
  const [row] = await sql.query<{ told: boolean }>(
    `select ${SCHEMAS[environment]}.append_event($1, $2, $3, $4, $5) as told`,
    [tenantId, kind, keyId ?? null, occasion, detail],
  )
  return row?.told === true
}

export interface EventFilter {
  readonly kind?: EventKind | undefined
  /** UUID of a key. */
  readonly keyId?: string | undefined
  /** UUID of a tenant; an operator's transaction sees all of them. */
  readonly tenantId?: string | undefined
  /** UUID: what came before this one. */
  readonly before?: string | undefined
}

/** @returns Events, the newest first. Row security decides whose there are. */
export async function listEvents(
  tx: Tx,
  environments: readonly Environment[],
  { kind, keyId, tenantId, before }: EventFilter,
  limit: number,
): Promise<(ShownEvent & { readonly tenantId: string })[]> {
  const tables = environments.map(
    (environment) =>
      `(select ${eventColumns(environment)} from ${SCHEMAS[environment]}.event
        where ($1::text is null or kind = $1) and ($2::uuid is null or key_id = $2)
          and ($3::uuid is null or tenant_id = $3) and ($4::uuid is null or id < $4)
        order by id desc limit $5)`,
  )
  const rows = await tx.query<EventRow>(
    `select * from (${tables.join(" union all ")}) e order by id desc limit $5`,
    [kind ?? null, keyId ?? null, tenantId ?? null, before ?? null, limit],
  )
  return rows.map((row) => ({ ...shownEvent(row), tenantId: row.tenant_id }))
}

/** @returns A tenant's events that were not mailed, the oldest first, each with its UUID. */
export async function unmailed(
  tx: Tx,
  tenantId: string,
  notOlderThan: string,
  limit: number,
): Promise<(ShownEvent & { readonly uuid: string })[]> {
  const tables = (["live", "test"] as const).map(
    (environment) => `select ${eventColumns(environment)} from ${SCHEMAS[environment]}.event`,
  )
  const rows = await tx.query<EventRow>(
    `select * from (${tables.join(" union all ")}) e
      where tenant_id = $1 and mailed_at is null and at > clock_timestamp() - $2::interval
      order by id limit $3`,
    [tenantId, notOlderThan, limit],
  )
  return rows.map((row) => ({ ...shownEvent(row), uuid: row.id }))
}

/** @returns A select list for {@link EventRow}. */
function eventColumns(environment: Environment): string {
  return `'${environment}' as environment, tenant_id, id, kind, key_id, at, detail, mailed_at`
}

function shownEvent(row: EventRow): ShownEvent {
  return {
    id: encodeId("evt", row.id),
    kind: row.kind,
    at: row.at.toISOString(),
    environment: row.environment,
    key: row.key_id === null ? null : encodeId("key", row.key_id),
    details: row.detail,
    mailed_at: row.mailed_at?.toISOString() ?? null,
  }
}
