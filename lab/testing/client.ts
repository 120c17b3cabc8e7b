/** What the lab's tests ask it with: dns-packet, node:http and node:tls, and nothing of the engine. */
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import type { Socket } from "node:net"
import { connect as connectTcp } from "node:net"
import type { ConnectionOptions, TLSSocket } from "node:tls"
import { connect as connectTls } from "node:tls"
import type { DecodedPacket, RecordType } from "dns-packet"
import * as dnsPacket from "dns-packet"
import type { Lab } from "../lab.ts"

/** @returns Where the address map leads, as `[from, port on 127.0.0.1]`. */
export function addressMap({ settings }: Lab): Map<string, number> {
  return new Map(
    settings.ZT_ADDRESS_MAP.split(",").map((pair) => {
      const [from = "", to = ""] = pair.split("=")
      return [from, Number(to.replace("127.0.0.1:", ""))]
    }),
  )
}

export function dnsPort({ settings }: Lab): number {
  return Number(settings.ZT_RESOLVERS.replace("127.0.0.1:", ""))
}

export interface Ask {
  readonly name: string
  readonly type: RecordType
  readonly dnssec?: boolean
  readonly unchecked?: boolean
  readonly authenticDesired?: boolean
  /** Without EDNS where undefined. */
  readonly udpPayloadSize?: number
}

export function queryMessage(ask: Ask, id = 4711): Buffer {
  const edns = ask.dnssec || ask.udpPayloadSize !== undefined
  return dnsPacket.encode({
    type: "query",
    id,
    flags:
      dnsPacket.RECURSION_DESIRED |
      (ask.unchecked ? dnsPacket.CHECKING_DISABLED : 0) |
      (ask.authenticDesired ? dnsPacket.AUTHENTIC_DATA : 0),
    questions: [{ name: ask.name, type: ask.type }],
    additionals: edns
      ? [
          {
            name: ".",
            type: "OPT",
            udpPayloadSize: ask.udpPayloadSize ?? 4096,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: ask.dnssec ? dnsPacket.DNSSEC_OK : 0,
            flag_do: ask.dnssec ?? false,
            options: [],
          },
        ]
      : [],
  })
}

/** Sends all messages. @returns The first `count` datagrams that come back, as they are. */
export async function datagrams(
  lab: Lab,
  messages: readonly Buffer[],
  count: number,
): Promise<Buffer[]> {
  const socket = createSocket("udp4")
  try {
    return await new Promise<Buffer[]>((resolve, reject) => {
      const received: Buffer[] = []
      socket.on("error", reject)
      socket.on("message", (answer) => {
        if (received.push(answer) === count) resolve(received)
      })
      for (const message of messages) socket.send(message, dnsPort(lab), "127.0.0.1")
    })
  } finally {
    socket.close()
  }
}

export async function askUdp(lab: Lab, ask: Ask): Promise<DecodedPacket & { rcode: string }> {
  const [answer] = await datagrams(lab, [queryMessage(ask)], 1)
  return decode(answer)
}

export async function askTcp(lab: Lab, ask: Ask): Promise<DecodedPacket & { rcode: string }> {
  const socket = connectTcp(dnsPort(lab), "127.0.0.1")
  const message = queryMessage(ask)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  socket.write(Buffer.concat([length, message]))
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer])
    if (received.length >= 2 && received.length === 2 + received.readUInt16BE(0)) break
  }
  return decode(received.subarray(2))
}

function decode(message: Buffer | undefined): DecodedPacket & { rcode: string } {
  // Its own types leave out the `rcode` that it decodes.
  return dnsPacket.decode(message ?? Buffer.alloc(0)) as DecodedPacket & { rcode: string }
}

export function portOf(lab: Lab, name: string, port: 80 | 443): number {
  const character = lab.characters.find((one) => one.name === name)
  const to = addressMap(lab).get(`${character?.ipv4}:${port}`)
  if (to === undefined) throw new TypeError(`nobody called ${name} has a port ${port}`)
  return to
}

export function domainOf(lab: Lab, name: string): string {
  return lab.characters.find((one) => one.name === name)?.domain ?? ""
}

/** A handshake with a character; certificates are looked at, not enforced. */
export function handshake(
  lab: Lab,
  name: string,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: portOf(lab, name, 443),
      servername: domainOf(lab, name),
      ca: readFileSync(lab.settings.ZT_CA_FILE),
      rejectUnauthorized: false,
      ...options,
    })
    socket.once("secureConnect", () => resolve(socket)).once("error", reject)
  })
}

/** @returns What comes back on port 80, whole, or its first `limit` bytes. */
export async function exchange(lab: Lab, name: string, limit = 65_536): Promise<string> {
  const socket = connectTcp(portOf(lab, name, 80), "127.0.0.1")
  return readAfterRequest(socket, domainOf(lab, name), limit)
}

export async function readAfterRequest(
  socket: Socket,
  host: string,
  limit = 65_536,
  path = "/",
): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length >= limit) break
  }
  return Buffer.concat(chunks).toString("latin1")
}
