import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { describe, it } from "node:test"
import { rootCertificates } from "node:tls"
import fc from "fast-check"
import { certificateFacts, dnsNames, hasExtension } from "./certificate.ts"

const SCT_LIST = Buffer.from("060a2b06010401d679020402", "hex")
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex")

function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const long = content.length > 127
  const head = long ? [tag, 0x82, content.length >> 8, content.length & 255] : [tag, content.length]
  return Buffer.concat([Buffer.from(head), content])
}

/** The shape of a certificate with one extension: no more than the walk looks at. */
const withExtension = (oid: Buffer, padding = 0) =>
  der(
    0x30,
    der(
      0x30,
      der(0x02, Buffer.alloc(padding + 1)),
      der(0xa3, der(0x30, der(0x30, oid, der(0x04, Buffer.alloc(8))))),
    ),
    der(0x30),
    der(0x03),
  )

describe("an extension in a certificate's DER", () => {
  it("is found by its OID, near or far", () => {
    assert.equal(hasExtension(withExtension(SCT_LIST), SCT_LIST), true)
    assert.equal(hasExtension(withExtension(SCT_LIST, 5000), SCT_LIST), true)
  })

  it("is not another one", () => {
    assert.equal(hasExtension(withExtension(BASIC_CONSTRAINTS), SCT_LIST), false)
  })

  it("is not its OID's bytes somewhere else", () => {
    const decoy = der(0x30, der(0x30, SCT_LIST, der(0xa3, der(0x30))), der(0x30), der(0x03))
    assert.equal(hasExtension(decoy, SCT_LIST), false)
  })

  it("is in real certificates", () => {
    const modern = rootCertificates.map((pem) => new X509Certificate(pem).raw)
    assert.ok(modern.filter((raw) => hasExtension(raw, BASIC_CONSTRAINTS)).length > 100)
    assert.ok(!modern.some((raw) => hasExtension(raw, SCT_LIST)), "roots have no timestamps")
  })

  it("is looked for in any bytes without throwing or hanging", () => {
    const real = withExtension(SCT_LIST)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(real.length), (noise, at) => {
        hasExtension(noise, SCT_LIST)
        hasExtension(Buffer.concat([real.subarray(0, at), noise]), SCT_LIST)
      }),
    )
  })
})

describe("names in a certificate", () => {
  for (const [text, names, because] of [
    ["DNS:a.example, DNS:*.B.example", ["a.example", "*.b.example"], "in lower case"],
    ["IP Address:192.0.2.1, DNS:a.example", ["a.example"], "addresses are no names"],
    [
      'DNS:"a.example, DNS:b.example", DNS:c.example',
      ["c.example"],
      "two names in the bytes of one",
    ],
    ['URI:"x, DNS:evil.example", DNS:c.example', ["c.example"], "a name inside another kind"],
    ["", [], "none"],
  ] as const) {
    it(`${because}: ${text}`, () => assert.deepEqual(dnsNames(text), names))
  }

  it("are cut at 250", () => {
    const many = Array.from({ length: 300 }, (_, i) => `DNS:n${i}.example`).join(", ")
    assert.equal(dnsNames(many).length, 250)
  })
})

describe("certificate facts", () => {
  it("say what a root says of itself", () => {
    const roots = rootCertificates.map((pem) => certificateFacts(new X509Certificate(pem)))
    const root = roots.find((facts) => facts?.subject.includes("ISRG Root X1"))
    assert.ok(root)
    assert.equal(root.organisation, "Internet Security Research Group")
    assert.equal(root.issuer, root.subject)
    assert.equal(root.notAfter, "2035-06-04T11:04:38.000Z")
    assert.equal(root.selfSigned, true)
    assert.match(root.fingerprint, /^[0-9a-f]{64}$/)
  })
})
