/**
 * The lab's resolver on the wire: UDP and TCP on one port of 127.0.0.1, EDNS(0), truncation.
 *
 * Owns sockets and the form of answers (RFC 1035 §4, RFC 6891, RFC 7766). Not: what the answer
 * is (`resolve.ts`).
 */

import type { Socket as UdpSocket } from "node:dgram"
import { createSocket } from "node:dgram"
import type { Server, Socket } from "node:net"
import { createServer } from "node:net"
import type { DecodedPacket, OptAnswer, Question } from "dns-packet"
import * as dnsPacket from "dns-packet"
import type { Latency } from "../latency.ts"
import type { Listener } from "../web/listen.ts"
import { closeAll, listenOn } from "../web/listen.ts"
import type { Resolution, Resolve } from "./resolve.ts"

const UDP_LIMIT = 1232
const UDP_LIMIT_WITHOUT_EDNS = 512
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3 } as const

export interface DnsServerOptions {
  readonly resolve: Resolve
  readonly latency: Latency
  readonly onQuestion: (question: Question) => void
  /** Zones whose true answers come behind forged ones, over UDP. */
  readonly spoofed: ReadonlySet<string>
}

export async function listenDns(options: DnsServerOptions): Promise<Listener> {
  const sockets = new Set<Socket>()
  const tcp = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    serveTcp(socket, options)
  })
  const { udp, port } = await bindBoth(tcp)
  udp.on("message", (message, { address, port }) => {
    options.latency.after(1, () => {
      for (const answer of answersTo(message, options, "udp")) udp.send(answer, port, address)
    })
  })
  return {
    port,
    async close() {
      await new Promise<void>((resolve) => udp.close(resolve))
      await closeAll(tcp, sockets)
    },
  }
}

/** The kernel gives a TCP port; the same number may be taken for UDP, so it may take some tries. */
async function bindBoth(tcp: Server): Promise<{ udp: UdpSocket; port: number }> {
  for (let left = 20; ; left--) {
    const port = await listenOn(tcp)
    const udp = createSocket("udp4")
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once("error", reject).bind(port, "127.0.0.1", resolve)
      })
      return { udp, port }
    } catch (cause) {
      udp.close()
      await closeAll(tcp, [])
      if (left === 0) throw cause
    }
  }
}

function serveTcp(socket: Socket, options: DnsServerOptions): void {
  let received = Buffer.alloc(0)
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const message = received.subarray(2, end)
      received = received.subarray(end)
      options.latency.after(2, () => {
        for (const answer of answersTo(message, options, "tcp")) {
          if (socket.writable) socket.write(Buffer.concat([length16(answer), answer]))
        }
      })
    }
  })
}

/** @returns What is sent back: nothing, one answer, or forged ones and then the true one. */
function answersTo(message: Buffer, options: DnsServerOptions, over: "udp" | "tcp"): Buffer[] {
  const query = decodeQuery(message)
  const question = query?.questions?.[0]
  if (!query || !question) return []
  options.onQuestion(question)
  const opt = query.additionals?.find((record) => record.type === "OPT")
  const outcome = options.resolve(question, {
    dnssec: opt?.flag_do ?? false,
    unchecked: query.flag_cd,
  })
  if (outcome === "silent") return []
  if (outcome === "malformed") return [malformedAnswer(message)]
  const answer = encodeAnswer(query, question, opt, outcome)
  const limit = opt ? Math.min(opt.udpPayloadSize, UDP_LIMIT) : UDP_LIMIT_WITHOUT_EDNS
  if (over === "tcp") return [answer]
  const fitting =
    answer.length <= limit
      ? answer
      : encodeAnswer(query, question, opt, { ...outcome, answers: [], authorities: [] }, true)
  return isSpoofed(question.name, options.spoofed)
    ? [...forgedAnswers(query, question), fitting]
    : [fitting]
}

function decodeQuery(message: Buffer): DecodedPacket | undefined {
  try {
    const query = dnsPacket.decode(message)
    return query.flag_qr ? undefined : query
  } catch {
    return undefined
  }
}

function encodeAnswer(
  query: DecodedPacket,
  question: Question,
  opt: OptAnswer | undefined,
  { rcode, answers, authorities, authentic }: Resolution,
  truncated = false,
): Buffer {
  const told = authentic && !query.flag_cd && (query.flag_ad || opt?.flag_do)
  return dnsPacket.encode({
    type: "response",
    id: query.id,
    flags:
      RCODES[rcode] |
      dnsPacket.RECURSION_AVAILABLE |
      (query.flag_rd ? dnsPacket.RECURSION_DESIRED : 0) |
      (query.flag_cd ? dnsPacket.CHECKING_DISABLED : 0) |
      (told ? dnsPacket.AUTHENTIC_DATA : 0) |
      (truncated ? dnsPacket.TRUNCATED_RESPONSE : 0),
    questions: [question],
    answers: [...answers],
    authorities: [...authorities],
    additionals: opt ? [{ ...opt, udpPayloadSize: UDP_LIMIT, options: [] }] : [],
  })
}

/** Forgeries (RFC 5452 §9.1) that lead inside: another id, then another question. */
function forgedAnswers(query: DecodedPacket, question: Question): Buffer[] {
  const forge = (id: number, name: string) =>
    dnsPacket.encode({
      type: "response",
      id,
      flags: dnsPacket.RECURSION_AVAILABLE,
      questions: [{ ...question, name }],
      answers: [{ name, type: "A", ttl: 3600, data: "127.0.0.1" }],
    })
  const id = query.id ?? 0
  return [forge((id + 1) & 0xffff, question.name), forge(id, `not-${question.name}`)]
}

/** The right id, then three answers that are promised and are garbage. */
function malformedAnswer(query: Buffer): Buffer {
  const answer = Buffer.concat([query.subarray(0, 12), Buffer.alloc(40, 0xee)])
  answer.writeUInt16BE(0x8180, 2)
  answer.writeUInt16BE(0, 4)
  answer.writeUInt16BE(3, 6)
  answer.writeUInt32BE(0, 8)
  return answer
}

function isSpoofed(name: string, spoofed: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase()
  return [...spoofed].some((origin) => lower === origin || lower.endsWith(`.${origin}`))
}

function length16(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return length
}
