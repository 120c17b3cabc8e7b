/**
 * The lab's certificate authority: a root, an intermediate, a root that nobody trusts, and leaf
 * certificates of every kind of wrong. Made at each start, kept in memory.
 *
 * ECDSA P-256 throughout; all leaves share one key, since nothing here depends on it.
 */
import "reflect-metadata" // @peculiar/x509 does not load without
import type { webcrypto } from "node:crypto"
import { randomBytes } from "node:crypto"
import type { X509Certificate } from "@peculiar/x509"
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CertificatePolicyExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509"
import type { Certificate } from "../character.ts"
import { SCT_LIST_OID, sctList } from "./sct.ts"

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const
const DAY_MS = 86_400_000
const DOMAIN_VALIDATED = "2.23.140.1.2.1" // CA/Browser Forum Baseline Requirements §7.1.6.1
const ORGANISATION_VALIDATED = "2.23.140.1.2.2"

export interface Authority {
  /** The root that a program must trust to visit the lab (PEM). */
  readonly rootPem: string
  issue(domain: string, certificate: Certificate): Promise<{ key: string; cert: string }>
}

interface Issuer {
  readonly certificate: X509Certificate
  readonly key: CryptoKey
}

export async function createAuthority(now: Date): Promise<Authority> {
  const [rootKeys, strangerKeys, middleKeys, leafKeys] = await Promise.all([
    newKeys(),
    newKeys(),
    newKeys(),
    newKeys(),
  ])
  const period = { notBefore: days(now, -400), notAfter: days(now, 3650) }
  const root = await selfSigned("CN=Lab Root,O=ZygenTrust Lab", rootKeys, period)
  const stranger = await selfSigned("CN=Nobody's Root,O=Nobody", strangerKeys, period)
  const middle: Issuer = {
    key: middleKeys.privateKey,
    certificate: await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: "CN=Lab Intermediate,O=ZygenTrust Lab",
      issuer: root.certificate.subject,
      ...period,
      signingAlgorithm: ALGORITHM,
      publicKey: middleKeys.publicKey,
      signingKey: root.key,
      extensions: await authorityExtensions(middleKeys, 0, root),
    }),
  }
  const key = await privateKeyPem(leafKeys)

  return {
    rootPem: root.certificate.toString("pem"),
    async issue(domain, certificate) {
      const { issuer, organisation, fromDays = -40, untilDays = 50 } = certificate
      const names = certificate.names ?? [domain, `www.${domain}`, `mta-sts.${domain}`]
      const subject = [
        `CN=${names[0]}`,
        ...(organisation === undefined ? [] : [`O=${organisation}`, "L=London", "C=GB"]),
      ].join(",")
      const signer =
        issuer === "self"
          ? { key: leafKeys.privateKey, subject }
          : issuer === "unknown authority"
            ? { key: stranger.key, subject: stranger.certificate.subject }
            : { key: middle.key, subject: middle.certificate.subject }
      const leaf = await X509CertificateGenerator.create({
        serialNumber: serial(),
        subject,
        issuer: signer.subject,
        notBefore: days(now, fromDays),
        notAfter: days(now, untilDays),
        signingAlgorithm: ALGORITHM,
        publicKey: leafKeys.publicKey,
        signingKey: signer.key,
        extensions: [
          new BasicConstraintsExtension(false),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
          new CertificatePolicyExtension([
            organisation === undefined ? DOMAIN_VALIDATED : ORGANISATION_VALIDATED,
          ]),
          ...(issuer === undefined
            ? [new Extension(SCT_LIST_OID, false, sctList(days(now, fromDays)))]
            : []),
        ],
      })
      const chain =
        issuer !== undefined || certificate.incompleteChain ? [leaf] : [leaf, middle.certificate]
      return { key, cert: chain.map((link) => link.toString("pem")).join("\n") }
    },
  }
}

async function selfSigned(
  name: string,
  keys: webcrypto.CryptoKeyPair,
  period: { notBefore: Date; notAfter: Date },
): Promise<Issuer> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name,
    ...period,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: await authorityExtensions(keys, 1),
  })
  return { certificate, key: keys.privateKey }
}

async function authorityExtensions(
  keys: webcrypto.CryptoKeyPair,
  pathLength: number,
  issuer?: Issuer,
): Promise<Extension[]> {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ...(issuer ? [await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey)] : []),
  ]
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey))
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`
}

/** Positive, 16 bytes (RFC 5280 §4.1.2.2). */
function serial(): string {
  return `01${randomBytes(15).toString("hex")}`
}

function days(from: Date, count: number): Date {
  return new Date(from.getTime() + count * DAY_MS)
}
