/**
 * A link becomes a key, once: made at that moment, with its tenant where there is none yet, and told to
 * whoever brought the link, so that nobody has it before.
 *
 * Owns: making what the database is given. Not: deciding (the function `platform.claim_key`, in one
 * statement, under the request's lock: of many with one link, one gets the key).
 */
import type { Id } from "../core/ids.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Database, Environment } from "../db/database.ts"
import { newSeed } from "../db/tenant-seed.ts"
import type { Keyring, Keys } from "../secrets/keyring.ts"
import { generateKey, readKey } from "./format.ts"
import { linkDigest } from "./link.ts"
import { keysOf } from "./make.ts"
import type { Asked } from "./request.ts"
import { openAsked } from "./request.ts"
import { keyName } from "./row.ts"
import { tenantIndexes, tenantName } from "./tenants.ts"

export type Claim =
  | {
      readonly standing: "made"
      readonly id: Id<"key">
      readonly key: string
      readonly environment: Environment
    }
  /** `full`: the plan has no room for a key, or is gone. `unknown`: also replaced, or declined. */
  | { readonly standing: "unknown" | "expired" | "used" | "full" }

const KEY_NAME = "by request"
const MAX_NAME = 80
/** A name that is taken gets another end; what was decided anew meanwhile is read again. */
const TRIES = 4

/** @param token - Well-formed. @throws Problem `UNAVAILABLE`; then the link is as it was, or used. */
export async function claimKey(
  database: Pick<Database, "callAside" | "asTenant">,
  keyring: Keyring,
  token: string,
): Promise<Claim> {
  const digest = linkDigest(token)
  for (let round = 0; round < TRIES; round++) {
    const [link] = await database.callAside<LinkRow>(
      "select id, sealed, environment, given_to, standing from platform.key_link($1)",
      [digest],
    )
    if (link === undefined) return { standing: "unknown" }
    if (link.standing !== "good") return { standing: link.standing }
    const asked = await openAsked(keyring, link.id, link.sealed)
    const made = await make(database, keyring, link, asked, round)
    const [claimed] = await database.callAside<{ standing: Standing }>(
      `select platform.claim_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        as standing`,
      [digest, encodeId("krq", link.id), ...made.values],
    )
    const standing = claimed?.standing ?? "unknown"
    if (standing === "made") {
      return { standing, id: made.id, key: made.key, environment: link.environment }
    }
    if (standing !== "changed" && standing !== "name taken") return { standing }
  }
  throw new Problem("UNAVAILABLE", { retryAfterSeconds: 1 })
}

/** @returns The key, and what the database is told of it, in the order of its function. */
async function make(
  database: Pick<Database, "asTenant">,
  keyring: Keyring,
  { id: request, environment, given_to: givenTo }: LinkRow,
  { tenant, organisation, contact }: Asked,
  round: number,
) {
  const key = generateKey(environment)
  const parts = readKey(key)
  if (parts === undefined) throw new Problem("INTERNAL")
  const uuid = newUuid()
  const id = encodeId("key", uuid)
  const tenantId = givenTo ?? newUuid()
  const seed = givenTo === null ? newSeed() : null
  const keys =
    seed === null
      ? await database.asTenant(environment, tenantId, (tx) => keysOf(tx, keyring, tenantId))
      : keyring.keys(tenantId, seed)
  const name = round === 0 ? (tenant ?? organisation) : numbered(tenant ?? organisation, request)
  const contactId = newUuid()
  return {
    id,
    key,
    values: [
      tenantId,
      encodeId("ten", tenantId),
      tenantIndexes(keyring, name),
      keys.seal(tenantName(tenantId), name),
      seed,
      contactId,
      sealContact(keys, tenantId, contactId, contact),
      uuid,
      id,
      keys.seal(keyName(environment, tenantId, uuid), KEY_NAME),
      parts.index8,
      Buffer.from(parts.digest, "hex"),
    ],
  }
}

/** @returns The name with the request's last letters, which no other has. */
function numbered(name: string, request: string): string {
  const end = ` (${encodeId("krq", request).slice(-8)})`
  return name.slice(0, MAX_NAME - end.length) + end
}

/** The owner's mail address, where it is looked for. */
function sealContact(keys: Keys, tenantId: string, rowId: string, address: string): Buffer {
  return keys.seal(
    { table: "platform.contact", column: "sealed_address", tenantId, rowId },
    address,
  )
}

type Standing = Claim["standing"] | "changed" | "name taken"

interface LinkRow {
  readonly id: string
  readonly sealed: Buffer
  readonly environment: Environment
  readonly given_to: string | null
  readonly standing: "good" | "used" | "expired"
}
