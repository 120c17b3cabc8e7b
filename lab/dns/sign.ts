/**
 * DNSSEC for one zone: a key, and signatures over RRsets in canonical form (RFC 4034 §3 and §6).
 *
 * One combined signing key a zone, ECDSA P-256 with SHA-256 (algorithm 13, RFC 6605), made when
 * the zone is. Signatures are made when first asked for and kept.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto"
import type { DnskeyData, DsData, RrsigData } from "dns-packet"
import { encode } from "dns-packet"
import type { DnsRecord } from "./records.ts"

const ALGORITHM = 13
const DAY_SECONDS = 86_400

export interface Signer {
  readonly dnskey: DnskeyData
  /** For the parent zone (RFC 4034 §5, digest type 2). */
  readonly ds: DsData
  /** The RRSIG of an RRset: records of one owner, type and TTL. */
  sign(rrset: readonly DnsRecord[]): DnsRecord
}

/** @param corrupt - Signatures get one wrong bit, so that none verifies. */
export function createSigner(zone: string, now: Date, corrupt: boolean): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const spki = publicKey.export({ format: "der", type: "spki" })
  const key: DnskeyData = { flags: 257, algorithm: ALGORITHM, key: spki.subarray(-64) }
  const keyData = rdata({ name: zone, type: "DNSKEY", data: key })
  const tag = keyTag(keyData)
  const nowSeconds = Math.floor(now.getTime() / 1000)
  const made = new Map<string, DnsRecord>()

  return {
    dnskey: key,
    ds: {
      keyTag: tag,
      algorithm: ALGORITHM,
      digestType: 2,
      digest: createHash("sha256").update(wireName(zone)).update(keyData).digest(),
    },
    sign(rrset) {
      const [first] = rrset
      if (first === undefined) throw new TypeError("an RRset has at least one record")
      const id = `${first.name} ${first.type}`
      const known = made.get(id)
      if (known) return known
      const ttl = first.ttl ?? 0
      const unsigned: RrsigData = {
        typeCovered: first.type,
        algorithm: ALGORITHM,
        labels: first.name.split(".").length,
        originalTTL: ttl,
        expiration: nowSeconds + 14 * DAY_SECONDS,
        inception: nowSeconds - DAY_SECONDS,
        keyTag: tag,
        signersName: zone,
        signature: Buffer.alloc(0),
      }
      const common = { name: first.name, type: "RRSIG", class: "IN", ttl } as const
      const covered = Buffer.concat([rdata({ ...common, data: unsigned }), canonicalForm(rrset)])
      const signature = sign("sha256", covered, { key: privateKey, dsaEncoding: "ieee-p1363" })
      if (corrupt) signature.writeUInt8(signature.readUInt8(40) ^ 1, 40)
      const record: DnsRecord = { ...common, data: { ...unsigned, signature } }
      made.set(id, record)
      return record
    },
  }
}

/** Records in wire form, names in lower case and in full, ordered by their data (RFC 4034 §6). */
function canonicalForm(rrset: readonly DnsRecord[]): Buffer {
  return Buffer.concat(rrset.toSorted((a, b) => Buffer.compare(rdata(a), rdata(b))).map(wire))
}

/** dns-packet never compresses names, and the lab's are all in lower case. */
function wire(record: DnsRecord): Buffer {
  return encode({ type: "response", answers: [record] }).subarray(12)
}

/** Behind the owner, type, class, TTL and length. */
function rdata(record: DnsRecord): Buffer {
  return wire(record).subarray(wireName(record.name).length + 10)
}

function wireName(name: string): Buffer {
  return encode({ questions: [{ name, type: "A" }] }).subarray(12, -4)
}

/** RFC 4034 appendix B. */
function keyTag(keyData: Buffer): number {
  let sum = 0
  keyData.forEach((byte, at) => {
    sum += at % 2 === 0 ? byte << 8 : byte
  })
  return (sum + (sum >> 16)) & 0xffff
}
