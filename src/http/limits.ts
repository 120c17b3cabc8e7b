/**
 * What is left for a key, as header fields: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10).
 */
import type { Limits } from "../admission/batch.ts"

const DAY_SECONDS = 86_400

/** One a key and batch, which its requests share: written once. */
const written = new WeakMap<Limits, readonly [string, string][]>()

/** @param now - Milliseconds since the epoch. @returns Names with values. */
export function limitHeaders(limits: Limits, now: number): readonly [string, string][] {
  let fields = written.get(limits)
  if (fields === undefined) {
    fields = write(limits, now)
    written.set(limits, fields)
  }
  return fields
}

function write(limits: Limits, now: number): readonly [string, string][] {
  const policies: string[] = []
  const left: string[] = []
  if (limits.rate) {
    const { burst, perSecond, left: r } = limits.rate
    policies.push(`"rate";q=${burst};w=${Math.ceil(burst / perSecond)}`)
    left.push(`"rate";r=${r};t=${Math.ceil((burst - r) / perSecond)}`)
  }
  if (limits.quota) {
    const { perMonth, left: r } = limits.quota
    const date = new Date(now)
    const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
    const days = new Date(end - 1).getUTCDate()
    policies.push(`"month";q=${perMonth};w=${days * DAY_SECONDS}`)
    left.push(`"month";r=${r};t=${Math.ceil((end - now) / 1000)}`)
  }
  return [
    ["ratelimit-policy", policies.join(", ")],
    ["ratelimit", left.join(", ")],
  ]
}
