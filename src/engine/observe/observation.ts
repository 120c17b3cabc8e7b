/** One observation: what runs beside what, and what is closed at its end. */
import type { DnsObservation, HttpObservation, Name, Observation, Progress } from "../types.ts"
import { createDialer } from "./dial.ts"
import { observeDns } from "./dns.ts"
import { createLookup } from "./dns-client.ts"
import { createFetcher } from "./fetch.ts"
import type { ObserverOptions } from "./observer.ts"
import { observeRegistration, RDAP_LIMITS } from "./rdap.ts"
import { observeSite } from "./site.ts"
import type { TrustStore } from "./tls.ts"

const WEB_LIMITS = {
  accept: "text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.1",
  maxBodyBytes: 1024 * 1024,
}

/** Observes until all is known or the signal fires. Never rejects. */
export async function observeUntil(
  signal: AbortSignal,
  name: Name,
  progress: Progress,
  options: ObserverOptions,
  trust: TrustStore,
): Promise<Observation> {
  const observedAt = new Date().toISOString()
  const lookup = createLookup(options, signal)
  const dialer = createDialer(lookup, options.addressMap, signal)
  try {
    const tools = { dialer, trust, userAgent: options.userAgent }
    const fetcher = createFetcher(tools, WEB_LIMITS, signal)
    const dns = observeDns(name, lookup)
    const { tls, ...http } = observeSite(name, dns.mtaSts, { dialer, fetcher, trust, signal })
    const registration = name.shared
      ? Promise.resolve({ unknown: "platform" } as const)
      : observeRegistration(
          name.registrable,
          options.bootstrap,
          createFetcher(tools, RDAP_LIMITS, signal),
        )
    report(progress, {
      dns: Object.values(dns),
      tls: [tls],
      http: Object.values(http),
      registration: [registration],
    })
    return {
      format: 1,
      name,
      observedAt,
      dns: await settled<DnsObservation>(dns),
      tls: await tls,
      http: await settled<HttpObservation>(http),
      registration: await registration,
    }
  } finally {
    dialer.close()
  }
}

async function settled<T extends object>(
  parts: {
    readonly [K in keyof T]: Promise<T[K]>
  },
): Promise<T> {
  const entries = Object.entries<Promise<unknown>>(parts).map(
    async ([key, part]) => [key, await part] as const,
  )
  return Object.fromEntries(await Promise.all(entries)) as T
}

/** Tells after each part which group it was of, and how many of all are done. */
function report(
  progress: Progress,
  groups: Readonly<Record<string, readonly Promise<unknown>[]>>,
): void {
  const of = Object.values(groups).flat().length
  let done = 0
  for (const [part, promises] of Object.entries(groups)) {
    for (const promise of promises) promise.then(() => progress({ part, done: ++done, of }))
  }
}
