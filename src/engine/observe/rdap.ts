/**
 * Registration data by RDAP (RFC 9082 queries, RFC 9083 answers), from the registry alone: a
 * registrar's own server is not asked.
 *
 * Trust: the registry's server must prove its name by its certificate; what a stranger on the way
 * says about a registration date is worth nothing.
 */
import type { Known, Registration } from "../types.ts"
import type { RdapBootstrap } from "./bootstrap.ts"
import type { Fetcher, FetchLimits } from "./fetch.ts"
import { plainText, rfc3339 } from "./text.ts"
import { visit } from "./visit.ts"

export const RDAP_LIMITS: FetchLimits = {
  accept: "application/rdap+json",
  maxBodyBytes: 256 * 1024,
}

const MAX_STATUSES = 30
const MAX_ENTITIES = 50

/** @returns The registration; `value: null` when the registry has none. Never rejects. */
export async function observeRegistration(
  registrable: string,
  bootstrap: RdapBootstrap,
  fetcher: Fetcher,
): Promise<Known<Registration | null>> {
  const server = bootstrap.serverFor(registrable)
  if (server === undefined) return { unknown: "not_offered" }
  const { last } = await visit(fetcher, new URL(`domain/${registrable}`, server))
  if ("unknown" in last) return last
  const { exchange, body, authentic } = last.value
  if (!authentic && server.protocol === "https:") return { unknown: "tls_failed" }
  // RFC 7480 §5.3: not found is how a server says that there is no such registration.
  if (exchange.status === 404) return { value: null }
  if ([401, 403, 429].includes(exchange.status)) return { unknown: "challenge" }
  if (exchange.status >= 500) return { unknown: "server_error" }
  if (exchange.status !== 200) return { unknown: "malformed" }
  if ("unknown" in body) return body
  const registration = readRegistration(body.value.toString("utf8"), registrable)
  if (registration === undefined) return { unknown: "malformed" }
  return { value: { source: exchange.url, ...registration } }
}

/** @returns undefined when the text is no answer about that domain (RFC 9083 §5.3). Never throws. */
export function readRegistration(
  text: string,
  registrable: string,
): Omit<Registration, "source"> | undefined {
  let answer: Members
  try {
    answer = membersOf(JSON.parse(text))
  } catch {
    return undefined
  }
  const name = answer["ldhName"]
  const isAboutIt =
    typeof name !== "string" || name.toLowerCase().replace(/\.$/, "") === registrable
  if (answer["objectClassName"] !== "domain" || !isAboutIt) return undefined
  const dates = eventDates(answer)
  const registrar = registrarOf(answer)
  return {
    ...dated("registeredAt", dates.get("registration")),
    ...dated("expiresAt", dates.get("expiration")),
    ...dated("changedAt", dates.get("last changed")),
    ...dated("transferredAt", dates.get("transfer")),
    statuses: listOf(answer["status"])
      .filter((status) => typeof status === "string")
      .slice(0, MAX_STATUSES)
      .map(plainStatus),
    ...dated("registrar", registrar),
  }
}

type Members = Readonly<Record<string, unknown>>

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function dated<K extends string>(key: K, value: string | undefined) {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: string })
}

/** @returns By action, the latest date of each: a domain may have been transferred twice. */
function eventDates(answer: Members): Map<string, string> {
  const dates = new Map<string, string>()
  for (const event of listOf(answer["events"]).slice(0, MAX_ENTITIES).map(membersOf)) {
    const { eventAction, eventDate } = event
    if (typeof eventAction !== "string" || typeof eventDate !== "string") continue
    const date = dateOf(eventDate)
    // Deleted and registered anew (RFC 9083 §10.2.3): its years begin again.
    const action = eventAction.toLowerCase().replace(/^reregistration$/, "registration")
    if (date !== undefined && date > (dates.get(action) ?? "")) dates.set(action, date)
  }
  return dates
}

/** A missing offset is UTC: the same answer must mean the same moment wherever it is read. */
function dateOf(text: string): string | undefined {
  const [, day, time = "00:00:00", offset = "Z"] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text) ??
    []
  if (day === undefined) return undefined
  return rfc3339(new Date(`${day}T${time}${offset}`))
}

/** Some servers give EPP's own form: `clientTransferProhibited` (RFC 8056 maps it). */
function plainStatus(status: string): string {
  const spaced = status.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ")
  return plainText(spaced.toLowerCase(), 60)
}

/** @returns The formatted name (`fn`) of the entity that is the registrar (RFC 9083 §5.1, jCard). */
function registrarOf(answer: Members): string | undefined {
  const registrar = listOf(answer["entities"])
    .slice(0, MAX_ENTITIES)
    .map(membersOf)
    .find((entity) => listOf(entity["roles"]).includes("registrar"))
  const card = listOf(listOf(registrar?.["vcardArray"])[1])
  const fn = card.map(listOf).find(([property]) => property === "fn")?.[3]
  const name = typeof fn === "string" ? plainText(fn, 200) : ""
  return name === "" ? undefined : name
}
