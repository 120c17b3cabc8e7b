/**
 * TLS with strangers: every server is spoken to, however old or wrong, so that what is wrong can
 * be seen. Who relies on what comes over the connection asks `isAuthentic` first.
 */
import { X509Certificate } from "node:crypto"
import type { Socket } from "node:net"
import { isIP } from "node:net"
import type { SecureContext } from "node:tls"
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  TLSSocket,
} from "node:tls"
import { Problem } from "../../core/problem.ts"
import { codeOf } from "../../core/thrown.ts"
import type { Known, TlsObservation } from "../types.ts"
import { attempt, whyOf } from "./attempt.ts"
import { certificateFacts, isIssuedBy } from "./certificate.ts"

/** Whom to trust. Costly to make: one a program. */
export interface TrustStore {
  readonly context: SecureContext
  /** The roots' own certificates, by their subject. Parsed when first asked for. */
  readonly roots: () => ReadonlyMap<string, readonly X509Certificate[]>
}

const HANDSHAKE_TIMEOUT_MS = 4000
const MAX_CHAIN = 10

/**
 * @param extraCa - Certificates (PEM) to trust besides the runtime's.
 * @throws Problem `INVALID_SETTING` when that is not PEM.
 */
export function createTrustStore(extraCa?: string): TrustStore {
  const own = extraCa === undefined ? [] : certificatesIn(extraCa)
  const runtimes = getCACertificates("default")
  let roots: Map<string, X509Certificate[]> | undefined
  return {
    context: createSecureContext({
      ca: [...runtimes, ...own.map(String)],
      minVersion: "TLSv1",
      // Level 0 lets TLS 1.0 and short keys through: they are to be seen, not shut out.
      ciphers: "DEFAULT:@SECLEVEL=0",
    }),
    roots: () => {
      roots ??= Map.groupBy(
        [...runtimes.map((pem) => new X509Certificate(pem)), ...own],
        ({ subject }) => subject,
      )
      return roots
    },
  }
}

/** OpenSSL passes over what it cannot read without a word, so that is looked for here. */
function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length === 0) throw new TypeError("no certificate")
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    const message = "ZT_CA_FILE does not hold certificates in PEM"
    throw new Problem("INVALID_SETTING", { message, cause })
  }
}

/**
 * Shakes hands over a connection, with the host as SNI and HTTP/1.1 by ALPN.
 * @returns The connection, whoever is at the other end; `tls_failed` when there was no handshake.
 *   Never rejects; what fails is destroyed.
 */
export function startTls(
  socket: Socket,
  host: string,
  { context }: TrustStore,
  signal: AbortSignal,
): Promise<Known<TLSSocket>> {
  return attempt(signal, HANDSHAKE_TIMEOUT_MS, (done) => {
    const secure = connect({
      socket,
      ...(isIP(bare(host)) === 0 ? { servername: bare(host) } : {}),
      secureContext: context,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      // The name is compared by whoever needs to know, apart from the chain.
      checkServerIdentity: () => undefined,
    })
    // Node calls a hang-up ECONNRESET too, but only the system's own has a system call.
    secure.on("error", (error) => {
      const isReset = "syscall" in error && whyOf(error) === "refused"
      done({ unknown: isReset ? "refused" : "tls_failed" })
    })
    secure.once("close", () => done({ unknown: "tls_failed" }))
    secure.once("secureConnect", () => done({ value: secure }))
    return (result) => {
      if ("unknown" in result) {
        secure.destroy()
        socket.destroy()
      }
    }
  })
}

/** @returns What the handshake showed; `tls_failed` when there was none, or no certificate. */
export function observeTls(socket: Socket, host: string, trust: TrustStore): Known<TlsObservation> {
  if (!(socket instanceof TLSSocket)) return { unknown: "tls_failed" }
  const leaf = socket.getPeerX509Certificate()
  const certificate = leaf && certificateFacts(leaf)
  if (leaf === undefined || certificate === undefined) return { unknown: "tls_failed" }
  const chainError = chainErrorOf(socket, leaf, trust)
  return {
    value: {
      protocol: socket.getProtocol() ?? "",
      cipher: socket.getCipher().standardName,
      certificate,
      chainValid: chainError === undefined,
      hostnameMatch: isNamed(leaf, host),
      ...(chainError === undefined ? {} : { chainError }),
    },
  }
}

/** @returns Whether a browser would believe that this is the host. */
export function isAuthentic(socket: TLSSocket, host: string): boolean {
  const leaf = socket.getPeerX509Certificate()
  return socket.authorized && leaf !== undefined && isNamed(leaf, host)
}

function isNamed(leaf: X509Certificate, host: string): boolean {
  try {
    // Without the subject, whose common name Node would take where there is no other (RFC 9525 §2).
    const names = { ...leaf.toLegacyObject(), subject: {} }
    return checkServerIdentity(bare(host), names) === undefined
  } catch {
    return false
  }
}

/**
 * The leaf's dates are facts of their own, but OpenSSL reports its last error alone, and checks
 * dates last: behind "expired" may hide "self-signed". So then the chain is walked again here.
 */
function chainErrorOf(
  socket: TLSSocket,
  leaf: X509Certificate,
  trust: TrustStore,
): string | undefined {
  if (socket.authorized) return undefined
  const error = authorizationCode(socket)
  const isPast = leaf.validToDate.getTime() < Date.now()
  const isFuture = leaf.validFromDate.getTime() > Date.now()
  const dateIsTheLeafs =
    (error === "CERT_HAS_EXPIRED" && isPast) || (error === "CERT_NOT_YET_VALID" && isFuture)
  if (!dateIsTheLeafs) return error
  return leadsToRoot(leaf, trust) ? undefined : "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
}

function leadsToRoot(leaf: X509Certificate, trust: TrustStore): boolean {
  let certificate = leaf
  for (let links = 0; links < MAX_CHAIN; links++) {
    const at = certificate
    if (
      trust
        .roots()
        .get(at.issuer)
        ?.some((root) => isIssuedBy(at, root))
    )
      return true
    const issuer = at.issuerCertificate
    if (issuer === undefined || !issuer.ca || !isIssuedBy(at, issuer)) return false
    certificate = issuer
  }
  return false
}

/** Typed as an Error, but Node sets the code alone when there is one. */
function authorizationCode({ authorizationError }: { authorizationError: unknown }): string {
  if (typeof authorizationError === "string") return authorizationError
  return codeOf(authorizationError) ?? "UNSPECIFIED"
}

/** @returns The host without the brackets of IPv6 and the dot of a rooted name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")
}
