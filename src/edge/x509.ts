/**
 * Making the local authority's certificates (RFC 5280): ECDSA P-256, SHA-256. Loaded only when
 * something must be made, because its library takes longer to load than the rest of a start.
 */
import "reflect-metadata"
import { randomBytes } from "node:crypto"
import { isIP, isIPv4 } from "node:net"
import * as x509 from "@peculiar/x509"

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
const DAY_MS = 86_400_000
/** Clocks of clients may be behind. */
const BACKDATE_MS = 3_600_000
const AUTHORITY_DAYS = 3_650
/** The most that browsers accept of a leaf (CA/Browser Forum BR §6.3.2, Apple). */
const LEAF_DAYS = 397

const SERVER_AUTH = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])

/** PEM. */
export interface Made {
  readonly certificate: string
  /** PKCS #8. */
  readonly key: string
}

/** An authority that can vouch for `localhost`, loopback addresses and the host, nothing else. */
export async function makeAuthority(host: string, now: Date): Promise<Made> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])
  const serialNumber = newSerial()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // A name of its own: clients that meet two authorities of one name confuse them.
    name: `CN=ZygenTrust local authority ${serialNumber.slice(-8)}`,
    serialNumber,
    ...validity(now, AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      SERVER_AUTH,
      new x509.Extension("2.5.29.30", true, nameConstraints(host)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return toPem(certificate, keys.privateKey)
}

/** @param names - DNS names and IP addresses to vouch for. */
export async function makeLeaf(
  authority: Made,
  names: readonly string[],
  now: Date,
): Promise<Made> {
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ["sign"],
  )
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "O=ZygenTrust",
    issuer: issuer.subject,
    serialNumber: newSerial(),
    ...validity(now, LEAF_DAYS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      SERVER_AUTH,
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return toPem(certificate, keys.privateKey)
}

async function toPem(certificate: x509.X509Certificate, key: CryptoKey): Promise<Made> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", key)
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  }
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = now.getTime() - BACKDATE_MS
  return { notBefore: new Date(notBefore), notAfter: new Date(notBefore + days * DAY_MS) }
}

/** 126 random bits; the first two make it positive and of constant length. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString("hex")
}

/** NameConstraints, permitted subtrees only (RFC 5280 §4.2.1.10); the library has no class for it. */
function nameConstraints(host: string): Buffer {
  const dns = (name: string) => der(0x30, der(0x82, Buffer.from(name, "ascii")))
  const ip = (...bytes: number[]) => der(0x30, der(0x87, Buffer.from(bytes)))
  const v6Loopback = [...new Array(15).fill(0), 1, ...new Array(16).fill(255)]
  return der(
    0x30,
    der(
      0xa0,
      dns("localhost"),
      ip(127, 0, 0, 0, 255, 0, 0, 0),
      ip(...v6Loopback),
      isIPv4(host) ? ip(...host.split(".").map(Number), 255, 255, 255, 255) : dns(host),
    ),
  )
}

/** DER: tag, length, contents; contents stay under 64 KiB. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
