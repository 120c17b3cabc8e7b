/** Checks of what observing needs: resolvers that answer, DNSSEC, the RDAP bootstrap. */

import type { RdapBootstrap } from "../engine/observe/bootstrap.ts"
import { isBelieved } from "../engine/observe/dns-client.ts"
import { exchange } from "../engine/observe/dns-exchange.ts"
import type { ObserverOptions } from "../engine/observe/observer.ts"
import type { Endpoint } from "../setting-values.ts"
import { endpointKey } from "../setting-values.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"

const ASK_MS = 2_000
const DAY_MS = 86_400_000
const OLD_DAYS = 365

export interface ResolverState {
  readonly resolver: Endpoint
  /** Why it gave no answer; absent when it did. */
  readonly failure?: string
  /** It says that it validated the root's signatures (the AD bit). */
  readonly validates: boolean
}

/** Asks each for the root's name servers: a signed name that all know who see the internet. */
export async function checkResolvers(
  { resolvers, trustedResolvers }: Pick<ObserverOptions, "resolvers" | "trustedResolvers">,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const states = await Promise.all(resolvers.map((resolver) => ask(resolver, signal)))
  return judgeResolvers(states, trustedResolvers)
}

async function ask(resolver: Endpoint, signal: AbortSignal): Promise<ResolverState> {
  const reply = await exchange(resolver, { name: ".", type: "NS" }, ASK_MS, signal)
  if ("unknown" in reply) return { resolver, failure: reply.unknown, validates: false }
  const { rcode, records, authenticated } = reply.value
  if (records.length > 0) return { resolver, validates: authenticated }
  const failure = rcode === "NOERROR" || rcode === "NXDOMAIN" ? "knows no root" : rcode
  return { resolver, failure, validates: false }
}

/** @param trusted - Addresses whose word on DNSSEC counts, besides those on loopback. */
export function judgeResolvers(
  states: readonly ResolverState[],
  trusted: readonly string[],
): Diagnosis[] {
  const name = ({ resolver }: ResolverState) => endpointKey(resolver.address, resolver.port)
  const silent = states.filter(({ failure }) => failure !== undefined)
  const answering = states.filter(({ failure }) => failure === undefined)
  const troubles = silent.map((state) => `${name(state)} (${state.failure})`).join(", ")
  if (answering.length === 0) {
    const message = silent.length === 0 ? "there is none" : `none is of use: ${troubles}`
    const advice =
      "Check the network, or set ZT_RESOLVERS. Without internet, --lab brings a small one."
    return [fail("resolvers", message, advice)]
  }
  const answers =
    silent.length === 0
      ? ok("resolvers", answering.map(name).join(", "))
      : warn("resolvers", `no answer from ${troubles}`, "Take them out, or repair them.")
  const believed = answering.filter(({ resolver }) => isBelieved(resolver, trusted))
  if (believed.some(({ validates }) => validates)) {
    return [answers, ok("DNSSEC", "validated by the resolver, whose word counts")]
  }
  const message =
    believed.length === 0
      ? "no resolver's word counts, so whether it validates stays unknown"
      : "the resolver does not validate, so that stays unknown"
  const advice =
    "Run a validating resolver on loopback (unbound), or list one you reach safely in ZT_TRUSTED_RESOLVERS."
  return [answers, warn("DNSSEC", message, advice)]
}

export function checkBootstrap(
  { publication }: Pick<RdapBootstrap, "publication">,
  now: Date,
): Diagnosis {
  const days = Math.floor((now.getTime() - Date.parse(publication)) / DAY_MS)
  const message = `the list of RDAP servers is of ${publication.slice(0, 10)}`
  if (days <= OLD_DAYS) return ok("registration", message)
  return warn(
    "registration",
    `${message}, ${days} days old`,
    "Update, or name a newer copy of https://data.iana.org/rdap/dns.json in ZT_RDAP_BOOTSTRAP_FILE.",
  )
}
