/**
 * The DNS client: a name and a type → an answer, over all resolvers, with retries.
 *
 * Owns: which resolver is asked when, what counts as an answer, whose AD bit is believed, and
 * following CNAMEs. Not: messages (dns-message.ts), sockets (dns-exchange.ts).
 * Trust: the AD bit only from resolvers on loopback or listed as trusted; elsewhere anybody on
 * the way could set it.
 */
import type { Endpoint } from "../../setting-values.ts"
import type { DnsAnswer, Known, Why } from "../types.ts"
import { exchange } from "./dns-exchange.ts"
import type { Question, RecordType, Reply } from "./dns-message.ts"
import { isDomainName } from "./dns-message.ts"

/** Each name and type is asked once an observation. Never rejects. */
export type Lookup = (
  name: string,
  type: RecordType,
  checkingDisabled?: boolean,
) => Promise<Known<DnsAnswer>>

export interface Resolvers {
  readonly resolvers: readonly Endpoint[]
  /** Addresses whose AD bit counts, besides those on loopback. */
  readonly trustedResolvers: readonly string[]
}

/** Time for each try, in milliseconds: one lost packet costs little, a slow resolver gets time. */
const TRY_TIMEOUTS_MS = [1500, 2000, 2500]
const MAX_CHAIN = 8

/** @returns A lookup that lives as long as one observation, whose signal it gets. */
export function createLookup(resolvers: Resolvers, signal: AbortSignal): Lookup {
  const asked = new Map<string, Promise<Known<DnsAnswer>>>()
  return (name, type, checkingDisabled = false) => {
    const key = `${type} ${checkingDisabled} ${name}`
    let answer = asked.get(key)
    if (answer === undefined) {
      answer = followChain(resolvers, { name, type, checkingDisabled }, signal)
      asked.set(key, answer)
    }
    return answer
  }
}

/** A resolver may answer with a CNAME alone; then its target is asked for. */
async function followChain(
  resolvers: Resolvers,
  question: Question,
  signal: AbortSignal,
): Promise<Known<DnsAnswer>> {
  let name = question.name
  let authenticated: boolean | undefined
  for (let links = 0; links < MAX_CHAIN; links++) {
    if (!isDomainName(name)) return { unknown: "malformed" }
    const answer = await askAll(resolvers, { ...question, name }, signal)
    if ("unknown" in answer) return answer
    const { reply, believed } = answer.value
    if (believed) authenticated = reply.authenticated && authenticated !== false
    const { records, target } = reply
    const isGone = reply.rcode === "NXDOMAIN"
    if (records.length > 0 || isGone || target === name) {
      // The RCODE is that of the last alias's target (RFC 6604 §3); a name with an alias is there.
      const rcode = isGone && target === question.name ? "NXDOMAIN" : "NOERROR"
      return {
        value: { rcode, records, ...(authenticated === undefined ? {} : { authenticated }) },
      }
    }
    name = target
  }
  return { unknown: "servfail" }
}

async function askAll(
  { resolvers, trustedResolvers }: Resolvers,
  question: Question,
  signal: AbortSignal,
): Promise<Known<{ reply: Reply; believed: boolean }>> {
  let failure: Why = "unreachable"
  for (const [turn, timeoutMs] of TRY_TIMEOUTS_MS.entries()) {
    const resolver = resolvers[turn % resolvers.length]
    if (resolver === undefined) break
    const reply = await exchange(resolver, question, timeoutMs, signal)
    if ("unknown" in reply) failure = reply.unknown
    else if (reply.value.rcode === "NOERROR" || reply.value.rcode === "NXDOMAIN") {
      const believed = isBelieved(resolver, trustedResolvers)
      return { value: { reply: reply.value, believed } }
    } else failure = reply.value.rcode === "REFUSED" ? "refused" : "servfail"
    if (failure === "deadline") break
  }
  return { unknown: failure }
}

/** @returns Whether the resolver's AD bit counts: it is on loopback, or listed as trusted. */
export function isBelieved({ address }: Endpoint, trusted: readonly string[]): boolean {
  return address.startsWith("127.") || address === "::1" || trusted.includes(address)
}

/** @returns Whether any of the resolvers answers, asked for the root's name servers. */
export async function anyAnswers(
  resolvers: readonly Endpoint[],
  timeoutMs: number,
): Promise<boolean> {
  const stop = new AbortController()
  const answers = resolvers.map(async (resolver) => {
    const reply = await exchange(resolver, { name: ".", type: "NS" }, timeoutMs, stop.signal)
    // Some networks have a resolver that answers, and knows nothing.
    const knowsTheRoot = "value" in reply && reply.value.records.length > 0
    if (!knowsTheRoot) throw new Error("no answer")
  })
  const any = await Promise.any(answers).then(
    () => true,
    () => false,
  )
  stop.abort()
  return any
}
