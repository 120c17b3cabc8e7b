import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Do the name servers stand in more than one network (RFC 2182 §3.1): a /24, or a /48 of IPv6? */
export const nsNetworkDiverse: Rule = {
  code: "ns_network_diverse",
  category: "dns",
  says: {
    true: "Has name servers in more than one network",
    false: "Has its name servers in one network",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "ns"), () =>
      whenKnown(observation.dns.nsAddresses, (servers) => {
        const addresses = Object.values(servers).flat()
        if (addresses.length === 0) return unknown("not_observed")
        const networks = new Set(addresses.map(networkOf))
        return found(networks.size > 1, [...networks].slice(0, 4).join(", "))
      }),
    ),
}

function networkOf(address: string): string {
  if (!address.includes(":")) return `${address.split(".").slice(0, 3).join(".")}.0/24`
  const [front = "", behind] = address.split("::")
  const groups = front.split(":").filter(Boolean)
  const missing =
    behind === undefined ? 0 : 8 - groups.length - behind.split(":").filter(Boolean).length
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill("0")]
  return `${all.slice(0, 3).join(":")}::/48`
}
