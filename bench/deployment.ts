/**
 * A deployment for benches under load: instances of the program on one data folder and one PostgreSQL,
 * which syncs, with a lab to look at, and keys whose plan has limits out of reach.
 */
import { rm } from "node:fs/promises"
import type pg from "pg"
import { startLab } from "../lab/lab.ts"
import { readConfig } from "../src/config.ts"
import { logIn } from "../src/db/connection.ts"
import type { Server } from "../src/db/server.ts"
import { openServer } from "../src/db/server.ts"
import { issueKey } from "../src/keys/keys.ts"
import { fileSecrets } from "../src/secrets/files.ts"
import { Keyring } from "../src/secrets/keyring.ts"
import { savePlan } from "../src/usage/plans.ts"
import type { Program } from "../test/program.ts"
import { newDataDir, startProgram } from "../test/program.ts"
import { opened } from "./tidy.ts"

/** A repeated one is answered from memory. */
export const TARGET = "/v1/analyze?domain=lindenshop.test"

const PLAN = "bench"
const ACTOR = "bench"

export interface Deployment {
  readonly programs: readonly Program[]
  readonly dataDir: string
  readonly server: Server
  /** @returns Live keys of as many new tenants, each known to every instance, with its answer ready. */
  keys(count: number, options?: { readonly unlimited?: boolean }): Promise<string[]>
  /** Logs in as superuser; ended with the rest. */
  connect(): Promise<pg.Client>
}

export async function openDeployment(
  stack: AsyncDisposableStack,
  instances = 1,
): Promise<Deployment> {
  const dataDir = await opened(stack, newDataDir, (dir) =>
    rm(dir, { recursive: true, force: true }),
  )
  const lab = await opened(
    stack,
    () => startLab(),
    (one) => one.close(),
  )
  const secrets = fileSecrets(dataDir)
  const server = await opened(
    stack,
    () => openServer(readConfig({ ZT_DATA_DIR: dataDir }), secrets),
    (one) => one.close(),
  )
  const programs: Program[] = []
  for (let n = 0; n < instances; n++) {
    const starting = () =>
      startProgram({
        dataDir,
        environment: { ...lab.settings, ZT_OBSERVE_PER_MINUTE: "10000" },
      })
    programs.push(await opened(stack, starting, (one) => one.stop()))
  }
  const keyring = await Keyring.open(secrets)
  const admin = server.admin()
  const limits = { units_per_month: 1e9, requests_per_second: 1e6, burst: 1e6 }
  await admin.asOperator((tx) => savePlan(tx, PLAN, limits, ACTOR))
  let tenants = 0
  return {
    programs,
    dataDir,
    server,
    async keys(count, { unlimited = false } = {}) {
      const keys: string[] = []
      for (let n = 0; n < count; n++) {
        const tenant = `Bench ${tenants++}`
        const whose = {
          tenant,
          plan: unlimited ? "unlimited" : PLAN,
          environment: "live",
          name: "bench",
          actor: ACTOR,
        } as const
        const { key } = await admin.asOperator((tx) => issueKey(tx, keyring, whose))
        keys.push(key)
      }
      await Promise.all(programs.flatMap((one) => keys.map((key) => askTwice(one, key))))
      return keys
    },
    async connect() {
      const { superuser } = server
      if (superuser === undefined) throw new Error("not an embedded database")
      return opened(
        stack,
        () => logIn(server.address, superuser),
        (client) => client.end(),
      )
    },
  }
}

/** The first makes the answer, the second finds it. */
async function askTwice(program: Program, key: string): Promise<void> {
  for (let n = 0; n < 2; n++) {
    const { status, text } = await program.ask(TARGET, { key })
    if (status !== 200) throw new Error(text)
  }
}
