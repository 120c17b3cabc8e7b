/**
 * Takes a backup of a running deployment: records it, makes the file, and renews the tenants' keys
 * beside it.
 */
import { dirname, join } from "node:path"
import { append } from "../audit/append.ts"
import { Problem } from "../core/problem.ts"
import type { AdminDatabase } from "../db/database.ts"
import type { Backing } from "./backing.ts"
import { SEEDS_FILE } from "./folder.ts"
import type { Made, MakeOptions } from "./make.ts"
import { makeBackup, writeSeeds } from "./make.ts"
import { readBackup } from "./reader.ts"
import { withTurn } from "./runs.ts"
import { exists } from "./scratch.ts"
import { signerOf } from "./signature.ts"
import { checkFolder, refuseExisting } from "./writer.ts"

export interface TakeOptions extends MakeOptions {
  readonly admin: AdminDatabase
  /** Who does it, for the audit log: `cli:<user>` or `program`. */
  readonly actor: string
  /** Makes the file; by default here, in this thread. */
  readonly make?: (options: MakeOptions) => Promise<Made>
}

/** @throws Problem `BACKUP`, `DATABASE` or `UNAVAILABLE`; no file is left then. */
export async function takeBackup(options: TakeOptions): Promise<Made> {
  const { admin, actor, file, make = makeBackup } = options
  const folder = dirname(file)
  await refuseExisting(file)
  await checkFolder(folder)
  await refuseForeignSeeds(folder, options.backing)
  // Before anything is read: who makes a backup reads everything.
  await admin.asOperator((tx) =>
    append(tx, { actor, action: "backup.started", subject: file.slice(-200) }),
  )
  const made = await make(options)
  await renewSeeds(folder, options)
  return made
}

/**
 * Replaces `tenant-keys.age` of a folder by what is in the database now. After an erasure too: then
 * the tenant's data is gone from every backup beside it.
 */
export async function renewSeeds(
  folder: string,
  { admin, backing, signal }: Pick<TakeOptions, "admin" | "backing" | "signal">,
): Promise<void> {
  // In turn, so that an older snapshot never replaces a newer one's file.
  await withTurn(admin, "tenant_keys", true, () =>
    writeSeeds(backing, join(folder, SEEDS_FILE), signal),
  )
}

async function refuseForeignSeeds(folder: string, { identity }: Backing): Promise<void> {
  const path = join(folder, SEEDS_FILE)
  if (!(await exists(path))) return
  const { deployment } = signerOf(identity)
  await readBackup({ path, kind: "tenant-keys", identity, deployment }).catch((cause) => {
    throw new Problem("BACKUP", {
      message: `${path} is not this deployment's, or is damaged, and would be replaced: give another folder, or move that file away first. No backup was made.`,
      cause,
    })
  })
}
