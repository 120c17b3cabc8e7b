/**
 * What test keys see: canned observations, so that a caller can try every outcome without network.
 * The verdicts come from `judge` like all others.
 *
 * Invariant: a name gives the same verdict whenever it is asked (times are relative to the hour).
 */
import { hash } from "node:crypto"
import type { ProblemCode } from "../core/problem.ts"
import type { Draft } from "./sandbox-site.ts"
import { daysFrom, goodSite, hideWeb, none, page, records } from "./sandbox-site.ts"
import type { Name, Observation } from "./types.ts"

const HOUR_MS = 3_600_000

type Change = (draft: Draft<Observation>, now: string) => void

const approve: Change = () => {}

/** A shop some months old that does little more than work. */
const review: Change = (o, now) => {
  registered(o, now, 120, 245)
  plain(o)
}

/** A brand-new name with nothing behind it, and somebody else's certificate. */
const reject: Change = (o, now) => {
  newcomer(o, now)
  o.dns.mx = none()
  if ("value" in o.tls) {
    o.tls.value.hostnameMatch = false
    o.tls.value.certificate.dnsNames = ["other.test"]
  }
}

const unreachable: Change = (o) => hideWeb(o, "timeout")

const expiredCertificate: Change = (o, now) => {
  if ("value" in o.tls) {
    o.tls.value.certificate.notBefore = daysFrom(now, -100)
    o.tls.value.certificate.notAfter = daysFrom(now, -10)
  }
}

const parked: Change = (o) => {
  plain(o)
  o.dns.ns = records("ns1.sedoparking.com", "ns2.sedoparking.com")
  o.dns.mx = none()
  if ("value" in o.http.home) {
    const text = "This domain is for sale."
    Object.assign(o.http.home.value, { title: "Parked", text, textLength: text.length, links: [] })
  }
}

/** Seen as if its name were `paypa1.test`: a fixed name cannot look like a brand's. */
const lookAlike: Change = (o, now) => {
  newcomer(o, now)
  const host = "paypa1.test"
  o.name = { ...o.name, host, unicode: host, registrable: host }
}

/** Everything in order, but for its age. */
const newDomain: Change = (o, now) => registered(o, now, 5, 360)

/** The fixed cases of the contract; the rest of its names are `sandboxBehaviour`'s. */
const CASES: Readonly<Record<string, Change>> = {
  "approve.test": approve,
  "review.test": review,
  "reject.test": reject,
  "unreachable.test": unreachable,
  "expired-cert.test": expiredCertificate,
  "parked.test": parked,
  "look-alike.test": lookAlike,
  "new-domain.test": newDomain,
  "slow.test": approve,
}
const OTHERS = [approve, review, reject] as const

/**
 * @param now - Its hour is the observation's time.
 * @returns The fixed case of that name; for any other, one of three, chosen by the name.
 */
export function sandboxObservation(name: Name, now: Date): Observation {
  const hour = new Date(now.getTime() - (now.getTime() % HOUR_MS)).toISOString()
  const draft = goodSite(name, hour)
  const choice = Number.parseInt(hash("sha256", name.host).slice(0, 8), 16) % OTHERS.length
  const change = CASES[name.host] ?? OTHERS[choice] ?? approve
  change(draft, hour)
  return draft
}

const BEHAVIOUR: Readonly<Record<string, SandboxBehaviour>> = {
  "slow.test": { delayMs: 3_000 },
  "rate-limited.test": { problem: "RATE_LIMITED" },
  "quota-exceeded.test": { problem: "QUOTA_EXCEEDED" },
  "error.test": { problem: "INTERNAL" },
}

export interface SandboxBehaviour {
  /** How long the answer takes. */
  readonly delayMs?: number
  /** What is answered in place of a verdict. */
  readonly problem?: Extract<ProblemCode, "RATE_LIMITED" | "QUOTA_EXCEEDED" | "INTERNAL">
}

/** @returns How the sandbox answers for a name, besides what it observes; empty for most. */
export function sandboxBehaviour(name: Name): SandboxBehaviour {
  return BEHAVIOUR[name.host] ?? {}
}

function registered(
  o: Draft<Observation>,
  now: string,
  daysAgo: number,
  expiresInDays: number,
): void {
  if (!("value" in o.registration) || o.registration.value === null) return
  o.registration.value.registeredAt = daysFrom(now, -daysAgo)
  o.registration.value.changedAt = daysFrom(now, -daysAgo)
  o.registration.value.expiresAt = daysFrom(now, expiresInDays)
}

/** Registered last week, and without anything that takes care. */
function newcomer(o: Draft<Observation>, now: string): void {
  registered(o, now, 6, 359)
  plain(o)
  const missing = { value: page(`https://${o.name.host}/`, "Not found", { status: 404 }) }
  Object.assign(o.http, { privacy: missing, terms: missing, contact: missing, about: missing })
}

/** No DNSSEC, no mail policies, no headers, no terms, no word on who is behind it. */
function plain(o: Draft<Observation>): void {
  const { dns, http, name } = o
  for (const type of [
    "aaaa",
    "caa",
    "ds",
    "dnskey",
    "mtaSts",
    "tlsRpt",
    "bimi",
    "dmarc",
  ] as const) {
    dns[type] = none()
  }
  dns.txt = records("v=spf1 include:_spf.google.com ~all")
  const home = `https://${name.host}/`
  http.secure = { value: { hops: [{ url: home, status: 200, headers: {} }] } }
  http.terms = { value: page(`${home}terms`, "Not found", { status: 404 }) }
  http.securityTxt = { value: { url: home, status: 404, contentType: "text/html", text: "" } }
  if ("value" in http.home) {
    Object.assign(http.home.value, { organisations: [], links: [], emails: [] })
  }
}
