/**
 * RDAP as registries and registrars speak it (RFC 9082 queries, RFC 9083 answers): what is known
 * of each name, and every way in which a registry fails to say it.
 */
import type { Character, Registered } from "../character.ts"
import type { Answer } from "../web/answer.ts"

const DAY_MS = 86_400_000
const TYPE = "application/rdap+json"

export const REGISTRY = "rdap.registry.test"
export const REGISTRAR = "rdap.registrar.test"

/** Suffixes that the bootstrap file leads to the registry. */
const SERVED_SUFFIXES = ["test", "com", "uk", "io"] as const

/** The bootstrap file (RFC 9224 §4). */
export function bootstrapFile(now: Date): string {
  return JSON.stringify({
    version: "1.0",
    publication: now.toISOString(),
    description: "RDAP servers of the lab",
    services: [[SERVED_SUFFIXES, [`https://${REGISTRY}/rdap/`]]],
  })
}

/** The registry, or the registrar that it redirects some names to. */
export function rdapServer(
  role: "registry" | "registrar",
  characters: readonly Character[],
  now: Date,
): Answer {
  const byDomain = new Map(characters.map((one) => [registeredName(one), one]))
  return {
    kind: "http",
    respond(request, response, stage) {
      const domain = /^\/rdap\/domain\/([^/?]+)$/.exec(request.url ?? "")?.[1]?.toLowerCase() ?? ""
      const character = byDomain.get(domain)
      const registration = character?.registration ?? "not_found"
      const send = (status: number, body: unknown) => {
        response.writeHead(status, { "content-type": TYPE, "access-control-allow-origin": "*" })
        response.end(JSON.stringify(body))
      }
      const redirect = (location: string) => response.writeHead(302, { location }).end()
      switch (registration) {
        case "silent":
          return
        case "not_found":
        case "no_server":
          return send(404, errorAnswer(404, "Not Found"))
        case "server_error":
          return send(500, errorAnswer(500, "Internal Server Error"))
        case "not_json":
          response.writeHead(200, { "content-type": TYPE })
          response.end("<html><body>Please accept our terms of use.</body></html>")
          return
        case "redirect_private":
          return void redirect(`https://127.0.0.1:${stage.trapPort}/rdap/domain/${domain}`)
      }
      if (registration.redirected && role === "registry") {
        return void redirect(`https://${REGISTRAR}/rdap/domain/${domain}`)
      }
      const signed = character?.zone.signed !== undefined
      send(200, domainAnswer(domain, registration, signed, now))
    },
  }
}

/** What the registry has: the zone of a character, or its domain. */
function registeredName({ domain, zone }: Character): string {
  return zone.origin ?? domain
}

function domainAnswer(
  domain: string,
  registered: Registered,
  delegationSigned: boolean,
  now: Date,
): unknown {
  const at = (days: number) => new Date(now.getTime() + days * DAY_MS).toISOString()
  const { registeredDaysAgo, expiresInDays, transferredDaysAgo } = registered
  const changedDaysAgo = Math.min(registeredDaysAgo, 90, transferredDaysAgo ?? 90)
  return {
    rdapConformance: ["rdap_level_0", "icann_rdap_response_profile_1"],
    objectClassName: "domain",
    handle: `${domain.toUpperCase()}-LAB`,
    ldhName: domain,
    status: registered.statuses ?? ["client transfer prohibited"],
    events: [
      { eventAction: "registration", eventDate: at(-registeredDaysAgo) },
      { eventAction: "expiration", eventDate: at(expiresInDays) },
      { eventAction: "last changed", eventDate: at(-changedDaysAgo) },
      ...(transferredDaysAgo === undefined
        ? []
        : [{ eventAction: "transfer", eventDate: at(-transferredDaysAgo) }]),
      { eventAction: "last update of RDAP database", eventDate: at(0) },
    ],
    entities: [registrar()],
    nameservers: ["ns1.dns-one.test", "ns2.dns-two.test"].map((ldhName) => ({
      objectClassName: "nameserver",
      ldhName,
    })),
    secureDNS: { delegationSigned },
    links: [
      {
        value: `https://${REGISTRY}/rdap/domain/${domain}`,
        rel: "related",
        href: `https://${REGISTRAR}/rdap/domain/${domain}`,
        type: TYPE,
      },
    ],
    notices: [{ title: "Terms of Use", description: ["This registry exists in a lab alone."] }],
  }
}

function registrar(): unknown {
  return {
    objectClassName: "entity",
    handle: "9999",
    roles: ["registrar"],
    publicIds: [{ type: "IANA Registrar ID", identifier: "9999" }],
    vcardArray: [
      "vcard",
      [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", "Lab Registrar Ltd"],
      ],
    ],
    entities: [
      {
        objectClassName: "entity",
        roles: ["abuse"],
        vcardArray: [
          "vcard",
          [
            ["version", {}, "text", "4.0"],
            ["fn", {}, "text", ""],
            ["email", {}, "text", "abuse@registrar.test"],
          ],
        ],
      },
    ],
  }
}

function errorAnswer(errorCode: number, title: string): unknown {
  return { rdapConformance: ["rdap_level_0"], errorCode, title, description: [title] }
}
