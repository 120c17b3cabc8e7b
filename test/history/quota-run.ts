/**
 * One run: tenants with few units ask for many, on instances that are paused, killed and cut off,
 * while a plan grows. Then all is calm, and each asks until there is nothing left.
 */
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { savePlan } from "../../src/usage/plans.ts"
import { seeded } from "../kills/random.ts"
import type { Budget, Charged } from "./charges.ts"
import { chargeFaults } from "./charges.ts"
import { Cluster } from "./cluster.ts"
import { issue } from "./life.ts"
import type { Mishaps } from "./mishaps.ts"
import { befall } from "./mishaps.ts"
import { together } from "./run.ts"

const INSTANCES = 3
/** Time to take back a batch whose commit is uncertain. */
const VOID_MS = 2_500
const CALM_TRIES = 200

/** What lies ready, what is worked on after admission, and what is refused after it: by host, as malformed. */
const TARGETS = [
  { weight: 5, path: () => "approve.test" },
  { weight: 3, path: (n: number) => `site-${n}.test` },
  { weight: 1, path: () => "approve.test&fresh=true" },
  { weight: 1, path: () => "not%20a%20name" },
]

export interface QuotaOptions {
  readonly requests: number
  readonly clients: number
  /** Units of each tenant's month; the last one's plan grows to them while it is used. */
  readonly units: readonly number[]
  readonly mishapEveryMs: number
  /** Loaded into every instance. */
  readonly preloads: readonly string[]
}

export interface QuotaOutcome {
  readonly seed: number
  readonly answers: readonly Charged[]
  readonly mishaps: Mishaps
  readonly faults: readonly string[]
}

interface Tenant extends Budget {
  readonly plan: string
  readonly keys: readonly string[]
}

export async function runQuota(options: QuotaOptions): Promise<QuotaOutcome> {
  const random = seeded()
  const preloads = options.preloads.map((name) => `--import=${join(import.meta.dirname, name)}`)
  const cluster = await Cluster.open({
    size: INSTANCES,
    settings: () => ({ NODE_OPTIONS: preloads.join(" ") }),
  })
  let client = await cluster.superuser()
  try {
    const tenants: Tenant[] = []
    for (const [n, units] of options.units.entries()) {
      const grows = n === options.units.length - 1
      const plan = `units-${n}`
      await cluster.admin.asOperator((tx) =>
        savePlan(tx, plan, { units_per_month: grows ? Math.floor(units / 2) : units }, "test"),
      )
      const tenantId = await cluster.tenant(`Tenant ${n}`, plan)
      const keys = [await issue(client, tenantId), await issue(client, tenantId)]
      tenants.push({ tenantId, units, keys, plan })
    }

    const answers: (Charged & { ended: number; instance: number })[] = []
    let asked = 0
    let failed = false
    const isOver = () => failed || answers.length >= options.requests
    const ask = async (calm?: Tenant) => {
      const n = cluster.any(random)
      const tenant = calm ?? tenants[Math.floor(random.next() * tenants.length)]
      const instance = cluster.instance(n)
      if (instance === undefined || tenant === undefined) return void (await sleep(5))
      const key = tenant.keys[asked++ % 2] ?? ""
      const path = random.pick(TARGETS).path(asked % 50)
      try {
        const answer = await instance.ask(`/v1/analyze?domain=${path}`, { key })
        answers.push({
          tenantId: tenant.tenantId,
          requestId: String(answer.headers["x-request-id"]),
          status: answer.status,
          orphaned: false,
          ended: performance.now(),
          instance: n,
        })
        return answer.json?.error?.code as string | undefined
      } catch {
        await sleep(5)
        return undefined
      }
    }
    const clients = Array.from({ length: options.clients }, async () => {
      while (!isOver()) await ask()
    })
    const growing = (async () => {
      while (!isOver() && answers.length < options.requests / 2) await sleep(20)
      const last = tenants.at(-1)
      if (last !== undefined) await grow(cluster, last.plan, last.units)
    })()
    const befalling = befall(cluster, random, options.mishapEveryMs, isOver)
    await together([...clients, growing, befalling], () => {
      failed = true
    })
    const mishaps = await befalling

    await sleep(VOID_MS)
    await client.end().catch(() => {})
    client = await cluster.superuser() // it may have been cut
    for (const tenant of tenants) {
      let code: string | undefined
      for (let n = 0; n < tenant.units + CALM_TRIES && code !== "QUOTA_EXCEEDED"; n++) {
        code = await ask(tenant)
      }
    }
    const told = answers.map((one) => ({
      ...one,
      orphaned:
        one.status === 503 &&
        cluster.kills.some(
          ({ n, at }) => n === one.instance && at > one.ended && at - one.ended < VOID_MS,
        ),
    }))
    const faults = await chargeFaults(client, tenants, told)
    return { seed: random.seed, answers: told, mishaps, faults }
  } finally {
    await client.end().catch(() => {})
    await cluster.close()
  }
}

async function grow(cluster: Cluster, plan: string, units: number): Promise<void> {
  for (;;) {
    try {
      await cluster.admin.asOperator((tx) => savePlan(tx, plan, { units_per_month: units }, "test"))
      return
    } catch {
      await sleep(10) // it was cut
    }
  }
}
