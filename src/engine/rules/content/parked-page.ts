import { PARKING } from "../../lists/parking.ts"
import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Observation, Page, Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage, hostOf, isWithin, siteVisit } from "../site.ts"

/** Is the domain parked: told by its name servers, by where it leads, or by the page itself? */
export const parkedPage: Rule = {
  code: "parked_page",
  category: "content",
  says: { true: "Is parked or for sale", false: "Is not parked" },
  judge: (observation) => {
    const elsewhere = parkingServer(observation) ?? parkingTarget(observation)
    if (elsewhere !== undefined) return found(true, elsewhere)
    return whenKnown(homePage(observation), (page) => {
      const seen = page.resourceHosts.find(isParkingHost) ?? parkingPhrase(page)
      return found(seen !== undefined, seen)
    })
  },
}

function parkingServer({ dns, name }: Observation): string | undefined {
  if (name.shared || "unknown" in dns.ns) return undefined
  const servers = dns.ns.value.records.map(({ data }) => data)
  return servers.find((server) => PARKING.nameServers.some((suffix) => isWithin(server, suffix)))
}

function parkingTarget(observation: Observation): string | undefined {
  const visit = siteVisit(observation)
  const host = "value" in visit ? hostOf(visit.value.hops.at(-1)?.url ?? "") : ""
  return isParkingHost(host) ? host : undefined
}

function isParkingHost(host: string): boolean {
  return PARKING.hosts.some((suffix) => isWithin(host, suffix))
}

function parkingPhrase({ title = "", text, textLength }: Page): string | undefined {
  const short = textLength <= THRESHOLDS.shortPageCharacters ? text : ""
  const words = `${title} ${short}`.toLowerCase()
  return PARKING.phrases.find((phrase) => words.includes(phrase))
}
