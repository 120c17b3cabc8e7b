import "reflect-metadata" // @peculiar/x509 does not load without
import assert from "node:assert/strict"
import { webcrypto } from "node:crypto"
import { once } from "node:events"
import type { AddressInfo, Socket } from "node:net"
import { connect, createServer as createTcpServer } from "node:net"
import type { TestContext } from "node:test"
import { before, describe, it } from "node:test"
import type { TlsOptions } from "node:tls"
import { createServer } from "node:tls"
import * as x509 from "@peculiar/x509"
import { Problem } from "../../core/problem.ts"
import type { TlsObservation } from "../types.ts"
import { createTrustStore, isAuthentic, observeTls, startTls } from "./tls.ts"

const HOST = "shop.example"
const DAY_MS = 86_400_000
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

interface Issued {
  readonly certificate: x509.X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

interface Wanted {
  readonly issuer?: Issued
  readonly name?: string
  readonly ca?: boolean
  /** Subject alternative names; the name's own unless given. */
  readonly altNames?: x509.JsonGeneralNames
  /** Days from now. */
  readonly from?: number
  readonly until?: number
}

async function issue(wanted: Wanted = {}): Promise<Issued> {
  const { issuer, name = HOST, ca = false, from = -10, until = 80 } = wanted
  const { altNames = [{ type: "dns", value: name }] } = wanted
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + until * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (issuer ?? { keys }).keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(altNames.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(altNames)]),
    ],
  })
  return { certificate, keys }
}

async function pemOf({ certificate, keys }: Issued): Promise<{ cert: string; key: string }> {
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey))
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key.toString("base64")}\n-----END PRIVATE KEY-----\n`,
  }
}

async function serve(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => socket.on("error", () => {}))
  server.on("tlsClientError", () => {})
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

describe("TLS", () => {
  let root: Issued
  let intermediate: Issued
  let trust: ReturnType<typeof createTrustStore>

  before(async () => {
    root = await issue({ name: "Root", ca: true, from: -1000, until: 1000 })
    intermediate = await issue({
      issuer: root,
      name: "Intermediate",
      ca: true,
      from: -900,
      until: 900,
    })
    trust = createTrustStore(root.certificate.toString("pem"))
  })

  async function observe(
    t: TestContext,
    options: TlsOptions,
  ): Promise<{ seen: TlsObservation; authentic: boolean }> {
    const port = await serve(t, options)
    const { signal } = new AbortController()
    const secure = await startTls(connect(port, "127.0.0.1"), HOST, trust, signal)
    assert.ok("value" in secure, JSON.stringify(secure))
    const seen = observeTls(secure.value, HOST, trust)
    const authentic = isAuthentic(secure.value, HOST)
    secure.value.destroy()
    assert.ok("value" in seen)
    return { seen: seen.value, authentic }
  }

  async function chainOf(leaf: Wanted, ...above: Issued[]): Promise<TlsOptions> {
    const { cert, key } = await pemOf(await issue(leaf))
    return {
      key,
      cert: [cert, ...above.map((each) => each.certificate.toString("pem"))].join("\n"),
    }
  }

  for (const [make, expected, because] of [
    [
      () => chainOf({ issuer: intermediate }, intermediate),
      { chainValid: true, hostnameMatch: true },
      "all is well",
    ],
    [
      () => chainOf({ issuer: intermediate, until: -1 }, intermediate),
      { chainValid: true, hostnameMatch: true },
      "expired: the date alone is wrong",
    ],
    [
      () => chainOf({ issuer: intermediate, from: 1 }, intermediate),
      { chainValid: true, hostnameMatch: true },
      "not yet valid: the date alone is wrong",
    ],
    [
      () => chainOf({ until: -1 }),
      { chainValid: false, hostnameMatch: true },
      "expired hides self-signed from OpenSSL",
    ],
    [
      () => chainOf({ issuer: intermediate, until: -1 }),
      { chainValid: false, hostnameMatch: true },
      "expired hides an incomplete chain",
    ],
    [() => chainOf({}), { chainValid: false, hostnameMatch: true }, "self-signed"],
    [
      () => chainOf({ issuer: intermediate }),
      { chainValid: false, hostnameMatch: true },
      "incomplete chain",
    ],
    [
      () => chainOf({ issuer: intermediate, name: "other.example" }, intermediate),
      { chainValid: true, hostnameMatch: false },
      "another name",
    ],
    [
      () => chainOf({ issuer: intermediate, altNames: [] }, intermediate),
      { chainValid: true, hostnameMatch: false },
      "a common name is no name of a host (RFC 9525 §2)",
    ],
    [
      () => {
        const altNames = [{ type: "ip", value: "192.0.2.1" }] as const
        return chainOf({ issuer: intermediate, altNames: [...altNames] }, intermediate)
      },
      { chainValid: true, hostnameMatch: false },
      "nor beside an address",
    ],
    [
      async () => {
        const stranger = await issue({ name: "Stranger", ca: true })
        return chainOf({ issuer: stranger, until: -1 }, stranger)
      },
      { chainValid: false, hostnameMatch: true },
      "expired hides an unknown authority",
    ],
    [
      async () => {
        const old = await issue({ issuer: root, name: "Old", ca: true, until: -1 })
        return chainOf({ issuer: old }, old)
      },
      { chainValid: false, hostnameMatch: true },
      "an expired authority below a valid root",
    ],
    [
      async () => {
        const noAuthority = await issue({ issuer: root, name: "Leaf" })
        return chainOf({ issuer: noAuthority, until: -1 }, noAuthority)
      },
      { chainValid: false, hostnameMatch: true },
      "issued by a leaf",
    ],
  ] as const) {
    it(`${because}: ${JSON.stringify(expected)}`, async (t) => {
      const { seen } = await observe(t, await make())
      const { chainValid, hostnameMatch, chainError } = seen
      assert.deepEqual({ chainValid, hostnameMatch }, expected)
      assert.equal(chainError === undefined, chainValid)
    })
  }

  it("is authentic when chain, name and dates are right, and only then", async (t) => {
    assert.ok((await observe(t, await chainOf({ issuer: intermediate }, intermediate))).authentic)
    for (const wrong of [{ until: -1 }, { name: "other.example" }, { altNames: [] }]) {
      const options = await chainOf({ issuer: intermediate, ...wrong }, intermediate)
      assert.equal((await observe(t, options)).authentic, false)
    }
    assert.equal((await observe(t, await chainOf({}))).authentic, false)
  })

  it("sees servers that are long out of date", async (t) => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const
    const options = await chainOf({ issuer: intermediate }, intermediate)
    assert.equal((await observe(t, { ...options, ...old })).seen.protocol, "TLSv1")
  })

  for (const [serve, why, because] of [
    [(socket: Socket) => socket.end("220 mail.example ESMTP\r\n"), "tls_failed", "no TLS"],
    [(socket: Socket) => socket.end(), "tls_failed", "hangs up"],
    [(socket: Socket) => socket.resetAndDestroy(), "refused", "resets"],
  ] as const) {
    it(`is ${why}, and leaves nothing open: ${because}`, async (t) => {
      const server = createTcpServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => serve(socket))
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      t.after(() => server.close())
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      const secure = await startTls(socket, HOST, trust, new AbortController().signal)
      assert.deepEqual(secure, { unknown: why })
      assert.equal(socket.destroyed, true)
    })
  }

  it("refuses an authority that is not PEM", () => {
    for (const text of ["", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"]) {
      assert.throws(
        () => createTrustStore(text),
        (error) => error instanceof Problem && error.code === "INVALID_SETTING",
      )
    }
  })
})
