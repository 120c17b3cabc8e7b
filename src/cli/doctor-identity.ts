/** Where the identity lies that opens the secrets, and what a thief of the data's disk would get. */
import { stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { findIdentity } from "../secrets/identity.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"

const CHECK = "identity"

/** Only looks at the file's beginning: no passphrase is needed. */
export async function checkIdentity(config: Config): Promise<Diagnosis> {
  let found: Awaited<ReturnType<typeof findIdentity>>
  try {
    found = await findIdentity(config.dataDir, config)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return fail(CHECK, error.message, "")
  }
  if (found === undefined) {
    return (await deviceOf(join(config.dataDir, "secrets.age"))) === undefined
      ? ok(CHECK, "made by the first start")
      : fail(
          CHECK,
          `there are secrets in ${config.dataDir}, but nothing that opens them`,
          "Put identity.txt back beside them, or name the recovery file in ZT_IDENTITY_FILE.",
        )
  }
  const { file, isEncrypted } = found
  if (isEncrypted) {
    return ok(
      CHECK,
      `${file}, encrypted under a passphrase; a thief of its disk gets nothing, as long as the passphrase is good and not on that disk`,
    )
  }
  // A credential is a symbolic link or lies in memory: what counts is where its bytes are.
  if ((await deviceOf(file)) !== (await deviceOf(config.dataDir))) {
    return ok(
      CHECK,
      `${file}, on another file system than the data; make sure that it is another disk, too`,
    )
  }
  const other = "/media/key/zygentrust-identity.txt"
  return warn(
    CHECK,
    `${file} lies on the same disk as the data: who steals or copies that disk reads all secrets, all that customers gave and asked, and every backup`,
    `Move it to a disk of its own: mv '${file}' ${other} and set ZT_IDENTITY_FILE=${other}. Or put it under a passphrase: bin/zygentrust secrets export-recovery '${join(dirname(file), "identity.age")}' and shred -u '${file}', then set ZT_IDENTITY_FILE=${join(dirname(file), "identity.age")} and give the passphrase by ZT_PASSPHRASE_FILE from elsewhere, or on the terminal. Or let systemd keep it, sealed to this machine: docs/secrets.md.`,
  )
}

async function deviceOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ dev }) => dev,
    () => undefined,
  )
}
