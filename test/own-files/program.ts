/**
 * Opens the program's own files in a folder, as a start does beside a database of one's own: secrets,
 * the local authority, its leaf. `node program.ts DATA_DIR HOST`; another host needs new ones.
 *
 * Writes `{"value":SECRET}` of a secret that is set anew by each, and what it was before, or
 * `{"problem":CODE,"message":…}`.
 */
import { Problem } from "../../src/core/problem.ts"
import { openAuthority } from "../../src/edge/authority.ts"
import { fileSecrets } from "../../src/secrets/files.ts"

const [dataDir = "", host = ""] = process.argv.slice(2)
try {
  const secrets = fileSecrets(dataDir)
  const before = (await secrets.get("zt_backup-password")) ?? null
  const authority = await openAuthority({ dataDir, host, secrets, warn: () => {} })
  authority.close()
  await secrets.set("zt_backup-password", host)
  console.log(JSON.stringify({ before }))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  console.log(JSON.stringify({ problem: error.code, message: error.message }))
}
