/**
 * Requests for keys as an operator has them: seen, approved, declined, given a new link.
 *
 * Owns: the decisions and their audit entries, each in the decision's transaction. Not: sending mail.
 * Invariants: a request is decided once; of its links only the newest is good; one that showed its key
 * shows none again, and gets a new link only when that key is revoked.
 */
import { append } from "../audit/append.ts"
import { encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { operator, revokeKey } from "./life.ts"
import type { Link } from "./link.ts"
import { LINK_HOURS } from "./link.ts"
import { openAsked, sealAsked } from "./request.ts"
import type { RequestRow, ShownRequest } from "./request-row.ts"
import { findRequest, notFound, openRequest, REQUEST_COLUMNS } from "./request-row.ts"
import { checkName } from "./row.ts"
import { DEFAULT_SCOPES, scopeBits, scopesOf } from "./scopes.ts"
import { tenantIndexes } from "./tenants.ts"

export interface Approval {
  /** By default the one that was wished for; not with a tenant that is there. */
  readonly plan?: string | undefined
  readonly environment: Environment
  readonly scopes?: readonly string[] | undefined
  /** By default the organisation's name, of a new tenant. One that is there gets the key. */
  readonly tenant?: string | undefined
}

/** @returns Requests in the order in which they came; without `all`, those not done with. */
export async function listRequests(
  tx: Tx,
  keyring: Keyring,
  all: boolean,
): Promise<ShownRequest[]> {
  const rows = await tx.query<RequestRow>(
    `select ${REQUEST_COLUMNS} from platform.key_request
      where $1 or state in ('open', 'approved') order by asked_at, id`,
    [all],
  )
  return Promise.all(rows.map((row) => openRequest(keyring, row)))
}

/** @throws Problem `NOT_FOUND` */
export async function showRequest(tx: Tx, keyring: Keyring, id: string): Promise<ShownRequest> {
  return openRequest(keyring, await findRequest(tx, id))
}

/**
 * Has a link made for the applicant; the key is made when they use it.
 * @throws Problem `NOT_FOUND` (the plan too), `CONFLICT` for what was decided before, for a tenant whose
 *   name the organisation happens to have, or one on another plan; `INVALID_REQUEST`.
 */
export async function approveRequest(
  tx: Tx,
  keyring: Keyring,
  id: string,
  approval: Approval,
  { digest }: Link,
  actor: string,
): Promise<ShownRequest> {
  const row = await findRequest(tx, id, "for update")
  if (row.state !== "open") throw decided(row)
  const asked = await openAsked(keyring, row.id, row.sealed)
  const { environment, tenant } = approval
  const scopes = scopeBits(approval.scopes ?? DEFAULT_SCOPES)
  const name = tenant ?? asked.organisation
  checkName("tenant", name)
  const [there] = await tx.query<{ id: string; plan: string }>(
    "select id, plan from platform.tenant where name_index = any ($1)",
    [tenantIndexes(keyring, name)],
  )
  if (there !== undefined && tenant === undefined) {
    throw conflict(
      "A tenant has the name of that organisation. Is the applicant one of them? Then --tenant with that name gives it the key; otherwise --tenant with another name makes a new tenant.",
    )
  }
  const plan = await choosePlan(tx, approval.plan, asked.plan, there?.plan)
  const sealed = sealAsked(keyring, row.id, { ...asked, ...(tenant !== undefined && { tenant }) })
  await tx.query(
    `update platform.key_request set state = 'approved', decided_at = clock_timestamp(),
        decided_by = $2, plan = $3, environment = $4, scopes = $5, given_to = $6, sealed = $7,
        ${NEW_LINK.replace("$n", "$8")}
      where id = $1`,
    [row.id, actor, plan, environment, scopes, there?.id ?? null, sealed, digest],
  )
  await record(tx, "request.approved", row, actor, {
    plan,
    environment,
    scopes: scopesOf(scopes).join(" "),
  })
  return openRequest(keyring, await findRequest(tx, id))
}

/** Ends a link that is out, too. @throws Problem `NOT_FOUND`, or `CONFLICT` once its key was shown. */
export async function declineRequest(
  tx: Tx,
  keyring: Keyring,
  id: string,
  actor: string,
): Promise<ShownRequest> {
  const row = await findRequest(tx, id, "for update")
  if (row.state !== "open" && row.state !== "approved") throw decided(row)
  await tx.query(
    `update platform.key_request set state = 'declined', decided_at = clock_timestamp(),
        decided_by = $2, link_digest = null, link_ends_at = null, mail_due_at = null where id = $1`,
    [row.id, actor],
  )
  await record(tx, "request.declined", row, actor)
  return openRequest(keyring, await findRequest(tx, id))
}

/**
 * A new link in place of the last, which is dead from the commit on.
 * @param revoke - Also where its key was shown: that one is revoked.
 * @throws Problem `NOT_FOUND`, or `CONFLICT` for what was not approved, or whose key was shown.
 */
export async function relinkRequest(
  tx: Tx,
  keyring: Keyring,
  id: string,
  revoke: boolean,
  { digest }: Link,
  actor: string,
): Promise<ShownRequest> {
  const row = await findRequest(tx, id, "for update")
  if (row.state === "open") throw conflict(`${id} is not approved yet: requests approve ${id}`)
  if (row.state === "declined") throw decided(row)
  if (row.key_id !== null) {
    if (!revoke) {
      throw conflict(
        `${id} was used: its key ${encodeId("key", row.key_id)} was shown, once. If the applicant does not have it, add --revoke: that key ends, and the new link makes another.`,
      )
    }
    await revokeKey(tx, operator(actor), encodeId("key", row.key_id))
  }
  await tx.query(
    `update platform.key_request set state = 'approved', done_at = null, key_id = null,
        ${NEW_LINK.replace("$n", "$2")} where id = $1`,
    [row.id, digest],
  )
  await record(tx, "request.relinked", row, actor)
  return openRequest(keyring, await findRequest(tx, id))
}

/** Notes that a link went out. */
export async function linkMailed(tx: Tx, { digest }: Link): Promise<void> {
  await tx.query(
    "update platform.key_request set mailed_at = clock_timestamp() where link_digest = $1",
    [digest],
  )
}

const NEW_LINK = `link_digest = $n, mailed_at = null, mail_due_at = null,
  link_ends_at = clock_timestamp() + interval '${LINK_HOURS} hours'`

/** @param current - Of a tenant that is there, which keeps its own. */
async function choosePlan(
  tx: Tx,
  wanted: string | undefined,
  wished: string | undefined,
  current: string | undefined,
): Promise<string> {
  if (current !== undefined) {
    if (wanted === undefined || wanted === current) return current
    throw conflict(
      `That tenant is on the plan '${current}'; 'tenants plan ID ${wanted}' changes it.`,
    )
  }
  const plan = wanted ?? wished
  if (plan === undefined) {
    throw new Problem("INVALID_REQUEST", {
      message: "The applicant named no plan: add --plan; 'plans list' shows all.",
    })
  }
  const [there] = await tx.query("select from platform.plan where name = $1", [plan])
  if (there === undefined) {
    const whose = wanted === undefined ? ", which the applicant wished for: add --plan" : ""
    throw notFound(`There is no plan '${plan}'${whose}; 'plans list' shows all.`)
  }
  return plan
}

function record(
  tx: Tx,
  action: "request.approved" | "request.declined" | "request.relinked",
  { id, given_to: tenantId }: RequestRow,
  actor: string,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  const subject = encodeId("krq", id)
  return append(tx, { actor, action, subject, details, ...(tenantId !== null && { tenantId }) })
}

function decided({ id, state, decided_at: at }: RequestRow): Problem {
  const shown = encodeId("krq", id)
  const next =
    state === "approved"
      ? `requests relink ${shown} makes a new link`
      : state === "done"
        ? "its key was shown; 'keys revoke' ends that"
        : "who still wants a key asks again"
  return conflict(`${shown} was ${STATES[state]} on ${at?.toISOString().slice(0, 10)}: ${next}.`)
}

const STATES = { open: "asked", approved: "approved", declined: "declined", done: "approved" }

function conflict(message: string): Problem {
  return new Problem("CONFLICT", { message })
}
