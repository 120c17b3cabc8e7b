/**
 * Embedded signed certificate timestamps (RFC 6962 §3.2 and §3.3): the form is right, the logs
 * and their signatures are made up, since nobody here knows the logs.
 */
import { randomBytes } from "node:crypto"

export const SCT_LIST_OID = "1.3.6.1.4.1.11129.2.4.2"

/** @returns The extension's value: an OCTET STRING with a list of two timestamps. */
export function sctList(at: Date): Buffer {
  const list = prefixed(Buffer.concat([sct(at), sct(at)].map(prefixed)))
  return Buffer.concat([Buffer.from([0x04, 0x81, list.length]), list])
}

/** Version 1, log id, time, no extensions, and an ECDSA signature over SHA-256. */
function sct(at: Date): Buffer {
  const milliseconds = Buffer.alloc(8)
  milliseconds.writeBigUInt64BE(BigInt(at.getTime()))
  const number = () => Buffer.concat([Buffer.from([0x02, 0x20, 0x01]), randomBytes(31)])
  const signature = Buffer.concat([Buffer.from([0x30, 0x44]), number(), number()])
  return Buffer.concat([
    Buffer.from([0x00]),
    randomBytes(32),
    milliseconds,
    Buffer.from([0x00, 0x00, 0x04, 0x03]),
    prefixed(signature),
  ])
}

/** Behind its length in two bytes. */
function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
