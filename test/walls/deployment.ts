/** A running program with a lab around it and tenants in it, and its superuser's view from below. */
import type pg from "pg"
import type { Lab } from "../../lab/lab.ts"
import { startLab } from "../../lab/lab.ts"
import { withClient } from "../../src/db/connection.ts"
import type { Environment } from "../../src/db/database.ts"
import { platformPackage } from "../../src/db/embedded/binaries.ts"
import { openEmbedded } from "../../src/db/embedded/embedded.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { SCOPE_NAMES } from "../../src/keys/scopes.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { Answer, Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"
import type { Request } from "./operations.ts"

export interface Deployment {
  readonly lab: Lab
  readonly program: Program
  ask(request: Request, key?: string): Promise<Answer>
  /** Issues a key that may do all that there is, and makes the tenant when there is none of that name. */
  issue(tenant: string, environment: Environment): Promise<string>
  asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** @param settings - Of the program, besides the lab's. */
export async function startDeployment(
  settings: Readonly<Record<string, string>> = {},
): Promise<Deployment> {
  const lab = await startLab()
  // What hammers here is to be answered, and what looks by itself is no request's doing.
  const quiet = { ZT_ABUSE_THROTTLE: "no", ZT_ABUSE_EVERY_SECONDS: "3600" }
  const options = { environment: { ...lab.settings, ...quiet, ...settings } }
  const program = await startProgram(options).catch(async (error) => {
    await lab.close() // or the test file would never end
    throw error
  })
  const { dataDir } = program
  const secrets = fileSecrets(dataDir)
  const server = await openEmbedded(dataDir, secrets, platformPackage())
  await withClient(server.address(EMBEDDED_DATABASE), server.superuser, async (client) => {
    // Durability has suites of its own.
    await client.query("alter system set fsync = off")
    await client.query("alter system set synchronous_commit = off")
    await client.query("select pg_reload_conf()")
  })
  return {
    lab,
    program,
    ask: ({ method, path, headers, body }, key) =>
      program.ask(path, {
        method,
        headers,
        ...(key !== undefined && { key }),
        ...(body !== undefined && { body }),
      }),
    async issue(tenant, kind) {
      const scopes = SCOPE_NAMES.flatMap((scope) => ["--scope", scope])
      const args = ["keys", "issue", "--tenant", tenant, "--environment", kind, "--json", ...scopes]
      const { stdout, stderr } = await runCommand(args, environment(dataDir))
      if (stdout === "") throw new Error(`no key was issued: ${stderr}`)
      return JSON.parse(stdout).key
    },
    asSuperuser: (work) => withClient(server.address(EMBEDDED_DATABASE), server.superuser, work),
    async close() {
      await server.close()
      await program.stop()
      await lab.close()
    },
  }
}
