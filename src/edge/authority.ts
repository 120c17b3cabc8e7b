/**
 * The local authority: vouches for this server where nobody gave it a certificate.
 *
 * Owns: the authority (key and certificate are one secret, so programs that start at once agree),
 * its leaf, their certificates in the data folder, their renewal. Not: making (x509.ts).
 * Invariants: keys lie in the secret store alone. The leaf in use names exactly the hosts of this
 * start and has a third of its life left. Whoever trusts authority.pem as it is trusts the next leaf:
 * after a rotation it holds the old certificate and the new one, and the new authority signs when the
 * leaf is due for renewal.
 */
import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto"
import { open, readFile, rename, rm } from "node:fs/promises"
import { isIP } from "node:net"
import { join } from "node:path"
import { fileRemedy } from "../core/file-remedy.ts"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { CertificatePair, CertificateSource } from "./certificates.ts"
import type { Made } from "./x509.ts"

export interface AuthorityOptions {
  readonly dataDir: string
  /** The configured host, lower case. */
  readonly host: string
  readonly secrets: SecretStore
  /** Told when a renewal fails; it is tried again. */
  readonly warn: (message: string) => void
  readonly now?: () => Date
}

export interface LocalAuthority extends CertificateSource {
  /** The authority's certificate (PEM, 0644): what clients are told to trust. */
  readonly caFile: string
  /** Looks now whether something is due, as it does by itself every few hours. */
  renew(): Promise<void>
  /** After a change of the secrets: publishes a new authority, and follows one that was replaced. */
  reload(): Promise<void>
}

/** The secret's text, as JSON. */
interface Authority extends Made {
  readonly host: string
}

const RENEW_CHECK_MS = 6 * 3_600_000

/**
 * Opens the authority of a data folder, and makes it when there is none.
 * @throws Problem `DATA_FOLDER` when what is there cannot be read; it is never overwritten.
 */
export async function openAuthority(options: AuthorityOptions): Promise<LocalAuthority> {
  const { warn, now = () => new Date() } = options
  const caFile = join(options.dataDir, "authority.pem")
  const leafFile = join(options.dataDir, "leaf.pem")
  const names = [...new Set(["localhost", options.host, "127.0.0.1", "::1"])]

  async function publish(authorities: readonly Authority[]): Promise<void> {
    const trusted = authorities.map(({ certificate }) => certificate).join("")
    if ((await read(caFile)) !== trusted) await write(caFile, trusted, 0o644)
  }

  async function load(): Promise<CertificatePair> {
    const authorities = await currentAuthorities(options, now())
    await publish(authorities)
    const [cert, key] = await Promise.all([read(leafFile), options.secrets.get("leaf-key")])
    if (cert !== undefined && key !== undefined) {
      const found = { cert, key }
      if (authorities.some((one) => isUsable(found, one, names, now()))) return found
    }
    const { makeLeaf } = await import("./x509.ts")
    const leaf = await makeLeaf(authorities[0], names, now())
    await options.secrets.set("leaf-key", leaf.key)
    await write(leafFile, leaf.certificate, 0o600)
    return { cert: leaf.certificate, key: leaf.key }
  }

  let pair = await load()
  let listener = (_: CertificatePair) => {}
  async function renew(): Promise<void> {
    const next = await load()
    if (next.cert === pair.cert) return
    pair = next
    listener(pair)
  }
  /** Makes nothing for another host: two programs of one folder would answer each other for ever. */
  async function reload(): Promise<void> {
    const authorities = await storedAuthorities(options)
    if (authorities.length === 0) return
    const isCurrent = (await options.secrets.get("leaf-key")) === pair.key
    if (isCurrent && authorities.some((one) => isUsable(pair, one, names, now()))) {
      await publish(authorities)
    } else await renew()
  }
  const timer = setInterval(() => {
    renew().catch((error: Error) => warn(`The TLS certificate was not renewed: ${error.message}`))
  }, RENEW_CHECK_MS).unref()

  return {
    caFile,
    current: () => pair,
    onChange: (next) => {
      listener = next
    },
    renew,
    reload,
    close: () => clearInterval(timer),
  }
}

/** Issues a new certificate with a new key now; who serves the folder takes it up. @throws Problem */
export async function renewLeaf(
  { dataDir, host }: { dataDir: string; host: string },
  secrets: SecretStore,
): Promise<void> {
  await rm(join(dataDir, "leaf.pem"), { force: true })
  const authority = await openAuthority({ dataDir, host, secrets, warn: () => {} })
  authority.close()
}

/** @returns A new authority, as the secret's text. */
export async function generateAuthority(host: string, now: Date): Promise<string> {
  const { makeAuthority } = await import("./x509.ts")
  return JSON.stringify({ host, ...(await makeAuthority(host, now)) })
}

/**
 * The stored authorities, the one that signs first. Another host's cannot sign for this one (names
 * are constrained), so a new one takes their place; one that ages is followed by a new one.
 */
async function currentAuthorities(
  options: AuthorityOptions,
  now: Date,
): Promise<[Authority, ...Authority[]]> {
  const { host, secrets } = options
  const make = () => generateAuthority(host, now)
  await secrets.getOrCreate("authority-key", make)
  const [newest, ...older] = await storedAuthorities(options)
  if (newest !== undefined && hasLife(new X509Certificate(newest.certificate), now)) {
    return [newest, ...older]
  }
  const next = await make()
  if (newest === undefined) await secrets.set("authority-key", next)
  else await secrets.rotate("authority-key", next)
  return [parse(next), ...(await storedAuthorities(options)).slice(1)]
}

/** Those of this host, newest first. */
async function storedAuthorities({ host, secrets }: AuthorityOptions): Promise<Authority[]> {
  const all = await secrets.generations("authority-key")
  return all.map(({ value }) => parse(value)).filter((one) => one.host === host)
}

function parse(text: string): Authority {
  try {
    const authority = JSON.parse(text) as Authority
    if (
      new X509Certificate(authority.certificate).checkPrivateKey(createPrivateKey(authority.key))
    ) {
      return authority
    }
  } catch {
    // The cause may quote the key.
  }
  throw new Problem("DATA_FOLDER", {
    message:
      "The local authority's secret ('authority-key') is damaged. Restore it, or run 'bin/zygentrust secrets rotate authority-key --now' to have a new authority made, which clients must then trust anew.",
  })
}

/** Two programs that make a leaf at once can leave one's key beside the other's certificate. */
function isUsable(
  { cert, key }: CertificatePair,
  authority: Authority,
  names: readonly string[],
  now: Date,
): boolean {
  try {
    const leaf = new X509Certificate(cert)
    return (
      leaf.verify(new X509Certificate(authority.certificate).publicKey) &&
      leaf.checkPrivateKey(createPrivateKey(key)) &&
      leaf.subjectAltName === names.map(altName).join(", ") &&
      hasLife(leaf, now)
    )
  } catch {
    return false
  }
}

/** Whether a third of the certificate's life is left. */
function hasLife(certificate: X509Certificate, now: Date): boolean {
  const from = certificate.validFromDate.getTime()
  const to = certificate.validToDate.getTime()
  return from <= now.getTime() && (to - now.getTime()) * 3 > to - from
}

/** As Node writes it. */
function altName(name: string): string {
  if (name === "::1") return "IP Address:0:0:0:0:0:0:0:1"
  return isIP(name) ? `IP Address:${name}` : `DNS:${name}`
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw new Problem("DATA_FOLDER", {
      message: `${file} cannot be read. ${fileRemedy(cause)}.`,
      cause,
    })
  }
}

/** Whole or not at all, whatever the umask. */
async function write(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    const handle = await open(temporary, "wx", mode)
    try {
      await handle.chmod(mode)
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    throw new Problem("DATA_FOLDER", {
      message: `${file} cannot be written. ${fileRemedy(cause)}. What was there is as it was.`,
      cause,
    })
  }
}
