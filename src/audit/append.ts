/**
 * The one way into the audit log.
 *
 * Invariant: an action and its entry commit in one transaction; an action whose entry is refused
 * does not happen. Numbering and proofs come after commit and change no caller.
 */
import { newUuid } from "../core/ids.ts"
import type { Tx } from "../db/database.ts"

/** Closed: a privileged action cannot be declared without its name here. */
export type AuditAction =
  | "database.bootstrapped"
  | "database.migrated"
  | "backup.started"
  | "backup.restored"
  | "tenant.created"
  | "tenant.plan_changed"
  | "tenant.contact_changed"
  | "tenant.erased"
  | "plan.saved"
  | "plan.removed"
  | "secret.set"
  | "secret.rotated"
  | "secret.retired"
  | "secret.exported"
  | "request.approved"
  | "request.declined"
  | "request.relinked"
  | "key.issued"
  | "key.renamed"
  | "key.scopes_changed"
  | "key.addresses_changed"
  | "key.expiry_changed"
  | "key.disabled"
  | "key.enabled"
  | "key.rotated"
  | "key.revoked"
  | "key.leaked"
  | "key.throttled"
  | "key.throttle_lifted"
  | "finding.dismissed"

export interface AuditEntry {
  /** Who acted: `cli:<user name>`, `program`, a customer's `key_…`. */
  readonly actor: string
  readonly action: AuditAction
  /** The tenant concerned, if one is. */
  readonly tenantId?: string
  /** What was acted on: an id, never a secret. */
  readonly subject: string
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

/**
 * Adds an entry within the action's transaction; a key's is one of its own tenant, whatever it says.
 * @throws what the database refuses it with.
 */
export async function append(tx: Tx, entry: AuditEntry): Promise<void> {
  if (entry.actor.startsWith("key_")) {
    await tx.query("select audit.append_own($1, $2, $3, $4, $5)", [
      newUuid(),
      entry.actor,
      entry.action,
      entry.subject,
      entry.details ?? {},
    ])
    return
  }
  await tx.query("select audit.append($1, $2, $3, $4, $5, $6)", [
    newUuid(),
    entry.actor,
    entry.action,
    entry.tenantId ?? null,
    entry.subject,
    entry.details ?? {},
  ])
}
