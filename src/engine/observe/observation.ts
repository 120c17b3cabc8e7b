/** One observation: what runs beside what, and what is closed at its end. */
import type { DnsObservation, HttpObservation, Name, Observation, Progress } from "../types.ts"
import type { RdapBootstrap } from "./bootstrap.ts"
import { createConnections } from "./connections.ts"
import type { AddressMap } from "./dial.ts"
import { createDialer } from "./dial.ts"
import { observeDns, siteHost } from "./dns.ts"
import type { Resolvers } from "./dns-client.ts"
import { createLookup } from "./dns-client.ts"
import { createFetcher } from "./fetch.ts"
import { observeRegistration, RDAP_LIMITS } from "./rdap.ts"
import { observeSite } from "./site.ts"
import type { TrustStore } from "./tls.ts"

const WEB_LIMITS = {
  accept: "text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.1",
  maxBodyBytes: 1024 * 1024,
}

export interface Means extends Resolvers {
  readonly bootstrap: RdapBootstrap
  readonly addressMap: AddressMap
  readonly userAgent: string
  readonly trust: TrustStore
}

/** Observes until all is known or the signal fires. Never rejects. */
export async function observeUntil(
  signal: AbortSignal,
  name: Name,
  progress: Progress,
  means: Means,
): Promise<Observation> {
  const observedAt = new Date().toISOString()
  const lookup = createLookup(means, signal)
  const dialer = createDialer(lookup, means.addressMap, signal)
  try {
    const { trust, userAgent } = means
    const connections = createConnections(dialer, trust, signal)
    const fetcher = createFetcher(connections, WEB_LIMITS, userAgent, signal)
    const rdap = createFetcher(connections, RDAP_LIMITS, userAgent, signal)
    const dns = observeDns(name, lookup)
    const registration = name.shared
      ? Promise.resolve({ unknown: "platform" } as const)
      : observeRegistration(name.registrable, means.bootstrap, rdap)
    const site = { ...name, host: await siteHost(name.host, lookup) }
    const { tls, ...http } = observeSite(site, dns.mtaSts, { connections, fetcher, trust })
    report(progress, {
      dns: Object.values(dns),
      tls: [tls],
      http: Object.values(http),
      registration: [registration],
    })
    const [seenDns, seenTls, seenHttp, seenRegistration] = await Promise.all([
      settled<DnsObservation>(dns),
      tls,
      settled<HttpObservation>(http),
      registration,
    ])
    return {
      format: 1,
      name,
      observedAt,
      dns: seenDns,
      tls: seenTls,
      http: seenHttp,
      registration: seenRegistration,
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
    for (const promise of promises) {
      // A failure is the observation's to tell.
      promise.then(
        () => progress({ part, done: ++done, of }),
        () => {},
      )
    }
  }
}
