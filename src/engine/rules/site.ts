/**
 * Reading what a visit brought: which exchange and which page are the site's own.
 *
 * Invariant: what lies behind an error, a challenge or somebody else's domain is unknown.
 */
import type { Exchange, Known, Name, Observation, Page, Visit, Why } from "../types.ts"

/** @returns Host of an http(s) URL in lower case; empty for anything else. Never throws. */
export function hostOf(url: string): string {
  const match = /^https?:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)/i.exec(url)
  return match?.[1]?.toLowerCase() ?? ""
}

/** Is the host this domain, or below it? */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

/** Does the URL belong to who holds the name? */
export function isOwn(url: string, name: Name): boolean {
  return isWithin(hostOf(url), name.registrable)
}

/** @returns Why an answer of this status shows nothing of the site, if so. */
export function obstacle(status: number): Why | undefined {
  if (status === 401 || status === 403 || status === 429) return "challenge"
  // RFC 9110 §15: no status of HTTP's, so that it cannot be told what happened.
  if (status >= 600) return "malformed"
  return status >= 500 ? "server_error" : undefined
}

/** @returns Where a redirect leads (RFC 9110 §10.2.2); undefined for anything else. */
export function redirectTarget(exchange: Exchange | undefined): URL | undefined {
  if (exchange === undefined || exchange.status < 300 || exchange.status > 399) return undefined
  const [location] = header(exchange, "location")
  const target = location === undefined ? null : URL.parse(location, exchange.url)
  return target !== null && /^https?:$/.test(target.protocol) ? target : undefined
}

/**
 * @returns Why a visit's last redirect was not followed to what it leads to, if so. A loop, and an
 * address that is none, lead to nothing that was not seen.
 */
export function unseenTarget({ stopped, why }: Visit): Why | undefined {
  if (stopped === "unreachable") return why ?? "unreachable"
  if (stopped === "blocked") return "blocked"
  return stopped === "too_many_redirects" ? "not_observed" : undefined
}

/** @returns Why a visit did not end in an answer that is no redirect, if so. */
export function whyNoAnswer(visit: Visit): Why | undefined {
  return visit.stopped === undefined ? undefined : (unseenTarget(visit) ?? "malformed")
}

/** The visit over HTTPS, or the plain one where there is no HTTPS. */
export function siteVisit({ http }: Observation): Known<Visit> {
  return "value" in http.secure || "unknown" in http.plain ? http.secure : http.plain
}

/** The exchange in which the site itself answered, when it did. */
export function siteExchange(observation: Observation): Known<Exchange> {
  const visit = siteVisit(observation)
  return "unknown" in visit ? visit : settledExchange(visit.value, observation.name)
}

/** Where a visit ended, when that is an answer of the site's own. */
function settledExchange(visit: Visit, name: Name): Known<Exchange> {
  const last = visit.hops.at(-1)
  if (last === undefined) return { unknown: "malformed" }
  const broken = whyNoAnswer(visit)
  if (broken !== undefined) return { unknown: broken }
  if (!isOwn(last.url, name)) return { unknown: "not_observed" }
  const why = isChallenge(last) ? "challenge" : obstacle(last.status)
  return why === undefined ? { value: last } : { unknown: why }
}

/** Did a gatekeeper answer in place of the site? */
export function isChallenge(exchange: Exchange): boolean {
  return (
    obstacle(exchange.status) === "challenge" ||
    header(exchange, "cf-mitigated").some((value) => value.toLowerCase() === "challenge")
  )
}

/** @returns Every value of a header; empty when it was not sent. */
export function header(exchange: Exchange, name: string): readonly string[] {
  return exchange.headers[name] ?? []
}

/** Is it plain text, by its media type? A page that anyone may put on the server is not. */
export function isPlainText(contentType: string): boolean {
  return /^\s*text\/plain\s*(?:;|$)/i.test(contentType)
}

/** The home page, when it is the site's own and not an error. */
export function homePage({ http, name }: Observation): Known<Page> {
  return ownPage(http.home, name)
}

function ownPage(page: Known<Page>, name: Name): Known<Page> {
  if ("unknown" in page) return page
  if (!isOwn(page.value.url, name)) return { unknown: "not_observed" }
  const why = obstacle(page.value.status)
  return why === undefined ? page : { unknown: why }
}

export type StandardPage = "privacy" | "terms" | "contact" | "about" | "imprint"

/**
 * One of the standard pages.
 * @returns `value: undefined` when it was looked for and is not there; a page that only repeats
 * the home page, as catch-all servers send for any path, is not there.
 */
export function standardPage(
  observation: Observation,
  which: StandardPage,
): Known<Page | undefined> {
  const home = homePage(observation)
  if ("unknown" in home) return home
  const page = observation.http[which]
  if ("unknown" in page) return page
  const why = obstacle(page.value.status)
  if (why !== undefined) return { unknown: why }
  const { status, text } = page.value
  const there = status >= 200 && status < 300 && text !== "" && text !== home.value.text
  return { value: there ? page.value : undefined }
}
