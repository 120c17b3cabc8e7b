/**
 * DNS messages (RFC 1035 §4, EDNS RFC 6891): a question → bytes, bytes → what was answered.
 * No I/O. Bytes come from strangers: whatever they are, decoding returns or says undefined.
 */
import { randomInt } from "node:crypto"
import { isIP } from "node:net"
import type { Answer } from "dns-packet"
import dnsPacket from "dns-packet"
import type { DnsRecord } from "../types.ts"
import { cut } from "./text.ts"

export type RecordType = "A" | "AAAA" | "NS" | "MX" | "TXT" | "CAA" | "DS" | "DNSKEY"

export interface Question {
  /** ASCII, lower case, no trailing dot; `.` is the root. */
  readonly name: string
  readonly type: RecordType
  /** Checking disabled (RFC 4035 §3.2.2): answer even what does not validate. */
  readonly checkingDisabled?: boolean
}

export interface Reply {
  readonly rcode: (typeof RCODES)[number] | "OTHER"
  readonly truncated: boolean
  readonly authenticated: boolean
  /** Records of the asked type at the end of the CNAME chain. */
  readonly records: readonly DnsRecord[]
  /** Where the chain of CNAMEs in this message ends; the asked name without one. */
  readonly target: string
}

/** EDNS buffer size that no path fragments (DNS Flag Day 2020), in bytes. */
const UDP_PAYLOAD_SIZE = 1232
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const
/** What is kept of an answer; the rest is cut. */
const MAX_RECORDS = 256
const MAX_CNAMES = 8

/** @returns Whether DNS can be asked for it: labels of 1 to 63 bytes, 253 in all, or the root. */
export function isDomainName(name: string): boolean {
  return (
    name === "." ||
    (Buffer.byteLength(name) <= 253 &&
      name.split(".").every((label) => label !== "" && Buffer.byteLength(label) <= 63))
  )
}

/** @returns The message and its random id. The name must be one. */
export function encodeQuery(question: Question): { id: number; bytes: Buffer } {
  const id = randomInt(65_536)
  const checking = question.checkingDisabled ? dnsPacket.CHECKING_DISABLED : 0
  const bytes = dnsPacket.encode({
    type: "query",
    id,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA | checking,
    questions: [{ type: question.type, name: question.name, class: "IN" }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: UDP_PAYLOAD_SIZE,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: dnsPacket.DNSSEC_OK,
        flag_do: true,
        options: [],
      },
    ],
  })
  return { id, bytes }
}

/**
 * @returns The reply; `undefined` when the bytes are not an answer to that question (another id,
 *   another question, a query); "malformed" when they are, but do not parse. Never throws.
 */
export function decodeReply(
  bytes: Buffer,
  id: number,
  question: Question,
): Reply | "malformed" | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id || (bytes.readUInt8(2) & 0x80) === 0) {
    return undefined
  }
  const rcode = RCODES[bytes.readUInt8(3) & 0x0f] ?? "OTHER"
  const truncated = (bytes.readUInt8(2) & 0x02) !== 0
  const authenticated = (bytes.readUInt8(3) & 0x20) !== 0
  const questions = bytes.readUInt16BE(4)
  // An error may come without the question (RFC 1035 §4.1.1).
  if (questions === 0 && rcode !== "NOERROR" && rcode !== "NXDOMAIN") {
    return { rcode, truncated, authenticated, records: [], target: question.name }
  }
  if (questions !== 1) return "malformed"
  try {
    const message = dnsPacket.decode(answersOnly(bytes, truncated))
    // The decoder reads past the end of a record that is cut off.
    if (dnsPacket.decode.bytes > bytes.length) return "malformed"
    const [echo] = message.questions ?? []
    if (echo?.type !== question.type || echo.class !== "IN") return undefined
    if (plainName(echo.name) !== question.name) return undefined
    const answers = message.answers ?? []
    const target = followCnames(question.name, answers)
    const records = answers.flatMap((answer) =>
      answer.type === question.type && plainName(answer.name) === target ? recordOf(answer) : [],
    )
    return { rcode, truncated, authenticated, records: records.slice(0, MAX_RECORDS), target }
  } catch {
    return "malformed"
  }
}

/**
 * The other sections are not read, so nothing in them can spoil the answer; of a truncated
 * message, which may end within a record, only the question is.
 */
function answersOnly(bytes: Buffer, truncated: boolean): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0, truncated ? 6 : 8, 12)
  return copy
}

function followCnames(from: string, answers: readonly Answer[]): string {
  const targets = new Map<string, string>()
  for (const answer of answers) {
    if (answer.type === "CNAME") targets.set(plainName(answer.name), plainName(answer.data))
  }
  let name = from
  for (let steps = 0; steps < MAX_CNAMES; steps++) {
    const next = targets.get(name)
    if (next === undefined) break
    name = next
  }
  return name
}

/** @returns The name in lower case, without trailing dot. */
function plainName(name: string): string {
  return name === "." ? name : cut(name.toLowerCase().replace(/\.$/, ""), 255)
}

function recordOf(answer: Answer): DnsRecord[] {
  const data = presentation(answer)
  const ttl = "ttl" in answer ? (answer.ttl ?? 0) : 0
  return data === undefined ? [] : [{ data: data.toWellFormed(), ttl }]
}

function presentation(answer: Answer): string | undefined {
  switch (answer.type) {
    case "A":
    case "AAAA":
      return isIP(answer.data) === 0 ? undefined : answer.data
    case "NS":
      return plainName(answer.data)
    case "MX":
      return `${answer.data.preference ?? 0} ${plainName(answer.data.exchange)}`
    case "TXT": {
      const strings = Array.isArray(answer.data) ? answer.data : [answer.data]
      return Buffer.concat(strings.map((part) => Buffer.from(part))).toString("utf8")
    }
    case "CAA":
      return `${answer.data.flags ?? 0} ${answer.data.tag.toLowerCase()} "${answer.data.value}"`
    case "DS":
      return [
        answer.data.keyTag,
        answer.data.algorithm,
        answer.data.digestType,
        answer.data.digest.toString("hex"),
      ].join(" ")
    case "DNSKEY":
      return `${answer.data.flags} 3 ${answer.data.algorithm} ${answer.data.key.toString("base64")}`
    default:
      return undefined
  }
}
