/**
 * One DNS question to one resolver: over UDP, then over TCP when the answer did not fit
 * (RFC 7766). Every question has a socket, and so a source port, of its own (RFC 5452 §9.2); the
 * socket is connected, so the kernel drops what comes from elsewhere.
 */
import { createSocket } from "node:dgram"
import { connect } from "node:net"
import { createGate } from "../../core/gate.ts"
import type { Endpoint } from "../../setting-values.ts"
import type { Known } from "../types.ts"
import { attempt, whyOf } from "./attempt.ts"
import type { Question, Reply } from "./dns-message.ts"
import { decodeReply, encodeQuery } from "./dns-message.ts"

/** A thousand observations at once must not take every file descriptor there is. */
const inTurn = createGate(512)

/**
 * @param timeoutMs - For each of the two transports; waiting for a socket does not count.
 * @returns The resolver's reply, whatever its RCODE, or why there is none. Never rejects.
 */
export function exchange(
  resolver: Endpoint,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Known<Reply>> {
  return inTurn(async () => {
    const reply = await overUdp(resolver, question, timeoutMs, signal)
    if ("value" in reply && reply.value.truncated) {
      return overTcp(resolver, question, timeoutMs, signal)
    }
    return reply
  })
}

function overUdp(
  resolver: Endpoint,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Known<Reply>> {
  const { id, bytes } = encodeQuery(question)
  return attempt(signal, timeoutMs, (done) => {
    const socket = createSocket(resolver.address.includes(":") ? "udp6" : "udp4")
    socket.on("error", (error) => done({ unknown: whyOf(error) }))
    socket.on("message", (message) => {
      const reply = decodeReply(message, id, question)
      if (reply === "malformed") done({ unknown: "malformed" })
      // Anything else is not ours (a forgery, a late duplicate): the answer may still come.
      else if (reply !== undefined) done({ value: reply })
    })
    socket.connect(resolver.port, resolver.address, () => socket.send(bytes))
    return () => socket.close()
  })
}

function overTcp(
  resolver: Endpoint,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Known<Reply>> {
  const { id, bytes } = encodeQuery(question)
  return attempt(signal, timeoutMs, (done) => {
    const socket = connect(resolver.port, resolver.address)
    let received: Buffer = Buffer.alloc(0)
    socket.on("error", (error) => done({ unknown: whyOf(error) }))
    socket.on("end", () => done({ unknown: "malformed" }))
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2) return
      const length = received.readUInt16BE(0)
      if (received.length < 2 + length) return
      const reply = decodeReply(received.subarray(2, 2 + length), id, question)
      if (reply === undefined || reply === "malformed") done({ unknown: "malformed" })
      else done({ value: reply })
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    socket.write(Buffer.concat([length, bytes]))
    return () => socket.destroy()
  })
}
