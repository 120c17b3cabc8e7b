/**
 * TCP connections to strangers: the only place in the program that opens them.
 *
 * Invariant: a name is resolved once an observation, every address it has is vetted before any is
 * connected to, and the connection goes to the very address that was vetted: a name that answers
 * differently the second time (DNS rebinding) gains nothing.
 * The address map is how a lab on loopback is reached: a connection to an address and port in it
 * goes to its target instead, and it alone passes the guard unvetted.
 */
import type { Socket } from "node:net"
import { connect, isIP } from "node:net"
import type { Endpoint } from "../../setting-values.ts"
import { endpointKey } from "../../setting-values.ts"
import type { Known } from "../types.ts"
import { attempt, whyOf } from "./attempt.ts"
import type { Lookup } from "./dns-client.ts"
import { isOpenPort, isPublicAddress } from "./guard.ts"

export type AddressMap = ReadonlyMap<string, Endpoint>

export interface Dialer {
  /** @param host - A name, or an IP address as the URL standard writes it. Never rejects. */
  dial(host: string, port: number): Promise<Known<Socket>>
  /** Destroys every connection that is still open. */
  close(): void
}

const MAX_ADDRESSES = 4
const CONNECT_TIMEOUT_MS = 2000
/** How long IPv6 addresses are waited for once IPv4 ones are known (RFC 8305 §3). */
const RESOLUTION_DELAY_MS = 500

export function createDialer(lookup: Lookup, addressMap: AddressMap, signal: AbortSignal): Dialer {
  const open = new Set<Socket>()

  async function dial(host: string, port: number): Promise<Known<Socket>> {
    if (!isOpenPort(port)) return { unknown: "blocked" }
    const addresses = await resolve(host, lookup, signal)
    if ("unknown" in addresses) return addresses
    const targets: Endpoint[] = []
    for (const address of addresses.value) {
      const mapped = addressMap.get(endpointKey(address, port))
      if (mapped === undefined && !isPublicAddress(address)) return { unknown: "blocked" }
      targets.push(mapped ?? { address, port })
    }
    let result: Known<Socket> = { unknown: "unreachable" }
    for (const target of targets.slice(0, MAX_ADDRESSES)) {
      result = await connectTo(target)
      if ("value" in result || signal.aborted) break
    }
    return result
  }

  function connectTo({ address, port }: Endpoint): Promise<Known<Socket>> {
    return attempt(signal, CONNECT_TIMEOUT_MS, (done) => {
      const socket = connect({ host: address, port, noDelay: true })
      open.add(socket)
      socket.once("close", () => open.delete(socket))
      // Stays for the socket's whole life: an error that nobody awaits must not end the process.
      socket.on("error", (error) => done({ unknown: whyOf(error) }))
      socket.once("connect", () => done({ value: socket }))
      return (result) => {
        if ("unknown" in result) socket.destroy()
      }
    })
  }

  return {
    dial,
    close() {
      for (const socket of open) socket.destroy()
    },
  }
}

/** @returns All addresses, IPv4 and IPv6 by turns; unknown when there is none. */
async function resolve(
  host: string,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<Known<readonly string[]>> {
  const literal = host.replace(/^\[(.*)\]$/, "$1")
  if (isIP(literal) !== 0) return { value: [literal] }
  const name = host.toLowerCase().replace(/\.$/, "")
  const later = lookup(name, "AAAA")
  const a = await lookup(name, "A")
  const aaaa = await attempt<readonly string[]>(signal, RESOLUTION_DELAY_MS, (done) => {
    later.then((answer) => done({ value: addressesOf(answer) }))
    return () => {}
  })
  const four = addressesOf(a)
  const six = "value" in aaaa ? aaaa.value : "value" in a ? [] : addressesOf(await later)
  const byTurns = Array.from({ length: Math.max(four.length, six.length) }, (_, index) =>
    [four[index], six[index]].filter((address) => address !== undefined),
  ).flat()
  if (byTurns.length > 0) return { value: byTurns }
  return { unknown: "unknown" in a ? a.unknown : "unreachable" }
}

function addressesOf(answer: Awaited<ReturnType<Lookup>>): readonly string[] {
  return "value" in answer ? answer.value.records.map(({ data }) => data) : []
}
