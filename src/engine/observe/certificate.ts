/**
 * A certificate from a stranger → facts. Nothing is judged here, and nothing throws.
 */
import type { X509Certificate } from "node:crypto"
import type { CertificateFacts } from "../types.ts"
import { plainText, rfc3339 } from "./text.ts"

const MAX_NAMES = 250
/** 1.3.6.1.4.1.11129.2.4.2, the list of embedded SCTs (RFC 6962 §3.3), as DER. */
const SCT_LIST = Buffer.from("060a2b06010401d679020402", "hex")

/** @returns undefined when the certificate's dates do not parse. */
export function certificateFacts(certificate: X509Certificate): CertificateFacts | undefined {
  const notBefore = rfc3339(certificate.validFromDate)
  const notAfter = rfc3339(certificate.validToDate)
  if (notBefore === undefined || notAfter === undefined) return undefined
  const organisation = /^O=(.+)$/m.exec(certificate.subject ?? "")?.[1]
  return {
    subject: oneLine(certificate.subject),
    ...(organisation === undefined ? {} : { organisation: plainText(organisation, 200) }),
    issuer: oneLine(certificate.issuer),
    dnsNames: dnsNames(certificate.subjectAltName ?? ""),
    notBefore,
    notAfter,
    selfSigned: isSelfSigned(certificate),
    sct: hasExtension(certificate.raw, SCT_LIST),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  }
}

/** Node writes one attribute a line, and nothing at all for an empty name. */
function oneLine(name: string | undefined): string {
  return plainText((name ?? "").replaceAll("\n", ", "), 500)
}

/**
 * @param altName - Node's form: `DNS:a.example, IP Address:192.0.2.1`, a value that could be
 *   mistaken for two in JSON quotes.
 */
export function dnsNames(altName: string): string[] {
  const entries = altName.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g)
  const names = [...entries].flatMap(([, kind, value = ""]) =>
    kind === "DNS" && !value.startsWith('"') ? [plainText(value.toLowerCase(), 253)] : [],
  )
  return names.slice(0, MAX_NAMES)
}

/** @returns Whether it names itself as its issuer and its own key made the signature. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject && isSignedBy(certificate, certificate)
}

/** @returns Whether the issuer may issue, is the one that is named, and made the signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && isSignedBy(certificate, issuer)
}

function isSignedBy(certificate: X509Certificate, { publicKey }: X509Certificate): boolean {
  try {
    return certificate.verify(publicKey)
  } catch {
    return false // a key that OpenSSL cannot use
  }
}

/**
 * @param der - A certificate (RFC 5280 §4.1).
 * @param oid - The extension's OBJECT IDENTIFIER, as DER with its header.
 * @returns Whether the certificate has that extension. False for what does not parse.
 */
export function hasExtension(der: Uint8Array, oid: Uint8Array): boolean {
  const [tbs] = children(children(der)[0]?.content)
  // extensions [3] EXPLICIT is the last field of TBSCertificate.
  const last = children(tbs?.content).at(-1)
  if (last?.tag !== 0xa3) return false
  const [list] = children(last.content)
  return children(list?.content).some(({ content }) => {
    const head = content.subarray(0, oid.length)
    return Buffer.compare(head, oid) === 0
  })
}

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

/** @returns The DER elements that follow each other in `bytes`, up to where they stop making sense. */
function children(bytes: Uint8Array = new Uint8Array()): Element[] {
  const found: Element[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] ?? 0
    let length = bytes[at + 1] ?? 0
    let start = at + 2
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f
      if (lengthBytes === 0 || lengthBytes > 3) break
      length = bytes.subarray(start, start + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
      start += lengthBytes
    }
    if (start + length > bytes.length) break
    found.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return found
}
