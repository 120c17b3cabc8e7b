/** T1: TLS 1.3 whenever the client has it, 1.2 with forward-secret AEAD suites as the floor. */
import "reflect-metadata"
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { ConnectionOptions, TLSSocket } from "node:tls"
import { connect } from "node:tls"
import * as x509 from "@peculiar/x509"
import type { CertificatePair } from "../../src/edge/certificates.ts"
import type { TestEdge } from "./harness.ts"
import { CA, HOST, newPair, say, startEdge } from "./harness.ts"

/** So that a refused suite is refused by policy, not for want of a certificate of its kind. */
async function rsaPair(): Promise<CertificatePair> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  }
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${HOST}`,
    signingAlgorithm: algorithm,
    keys,
  })
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey)
  return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") }
}

function shake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options })
    socket.once("secureConnect", () => resolve(socket))
    socket.once("error", reject)
  })
}

const EVERYTHING = "ALL:COMPLEMENTOFALL@SECLEVEL=0"

describe("TLS handshakes", () => {
  let ecdsa: TestEdge
  let rsa: TestEdge
  before(async () => {
    ecdsa = await startEdge()
    rsa = await startEdge()
    rsa.certificates.replace(await rsaPair())
  })
  after(() => Promise.all([ecdsa.close(0), rsa.close(0)]))

  for (const version of ["TLSv1", "TLSv1.1"] as const) {
    it(`${version} is refused, whatever suites the client has`, async () => {
      for (const edge of [ecdsa, rsa]) {
        const only = { minVersion: version, maxVersion: version, ciphers: EVERYTHING }
        await assert.rejects(shake(edge.httpsPort, only), { code: /PROTOCOL_VERSION/ })
      }
    })
  }

  for (const [offered, maxVersion, negotiated] of [
    ["1.2 and 1.3", "TLSv1.3", "TLSv1.3"],
    ["1.2 alone", "TLSv1.2", "TLSv1.2"],
  ] as const) {
    it(`a client with ${offered} gets ${negotiated}`, async () => {
      const socket = await shake(ecdsa.httpsPort, { minVersion: "TLSv1.2", maxVersion })
      assert.equal(socket.getProtocol(), negotiated)
      socket.destroy()
    })
  }

  for (const suite of [
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
  ]) {
    it(`1.2 with ${suite} is accepted`, async () => {
      const edge = suite.includes("RSA") ? rsa : ecdsa
      const socket = await shake(edge.httpsPort, { maxVersion: "TLSv1.2", ciphers: suite })
      assert.equal(socket.getCipher().name, suite)
      socket.destroy()
    })
  }

  for (const [suite, because] of [
    ["ECDHE-ECDSA-AES128-SHA256", "CBC"],
    ["ECDHE-ECDSA-AES256-SHA", "CBC with SHA-1"],
    ["ECDHE-ECDSA-AES128-CCM8", "a short tag"],
    ["ECDHE-ECDSA-NULL-SHA", "no encryption"],
    ["ECDHE-RSA-AES256-SHA384", "CBC"],
    ["ECDHE-RSA-AES128-SHA", "CBC with SHA-1"],
    ["AES256-GCM-SHA384", "no forward secrecy"],
    ["AES128-SHA", "no forward secrecy, CBC"],
    ["DHE-RSA-AES128-GCM-SHA256", "finite-field Diffie-Hellman"],
    ["AECDH-AES128-SHA", "nobody is authenticated"],
  ] as const) {
    it(`1.2 with ${suite} is refused: ${because}`, async () => {
      for (const edge of [ecdsa, rsa]) {
        const only = { maxVersion: "TLSv1.2", ciphers: `${suite}@SECLEVEL=0` } as const
        await assert.rejects(shake(edge.httpsPort, only), { code: /HANDSHAKE_FAILURE/ })
      }
    })
  }

  it("the server's order of suites counts", async () => {
    const ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    const socket = await shake(ecdsa.httpsPort, { maxVersion: "TLSv1.2", ciphers })
    assert.equal(socket.getCipher().name, "ECDHE-ECDSA-AES256-GCM-SHA384")
    socket.destroy()
  })

  for (const group of ["X25519MLKEM768", "X25519", "P-256", "P-384"]) {
    it(`key exchange with ${group} is accepted`, async () => {
      const socket = await shake(ecdsa.httpsPort, { ecdhCurve: group })
      assert.equal(socket.getProtocol(), "TLSv1.3")
      socket.destroy()
    })
  }

  it("renegotiation is refused", async () => {
    const socket = await shake(ecdsa.httpsPort, { maxVersion: "TLSv1.2" })
    socket.on("error", () => {})
    const error = await new Promise((resolve) => {
      socket.renegotiate({}, resolve)
      socket.once("close", () => resolve(new Error("closed")))
    })
    assert.ok(error instanceof Error)
    socket.destroy()
  })

  it("a protocol that is not spoken here ends the handshake", async () => {
    await assert.rejects(shake(ecdsa.httpsPort, { ALPNProtocols: ["spdy/1"] }), {
      code: /NO_APPLICATION_PROTOCOL/,
    })
  })

  it("a leaf of the authority verifies for the host and every loopback name", async () => {
    for (const servername of [HOST, "localhost"]) {
      const checked = { ca: CA, servername, rejectUnauthorized: true }
      const socket = await shake(ecdsa.httpsPort, checked)
      assert.equal(socket.authorized, true)
      socket.destroy()
    }
  })

  it("what is no TLS gets no answer at all", async () => {
    const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
    const heard = await say(ecdsa.httpsPort, request, { tls: false }).catch((error) => error)
    // An alert record, or nothing: never HTTP.
    assert.ok(heard instanceof Error || heard.length === 0)
    assert.deepEqual(ecdsa.seen, [])
  })
})

describe("TLS 1.2 session tickets", () => {
  async function resumed(edge: TestEdge, pauseMs: number): Promise<boolean> {
    const options = { maxVersion: "TLSv1.2" } as const
    const first = await shake(edge.httpsPort, options)
    const session = first.getSession()
    first.destroy()
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    const second = await shake(edge.httpsPort, { ...options, session: session ?? Buffer.alloc(0) })
    const reused = second.isSessionReused()
    second.destroy()
    return reused
  }

  it("resume while their key lives", async (t) => {
    const edge = await startEdge()
    t.after(() => edge.close(0))
    assert.equal(await resumed(edge, 0), true)
  })

  it("do not once it is replaced", async (t) => {
    const edge = await startEdge({ ticketKeyLifeMs: 20 })
    t.after(() => edge.close(0))
    assert.equal(await resumed(edge, 60), false)
  })
})

describe("A renewed certificate", () => {
  it("serves new connections, and leaves the old ones alone", async (t) => {
    const edge = await startEdge()
    t.after(() => edge.close(0))
    const old = await shake(edge.httpsPort, {})
    const before = old.getPeerX509Certificate()?.fingerprint256
    edge.certificates.replace(await newPair())
    const fresh = await shake(edge.httpsPort, {})
    assert.notEqual(fresh.getPeerX509Certificate()?.fingerprint256, before)
    assert.equal(fresh.getProtocol(), "TLSv1.3")
    await assert.rejects(
      shake(edge.httpsPort, { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: EVERYTHING }),
      { code: /PROTOCOL_VERSION/ },
      "the policy holds after the change",
    )
    const answered = new Promise((resolve) => old.once("data", resolve))
    old.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    assert.match(String(await answered), /^HTTP\/1\.1 200 /)
    old.destroy()
    fresh.destroy()
  })
})
