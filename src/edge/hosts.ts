/** Whose name a request may call: the configured host and the loopback names, at any port. */

/** A host that a request names: `ours`, `foreign`, or not a host by syntax. */
export type HostVerdict = "ours" | "foreign" | "malformed"

// RFC 3986 §3.2.2 without userinfo; a registered name may hold more, but no host of ours does.
const AUTHORITY = /^(\[[\da-f:.]+\]|[a-z\d._-]+)(?::\d{0,5})?$/i
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/**
 * @param host - The configured host, lower case. Ports are not compared: containers and proxies
 * map them.
 * @returns A judge of `host[:port]` texts. The last answer "ours" is remembered, not the others.
 */
export function hostJudge(host: string): (authority: string) => HostVerdict {
  let last: string | undefined
  return (authority) => {
    if (authority === last) return "ours"
    const named = AUTHORITY.exec(authority)?.[1]
    if (named === undefined) return "malformed"
    const name = named.toLowerCase().replace(/\.$/, "")
    if (name !== host && !LOOPBACK.test(name)) return "foreign"
    last = authority
    return "ours"
  }
}
