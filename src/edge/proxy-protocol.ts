/**
 * The PROXY protocol: a TCP balancer says first who connected to it
 * (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, versions 1 and 2).
 *
 * Owns: whose connections have that header, and reading it off one.
 * Invariant: what follows the header is left as it came, and a header that is none ends the connection.
 */
import type { Socket } from "node:net"
import { BlockList, isIPv4, isIPv6 } from "node:net"

const V1_START = Buffer.from("PROXY ")
/** With its CRLF (§2.1). */
const V1_MAX_BYTES = 107
const V2_START = Buffer.from("\r\n\r\n\0\r\nQUIT\n")
const V2_FIXED_BYTES = 16
/** Addresses, and what balancers add as TLVs (§2.2). */
const V2_MAX_BYTES = V2_FIXED_BYTES + 4_096

/** Two addresses and two ports. */
const IPV4_BYTES = 12
const IPV6_BYTES = 36

const LOCAL = 0x20
const PROXY = 0x21
const TCP_IPV4 = 0x11
const TCP_IPV6 = 0x21

export interface Header {
  /** Bytes that it takes. */
  readonly length: number
  /** Of who connected; undefined where the balancer speaks for itself, or does not say. */
  readonly address: string | undefined
}

/** An address is a network of its own. */
export interface Network {
  readonly address: string
  readonly prefix: number
  readonly family: "ipv4" | "ipv6"
}

/** @returns Whether an address, as a socket has it, is in one of them. */
export function matcherOf(networks: readonly Network[]): (address: string) => boolean {
  const known = new BlockList()
  for (const { address, prefix, family } of networks) known.addSubnet(address, prefix, family)
  return (address) => known.check(address, isIPv6(address) ? "ipv6" : "ipv4")
}

/**
 * @param bytes - What came so far.
 * @returns Undefined where more has to come.
 * @throws Error where it is none.
 */
export function parseHeader(bytes: Buffer): Header | undefined {
  if (startsAs(bytes, V2_START)) return parseBinary(bytes)
  if (startsAs(bytes, V1_START)) return parseText(bytes)
  throw new Error("no PROXY header")
}

/**
 * Reads the header, and puts back what came behind it.
 * @param done - Told the client's address. Where there is no header in time the connection is cut instead.
 */
export function readHeader(
  socket: Socket,
  timeoutMs: number,
  done: (address: string | undefined) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const end = () => {
    clearTimeout(timer)
    socket.off("readable", onReadable)
    socket.off("close", end)
  }
  const onReadable = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    try {
      const header = parseHeader(bytes)
      if (header === undefined) return
      end()
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
      done(header.address)
    } catch {
      end()
      socket.destroy()
    }
  }
  const timer = setTimeout(() => socket.destroy(), timeoutMs)
  socket.on("readable", onReadable)
  socket.once("close", end)
}

/** So far: fewer bytes may still become it. */
function startsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function parseBinary(bytes: Buffer): Header | undefined {
  if (bytes.length < V2_FIXED_BYTES) return undefined
  const [command, family] = [bytes[12], bytes[13]]
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14)
  if (length > V2_MAX_BYTES || (command !== LOCAL && command !== PROXY))
    throw new Error("no PROXY header of version 2")
  if (bytes.length < length) return undefined
  const addresses = bytes.subarray(V2_FIXED_BYTES, length)
  if (command === LOCAL) return { length, address: undefined }
  if (family === TCP_IPV4) return { length, address: ipv4Of(addresses) }
  if (family === TCP_IPV6) return { length, address: ipv6Of(addresses) }
  return { length, address: undefined } // §2.2: others are let through by their own address
}

function ipv4Of(addresses: Buffer): string {
  if (addresses.length < IPV4_BYTES) throw new Error("an address is cut off")
  return addresses.subarray(0, 4).join(".")
}

function ipv6Of(addresses: Buffer): string {
  if (addresses.length < IPV6_BYTES) throw new Error("an address is cut off")
  const groups = Array.from({ length: 8 }, (_, n) => addresses.readUInt16BE(2 * n))
  const isMapped = groups.slice(0, 6).join() === "0,0,0,0,0,65535"
  if (isMapped) return `::ffff:${addresses.subarray(12, 16).join(".")}`
  return groups.map((group) => group.toString(16)).join(":")
}

function parseText(bytes: Buffer): Header | undefined {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf("\r\n")
  if (end === -1) {
    if (bytes.length >= V1_MAX_BYTES) throw new Error("a PROXY header that does not end")
    return undefined
  }
  const length = end + 2
  const [, family, source = "", target = "", ...ports] = bytes.toString("latin1", 0, end).split(" ")
  if (family === "UNKNOWN") return { length, address: undefined }
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : () => false
  const arePorts = ports.length === 2 && ports.every((port) => /^(0|[1-9]\d{0,4})$/.test(port))
  if (!isAddress(source) || !isAddress(target) || !arePorts || source.includes("%"))
    throw new Error("no PROXY header of version 1")
  return { length, address: source }
}
