/**
 * The guard: which addresses and ports of strangers may be connected to at all.
 *
 * Owns: the tables. Not: resolving and connecting (dial.ts), which asks here for every address.
 * Invariant: only what is allowed by both ipaddr.js's ranges and the tables below passes, so a
 * range that one of them forgets stays closed. Anything that does not parse is blocked.
 */
import ipaddr from "ipaddr.js"

const OPEN_PORTS: ReadonlySet<number> = new Set([80, 443])

/** IANA IPv4 Special-Purpose Address Registry, and what clouds serve their instances' secrets on. */
const BLOCKED_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT; Alibaba's metadata at 100.100.100.200
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's wire server, on an address that looks public
  "169.254.0.0/16", // link-local; metadata at 169.254.169.254
  "172.16.0.0/12", // private
  "192.0.0.0/24", // IETF protocol assignments; Oracle's metadata at 192.0.0.192
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relay, deprecated
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112, direct delegation
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and limited broadcast
].map((block) => ipaddr.IPv4.parseCIDR(block))

/**
 * Only global unicast (RFC 4291 §2.4) can pass. That leaves out mapped and compatible addresses,
 * NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard-only (100::/64), SRv6 (5f00::/16), unique local
 * (fc00::/7, with metadata at fd00:ec2::254 and fd20:ce::254), link- and site-local, multicast.
 */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3")

/** IANA IPv6 Special-Purpose Address Registry, within global unicast. */
const BLOCKED_IPV6 = [
  "2001::/23", // IETF protocol assignments: Teredo, benchmarking, AMT, ORCHID, drone ids
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: an IPv4 address inside
  "2620:4f:8000::/48", // AS112, direct delegation
  "3fff::/20", // documentation
].map((block) => ipaddr.IPv6.parseCIDR(block))

/**
 * @param address - An IPv4 address in dotted decimals or an IPv6 address, without brackets.
 * @returns Whether it is a public unicast address. Never throws.
 */
export function isPublicAddress(address: string): boolean {
  if (address.includes("%")) return false
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    const ip = ipaddr.IPv4.parse(address)
    return ip.range() === "unicast" && !BLOCKED_IPV4.some((block) => ip.match(block))
  }
  if (!ipaddr.IPv6.isValid(address)) return false
  const ip = ipaddr.IPv6.parse(address)
  return (
    ip.range() === "unicast" &&
    ip.match(GLOBAL_UNICAST) &&
    !BLOCKED_IPV6.some((block) => ip.match(block))
  )
}

/** @returns Whether strangers may be spoken to on that port: HTTP's and HTTPS's. */
export function isOpenPort(port: number): boolean {
  return OPEN_PORTS.has(port)
}
