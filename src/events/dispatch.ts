/**
 * Mails what a tenant's owner was not told yet: all of it in one mail, to the tenant's contact.
 *
 * Owns: whose turn it is, trying again, the marks. Not: the words (mail-text.ts), the clock of it
 * (job.ts).
 * Invariants: an event is marked only after its mail was handed over, so it is told at least once. A
 * contact is one instance's at a time, by a claim that ends by itself, and no transaction waits for
 * mail. To one contact goes a mail each ten minutes at most.
 */
import type { AdminDatabase, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Mailer } from "../mail/mail.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { readContact } from "./contact.ts"
import { unmailed } from "./events.ts"
import { mailOf } from "./mail-text.ts"

export interface Dispatch {
  readonly admin: AdminDatabase
  readonly keyring: Keyring
  readonly mailer: Mailer
  /** `https://host[:port]`. */
  readonly origin: () => string
}

/** Longer than handing a mail over takes: of an instance that dies, another takes it up. */
const CLAIM = "2 minutes"
const BETWEEN_MAILS = "10 minutes"
/** Events that could not be mailed for so long are not news any more. */
const GIVEN_UP_AFTER = "3 days"
const EVENTS_AT_ONCE = 500

interface Claim {
  readonly tenant_id: string
  readonly id: string
  readonly tries: number
}

/**
 * Mails one tenant, where one is due.
 * @returns Whether there was one.
 * @throws Problem where its mail could not be handed over; it is tried again, later each time.
 */
export async function mailOne({ admin, keyring, mailer, origin }: Dispatch): Promise<boolean> {
  const claim = await admin.asOperator(claimNext)
  if (claim === undefined) return false
  try {
    const { address, events } = await admin.asOperator(async (tx) => ({
      address: await readContact(tx, keyring, claim.tenant_id),
      events: await unmailed(tx, claim.tenant_id, GIVEN_UP_AFTER, EVENTS_AT_ONCE),
    }))
    if (address === undefined || events.length === 0) return true
    await mailer.send({ to: address, ...mailOf(origin(), events) })
    await admin.asOperator(async (tx) => {
      for (const [environment, schema] of Object.entries(SCHEMAS)) {
        const mine = events.filter((event) => event.environment === environment)
        await tx.query(
          `update ${schema}.event set mailed_at = clock_timestamp()
            where tenant_id = $1 and id = any ($2) and mailed_at is null`,
          [claim.tenant_id, mine.map(({ uuid }) => uuid)],
        )
      }
      await settle(tx, claim, 0, BETWEEN_MAILS)
    })
    return true
  } catch (error) {
    const tries = Math.min(claim.tries + 1, 100)
    const minutes = Math.min(2 ** tries, 360)
    await admin.asOperator((tx) => settle(tx, claim, tries, `${minutes} minutes`))
    throw error
  }
}

/** Takes the contact that waits longest, among those whose events are not mailed. */
async function claimNext(tx: Tx): Promise<Claim | undefined> {
  const waits = Object.values(SCHEMAS).map(
    (schema) =>
      `exists (select from ${schema}.event e where e.tenant_id = c.tenant_id
        and e.mailed_at is null and e.at > clock_timestamp() - interval '${GIVEN_UP_AFTER}')`,
  )
  const [claim] = await tx.query<Claim>(
    `update platform.contact set next_mail_at = clock_timestamp() + $1::interval
      where tenant_id = (
        select c.tenant_id from platform.contact c
          where c.next_mail_at <= clock_timestamp() and (${waits.join(" or ")})
          order by c.next_mail_at limit 1 for update skip locked
      )
      returning tenant_id, id, tries`,
    [CLAIM],
  )
  return claim
}

/** Not where the address was changed meanwhile: that one starts anew. */
async function settle(tx: Tx, { tenant_id, id }: Claim, tries: number, wait: string) {
  await tx.query(
    `update platform.contact set tries = $3, next_mail_at = clock_timestamp() + $4::interval
      where tenant_id = $1 and id = $2`,
    [tenant_id, id, tries, wait],
  )
}
