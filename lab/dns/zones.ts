/**
 * All zones of the lab: the root, `test` (signed), what lies behind the characters, and the
 * houses that they share: name servers, mail servers, registries.
 */
import type { Character } from "../character.ts"
import { REGISTRAR, REGISTRY } from "../rdap/answer.ts"
import type { TroubledZone } from "./resolve.ts"
import type { ZoneSource } from "./zone.ts"
import { createZone } from "./zone.ts"

export interface Addresses {
  readonly ipv4: string
  readonly ipv6: string
}

export const REGISTRY_ADDRESS = "198.18.254.1"
export const REGISTRAR_ADDRESS = "198.18.254.2"

const HOUSES: readonly ZoneSource[] = [
  { origin: ".", records: [] },
  { origin: "test", records: [], signed: "valid" },
  { origin: "dns-one.test", records: ["ns1 A 198.18.253.53", "ns1 AAAA 2001:db8:ffff:1::53"] },
  { origin: "dns-two.test", records: ["ns2 A 198.19.253.53", "ns2 AAAA 2001:db8:fffe:2::53"] },
  {
    origin: "mail-lab.test",
    records: [
      "mx1 A 198.18.252.25",
      "mx2 A 198.19.252.25",
      "_spf TXT v=spf1 ip4:198.18.252.0/24 ip4:198.19.252.0/24 -all",
    ],
  },
  { origin: "registry.test", records: [line(REGISTRY, REGISTRY_ADDRESS)] },
  { origin: "registrar.test", records: [line(REGISTRAR, REGISTRAR_ADDRESS)] },
  {
    origin: "google.com",
    records: ["smtp A 198.18.251.25", "_spf TXT v=spf1 ip4:198.18.251.0/24 ~all"],
  },
  { origin: "sedoparking.com", records: ["ns1 A 198.18.250.53", "ns2 A 198.18.250.54"] },
]

export function createZones(
  characters: readonly (Character & Addresses)[],
  now: Date,
): readonly TroubledZone[] {
  const zones = new Map<string, TroubledZone>()
  for (const house of HOUSES) zones.set(house.origin, createZone(house, now))
  for (const { domain, zone, ipv4, ipv6 } of characters) {
    if (zone.trouble === "no_such_name") continue
    const origin = zone.origin ?? domain
    const records = zone.records.map((record) =>
      record.replace("{ipv4}", ipv4).replace("{ipv6}", ipv6),
    )
    const made = createZone({ origin, records, ...(zone.signed && { signed: zone.signed }) }, now)
    zones.set(origin, { ...made, ...(zone.trouble && { trouble: zone.trouble }) })
  }
  for (const zone of zones.values()) parentOf(zone.origin, zones)?.delegate(zone)
  return [...zones.values()]
}

function parentOf(
  origin: string,
  zones: ReadonlyMap<string, TroubledZone>,
): TroubledZone | undefined {
  if (origin === ".") return undefined
  const labels = origin.split(".")
  for (let skip = 1; skip < labels.length; skip++) {
    const zone = zones.get(labels.slice(skip).join("."))
    if (zone) return zone
  }
  return zones.get(".")
}

function line(host: string, address: string): string {
  return `${host}. A ${address}`
}
