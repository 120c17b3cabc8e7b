/**
 * What somebody without a key asks for: written down sealed, decided by an operator (requests.ts) or
 * by a plan of self-service.
 *
 * Owns: what a request holds, and keeping it. Not: links (link.ts) and the key (claim.ts).
 * Invariants: who asks is never told whether anything was there before. What was written is the
 * deployment's until there is a tenant, and sealed with its keys.
 */
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Database } from "../db/database.ts"
import type { SealedTable } from "../db/reseal.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"
import { DEPLOYMENT } from "../secrets/sealing.ts"
import type { Attempt } from "./once.ts"
import { DEFAULT_SCOPES, scopeBits } from "./scopes.ts"

export interface Applicant {
  readonly name: string
  readonly organisation: string
  readonly purpose: string
  /** Mail address: where the link goes. */
  readonly contact: string
  /** The plan that is wished for; it need not be there. */
  readonly plan?: string | undefined
}

/** What is sealed of a request. */
export interface Asked extends Applicant {
  /** Name that an operator gives the tenant, in place of the organisation's. */
  readonly tenant?: string
}

/** A plan that people may issue themselves a key on. Null: no limit. */
export interface OpenPlan {
  readonly name: string
  readonly units_per_month: number | null
  readonly requests_per_second: number | null
}

export interface AskOptions {
  /** A link can be mailed; without that, an operator decides on all plans. */
  readonly canMail: boolean
  /** Requests that may wait at once. */
  readonly most: number
}

const TABLE = "platform.key_request"
const CONTACT = `${TABLE}.contact`
const ATTEMPT = `${TABLE}.attempt`
/** Links that self-service mails in an hour, at most: who asks can name anybody's address. */
const HOURLY = 60
const FULL_SECONDS = 3_600

/**
 * @returns The request's id, also where one of an address that asked too often was not kept.
 * @throws Problem `RATE_LIMITED` when as many wait as may, `UNAVAILABLE`.
 */
export async function askForKey(
  database: Pick<Database, "callAside">,
  { deployment }: Keyring,
  applicant: Applicant,
  attempt: Attempt | undefined,
  { canMail, most }: AskOptions,
): Promise<{ readonly id: string; readonly isSelfService: boolean }> {
  const id = newUuid()
  const { name, organisation, purpose, contact, plan } = applicant
  const asked: Asked = { name, organisation, purpose, contact, ...(plan !== undefined && { plan }) }
  // Nobody is known here, so that an attempt is its name and its content.
  const hex = attempt && `${attempt.header.toString("hex")} ${attempt.request.toString("hex")}`
  const [row] = await database.callAside<{ outcome: string; kept: string }>(
    "select outcome, kept from platform.ask_for_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [
      id,
      encodeId("krq", id),
      deployment.seal(placeOf(id), JSON.stringify(asked)),
      deployment.indexes(CONTACT, indexed(contact)),
      hex === undefined ? null : deployment.indexes(ATTEMPT, hex)[0],
      plan ?? null,
      scopeBits(DEFAULT_SCOPES),
      canMail,
      most,
      HOURLY,
    ],
  )
  if (row?.outcome === "full") {
    throw new Problem("RATE_LIMITED", {
      message: "More people have asked for keys than are answered yet: try again later.",
      retryAfterSeconds: FULL_SECONDS,
    })
  }
  return { id: encodeId("krq", row?.kept ?? id), isSelfService: canMail && plan !== undefined }
}

/** @returns Plans that people may issue themselves a key on, the smallest first. */
export async function selfServicePlans(database: Pick<Database, "callAside">): Promise<OpenPlan[]> {
  const rows = await database.callAside<OpenPlan & { units_per_month: string | null }>(
    "select name, units_per_month, requests_per_second from platform.self_service_plans()",
  )
  return rows.map((row) => ({
    ...row,
    units_per_month: row.units_per_month === null ? null : Number(row.units_per_month),
  }))
}

/** @param id - UUID. */
export function sealAsked(keyring: Keyring, id: string, asked: Asked): Buffer {
  return keyring.deployment.seal(placeOf(id), JSON.stringify(asked))
}

/** @param id - UUID. */
export async function openAsked(keyring: Keyring, id: string, sealed: Buffer): Promise<Asked> {
  return JSON.parse(await keyring.open(keyring.deployment, placeOf(id), sealed)) as Asked
}

/** What a rotation of the root key seals again. */
export const SEALED_REQUESTS: SealedTable = {
  table: TABLE,
  column: "sealed",
  tenantColumn: null,
  index: {
    column: "contact_index",
    what: CONTACT,
    by: "deployment",
    value: (plain) => indexed((JSON.parse(plain) as Asked).contact),
  },
}

/** Nearly every mailbox reads its local part in any case. */
function indexed(contact: string): string {
  return contact.toLowerCase()
}

function placeOf(id: string): Place {
  return { table: TABLE, column: "sealed", tenantId: DEPLOYMENT, rowId: id }
}
