/**
 * Ordinary traffic, by a seed: five weeks of tenants with the rhythm of days and weeks, growth, batch
 * nights, launches, stragglers with rotated keys, and keys behind few networks and many.
 */
import type { KeyHour, KeyNetworks, Seen } from "../../src/usage/abuse/detectors.ts"
import type { Counted } from "../../src/usage/abuse/usual.ts"
import { HISTORY_DAYS, usualHour } from "../../src/usage/abuse/usual.ts"
import { seeded } from "../walls/random.ts"

const HOUR_MS = 3_600_000
/** A Monday, 00:00 UTC. */
const START = Date.parse("2026-10-05T00:00:00.000Z")
/** The first week has no history, so that a month is left to be judged. */
export const DAYS = 38

interface Tenant {
  readonly id: string
  readonly keys: readonly string[]
  /** Requests in a busy hour of the first week. */
  readonly busy: number
  /** Factor of a weekend's day. */
  readonly weekend: number
  readonly growthPerWeek: number
  /** Part of requests that did not lie ready. */
  readonly missShare: number
  /** Hours in which a batch runs, and how many times a busy hour it is. */
  readonly batch?: { readonly hour: number; readonly weekday?: number; readonly factor: number }
  /** Days of a launch or a campaign, and how many times the usual. */
  readonly launches: ReadonlyMap<number, number>
  /** Networks of each key's day. */
  readonly networks: number
}

/** @returns What each look at the end of an hour sees, hour by hour. */
export function* ordinaryMonth(seed: number): Generator<Seen & { readonly now: number }> {
  const random = seeded(seed)
  const tenants = Array.from({ length: 14 }, (_, n) => makeTenant(n, random))
  const history = new Map(tenants.map(({ id }) => [id, { requests: [], misses: [] } as Past]))
  const before = new Map<string, number[]>()
  const unknownKeys: Counted[] = []
  const staging = Math.floor(random() * DAYS)
  let networks: KeyNetworks[] = []
  let previous: KeyHour[] = []
  for (let n = 0; n < DAYS * 24; n++) {
    const now = START + n * HOUR_MS
    const day = Math.floor(n / 24)
    if (n % 24 === 0) {
      for (const { keyId, today } of networks) {
        before.set(keyId, [...(before.get(keyId) ?? []), today].slice(-HISTORY_DAYS))
      }
      networks = tenants.flatMap((tenant) =>
        tenant.keys.map((keyId) => ({
          tenantId: tenant.id,
          keyId,
          // What is built into an app is rolled out over two weeks.
          today: Math.round(
            tenant.networks *
              Math.min(1, 0.2 + day / 20) *
              growth(tenant, n) *
              (0.6 + 0.8 * random()),
          ),
          before: before.get(keyId) ?? [],
        })),
      )
    }
    const hours = tenants.flatMap((tenant) => hourOf(tenant, n, now, random))
    // Somebody's staging system has a key of another deployment for three days.
    const stray = day >= staging && day < staging + 3 ? 360 : 0
    unknownKeys.push({ hour: now, count: stray + Math.floor(random() * 30) })
    const usual = (id: string, hour: number) => {
      const past = history.get(id)
      return (
        past && {
          requests: usualHour(past.requests, hour),
          misses: usualHour(past.misses, hour),
        }
      )
    }
    const since = now - HOUR_MS
    yield {
      now,
      since,
      hours: [...previous, ...hours],
      usual,
      unknownKeys,
      networks,
      domains: () => undefined,
    }
    for (const { id } of tenants) {
      const own = hours.filter(({ tenantId }) => tenantId === id)
      const past = history.get(id)
      past?.requests.push({ hour: now, count: own.reduce((sum, one) => sum + one.requests, 0) })
      past?.misses.push({ hour: now, count: own.reduce((sum, one) => sum + one.misses, 0) })
    }
    previous = hours
  }
}

type Past = { requests: Counted[]; misses: Counted[] }

function makeTenant(n: number, random: () => number): Tenant {
  const id = uuid(1, n)
  const busy = [40, 400, 2_500, 9_000, 30_000][n % 5] ?? 0
  const launches = new Map<number, number>()
  // A few have bursts of their own: a campaign, a launch, a rerun of everything.
  if (n % 4 === 0) {
    for (let burst = 0; burst < 3; burst++)
      launches.set(7 + Math.floor(random() * 31), 2 + 3 * random())
  }
  const batches = [{ hour: 2, factor: 6 }, { hour: 23, weekday: 6, factor: 12 }, undefined] as const
  const batch = batches[n % 3]
  return {
    id,
    keys: [uuid(2, 2 * n), uuid(2, 2 * n + 1)],
    busy: busy * (0.7 + 0.6 * random()),
    weekend: n % 2 === 0 ? 0.15 : 0.9,
    growthPerWeek: 1 + 0.1 * random(),
    missShare: 0.1 + 0.7 * random(),
    ...(batch !== undefined && { batch }),
    launches,
    networks: [1, 2, 5, 18, 30, 200][n % 6] ?? 1,
  }
}

function hourOf(tenant: Tenant, n: number, now: number, random: () => number): KeyHour[] {
  const [hour, day] = [n % 24, Math.floor(n / 24)]
  const weekday = day % 7
  // From 0 at night to 1 at noon, with a little at night.
  const ofDay = 0.05 + 0.95 * Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI))
  const { batch } = tenant
  const isBatch = batch?.hour === hour && (batch.weekday ?? weekday) === weekday
  const shape =
    ofDay * (weekday >= 5 ? tenant.weekend : 1) * (tenant.launches.get(day) ?? 1) +
    (isBatch ? (batch?.factor ?? 0) : 0)
  const all = noisy(tenant.busy * growth(tenant, n) * shape, random)
  return tenant.keys.map((keyId, at) => {
    const requests = at === 0 ? Math.floor(0.8 * all) : all - Math.floor(0.8 * all)
    // The second key is rotated in the third week, and a job asks with the old one once a minute.
    const isStraggling = at === 1 && day === 16 && hour < 10
    return {
      tenantId: tenant.id,
      keyId,
      hour: now,
      requests,
      misses: Math.floor(requests * tenant.missShare),
      refused: isStraggling ? 60 : 0,
      missing: random() < 0.05 ? Math.floor(random() * 12) : 0,
    }
  })
}

function growth({ growthPerWeek }: Tenant, n: number): number {
  return growthPerWeek ** (n / 168)
}

/** About a Poisson number, and a quarter of its mean up or down, as real traffic has it. */
function noisy(mean: number, random: () => number): number {
  const normal = random() + random() + random() + random() - 2 // of variance 1/3
  const spread = Math.sqrt(mean) + 0.25 * mean
  return Math.max(0, Math.round(mean + normal * Math.sqrt(3) * spread * 0.5))
}

function uuid(kind: number, n: number): string {
  return `0193c000-0000-7000-800${kind}-${n.toString(16).padStart(12, "0")}`
}
