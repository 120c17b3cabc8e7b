/**
 * Audit entries of what is done to secrets. The store is no part of a transaction, so the intent is
 * recorded before, and the outcome after.
 */
import type { AuditAction } from "../audit/append.ts"
import { Problem } from "../core/problem.ts"
import type { Server } from "../db/server.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Cli } from "./cli.ts"

export interface Recorded {
  readonly action: Extract<AuditAction, `secret.${string}`>
  /** The secret's name, never its value. */
  readonly subject: string
}

/** Does what is recorded, on a server that is open. @throws Problem, with nothing done, unless both entries commit. */
export async function recordedOn<T>(
  server: Server,
  { action, subject }: Recorded,
  work: () => Promise<T>,
): Promise<T> {
  const [{ append }, { commandActor }] = await Promise.all([
    import("../audit/append.ts"),
    import("../keys/keys.ts"),
  ])
  const admin = server.admin()
  const record = (stage: "begun" | "done") =>
    admin.asOperator((tx) =>
      append(tx, { actor: commandActor(), action, subject, details: { stage } }),
    )
  try {
    await record("begun")
    const result = await work()
    await record("done")
    return result
  } finally {
    await admin.close()
  }
}

/**
 * The same for what must also be possible without a database, since it may be what repairs it:
 * whoever has the data folder could do it without this program. Says so when it is not recorded.
 */
export async function recorded<T>(
  cli: Cli,
  secrets: SecretStore,
  what: Recorded,
  work: () => Promise<T>,
): Promise<T> {
  const { openDeployment } = await import("../db/server.ts")
  let server: Server
  try {
    server = await openDeployment(cli.config, secrets)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    cli.err(`Not in the audit log, for the database cannot be used: ${error.message}`)
    return work()
  }
  try {
    return await recordedOn(server, what, work)
  } finally {
    await server.close()
  }
}
