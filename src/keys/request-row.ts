/**
 * A request for a key as the database keeps it, and as an operator sees it.
 *
 * Owns: reading it. Not: deciding it (requests.ts), making it (request.ts).
 */
import type { Id } from "../core/ids.ts"
import { decodeId, encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Asked } from "./request.ts"
import { openAsked } from "./request.ts"
import type { Scope } from "./scopes.ts"
import { scopesOf } from "./scopes.ts"

/** Times are RFC 3339 in UTC. */
export interface ShownRequest {
  readonly id: Id<"krq">
  /** `done`: its key was shown. */
  readonly state: "open" | "approved" | "declined" | "done"
  readonly asked_at: string
  readonly name: string
  readonly organisation: string
  readonly purpose: string
  readonly contact: string
  /** As the applicant wrote it; it need not be there. */
  readonly plan_wished: string | null
  readonly decided_at: string | null
  readonly decided_by: string | null
  readonly plan: string | null
  readonly environment: Environment | null
  readonly scopes: readonly Scope[] | null
  /** Name that the tenant gets with its first key; null: the organisation's. */
  readonly tenant_name: string | null
  /** The tenant that has the key, or is to get it. */
  readonly tenant_id: Id<"ten"> | null
  readonly link: "none" | "out" | "expired" | "used"
  readonly link_ends_at: string | null
  readonly mailed_at: string | null
  readonly mail_tries: number
  readonly done_at: string | null
  readonly key_id: Id<"key"> | null
}

export const REQUEST_COLUMNS = `id, asked_at, sealed, state, decided_at, decided_by, plan, environment, scopes, given_to,
  link_ends_at, coalesce(link_ends_at <= clock_timestamp(), false) as link_ended, mailed_at, mail_tries,
  done_at, key_id`

export interface RequestRow {
  readonly id: string
  readonly asked_at: Date
  readonly sealed: Buffer
  readonly state: ShownRequest["state"]
  readonly decided_at: Date | null
  readonly decided_by: string | null
  readonly plan: string | null
  readonly environment: Environment | null
  readonly scopes: number | null
  readonly given_to: string | null
  readonly link_ends_at: Date | null
  readonly link_ended: boolean
  readonly mailed_at: Date | null
  readonly mail_tries: number
  readonly done_at: Date | null
  readonly key_id: string | null
}

/** @returns What an operator sees of it, opened. */
export async function openRequest(keyring: Keyring, row: RequestRow): Promise<ShownRequest> {
  const asked: Asked = await openAsked(keyring, row.id, row.sealed)
  const { name, organisation, purpose, contact, plan, tenant } = asked
  return {
    id: encodeId("krq", row.id),
    state: row.state,
    asked_at: row.asked_at.toISOString(),
    name,
    organisation,
    purpose,
    contact,
    plan_wished: plan ?? null,
    decided_at: row.decided_at?.toISOString() ?? null,
    decided_by: row.decided_by,
    plan: row.plan,
    environment: row.environment,
    scopes: row.scopes === null ? null : scopesOf(row.scopes),
    tenant_name: tenant ?? null,
    tenant_id: row.given_to === null ? null : encodeId("ten", row.given_to),
    link: linkOf(row),
    link_ends_at: row.link_ends_at?.toISOString() ?? null,
    mailed_at: row.mailed_at?.toISOString() ?? null,
    mail_tries: row.mail_tries,
    done_at: row.done_at?.toISOString() ?? null,
    key_id: row.key_id === null ? null : encodeId("key", row.key_id),
  }
}

function linkOf(row: RequestRow): ShownRequest["link"] {
  if (row.state === "done") return "used"
  if (row.link_ends_at === null) return "none"
  return row.link_ended ? "expired" : "out"
}

/** @throws Problem `NOT_FOUND` */
export async function findRequest(
  tx: Tx,
  id: string,
  lock: "" | "for update" = "",
): Promise<RequestRow> {
  const uuid = decodeId("krq", id)
  // Not with the text itself: it can be anything.
  if (uuid === undefined) throw notFound("That is no request's id; one begins with 'krq_'.")
  const [row] = await tx.query<RequestRow>(
    `select ${REQUEST_COLUMNS} from platform.key_request where id = $1 ${lock}`,
    [uuid],
  )
  if (row === undefined) throw notFound(`There is no request ${id}.`)
  return row
}

export function notFound(message: string): Problem {
  return new Problem("NOT_FOUND", { message })
}
