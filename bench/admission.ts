/**
 * The admission statement alone, by batch sizes, for a tenant without limits and for tenants with a
 * rate and a quota, from one key and from a hundred.
 *
 * `bin/node bench/admission.ts [--seconds 1]`. One connection, as the program has it; figures are the
 * whole round trip. The server does not sync, so that a disk's pace is not what is measured.
 */
import { createHash } from "node:crypto"
import { parseArgs } from "node:util"
import type pg from "pg"
import { Admission } from "../src/admission/admission.ts"
import { newUuid } from "../src/core/ids.ts"
import { Problem } from "../src/core/problem.ts"
import { runStatement } from "../src/db/connection.ts"
import type { Database } from "../src/db/database.ts"
import { openScratch } from "./scratch.ts"

const SIZES = [1, 4, 16, 64, 256]
const KEYS_A_TENANT = 10
const TENANTS = 10
const PLANS = ["unlimited", "limited"] as const

const { values } = parseArgs({ options: { seconds: { type: "string", default: "1" } } })
const durationMs = Number(values.seconds) * 1_000

const scratch = await openScratch()
try {
  await scratch.create("admission")
  const client = await scratch.connect("admission")
  await fill(client)
  const database = {
    call: async (text: string, args: unknown[]) => (await runStatement(client, text, args)).rows,
  } as unknown as Database
  const admission = new Admission(database, "live")
  for (const plan of PLANS) {
    for (const keys of [1, KEYS_A_TENANT * TENANTS]) {
      for (const size of SIZES) {
        await measure(admission, plan, keys, size, durationMs / 5) // warm
        const { perSecond, microsEach } = await measure(admission, plan, keys, size, durationMs)
        console.log(
          `${plan.padEnd(9)} ${String(keys).padStart(3)} keys, batches of ${String(size).padStart(3)}: ${perSecond.toFixed(0).padStart(6)} a second, ${microsEach.toFixed(1).padStart(7)} µs each`,
        )
      }
    }
  }
} finally {
  await scratch.close()
}

async function measure(
  admission: Admission,
  plan: string,
  keys: number,
  size: number,
  lastsMs: number,
): Promise<{ perSecond: number; microsEach: number }> {
  const began = performance.now()
  let admitted = 0
  while (performance.now() - began < lastsMs) {
    const batch = Array.from({ length: size }, (_, n) =>
      admit(admission, plan, (admitted + n) % keys),
    )
    await Promise.all(batch)
    admitted += size
  }
  const ms = performance.now() - began
  return { perSecond: (admitted / ms) * 1_000, microsEach: (ms / admitted) * 1_000 }
}

function admit(admission: Admission, plan: string, key: number): Promise<void> {
  const digest = digestOf(plan, key)
  return new Promise((resolve, reject) => {
    admission.admit(
      {
        index8: digest.slice(0, 8),
        digest,
        caller: admission.callerOf(digest),
        requestId: newUuid(),
        route: 1,
        cost: 1,
        scope: 1,
        outcome: { status: 200, latencyBucket: 0, cacheHit: true },
      },
      (result) => (result instanceof Problem ? reject(result) : resolve()),
    )
  })
}

function digestOf(plan: string, key: number): string {
  return createHash("sha256").update(`${plan} ${key}`).digest("hex")
}

async function fill(client: pg.Client): Promise<void> {
  await client.query(
    `insert into platform.plan (name, units_per_month, requests_per_second, burst)
      values ('limited', 1000000000, 1000000, 1000000)`,
  )
  for (const plan of PLANS) {
    for (let tenant = 0; tenant < TENANTS; tenant++) {
      const id = newUuid()
      await client.query(
        `insert into platform.tenant (id, name_index, sealed_name, plan)
          values ($1, decode(md5($1::uuid::text), 'hex'), '', $2)`,
        [id, plan],
      )
      for (let key = 0; key < KEYS_A_TENANT; key++) {
        const digest = digestOf(plan, tenant * KEYS_A_TENANT + key)
        await client.query(
          `insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
            values ($1, $2, '', $3, decode($4, 'hex'))`,
          [id, newUuid(), digest.slice(0, 8), digest],
        )
      }
    }
  }
}
