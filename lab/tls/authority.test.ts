import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import type { ConnectionOptions } from "node:tls"
import type { Lab } from "../lab.ts"
import { startLab } from "../lab.ts"
import { domainOf, handshake } from "../testing/client.ts"
import { SCT_LIST_OID, sctList } from "./sct.ts"

const DAY_MS = 86_400_000

describe("the lab's certificates", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
  })
  after(() => lab.close())

  async function certificateOf(name: string): Promise<X509Certificate> {
    const socket = await handshake(lab, name)
    const certificate = socket.getPeerX509Certificate()
    socket.destroy()
    assert.ok(certificate)
    return certificate
  }

  for (const [name, error, because] of [
    ["good-shop", undefined, "leads to the lab's root"],
    ["bank", undefined, "organisation-validated, the same chain"],
    ["long-lived-certificate", undefined, "long is not wrong for a verifier"],
    ["recent-certificate", undefined, "nor is new"],
    ["expired-certificate", "CERT_HAS_EXPIRED", "ended ten days ago"],
    ["not-yet-valid-certificate", "CERT_NOT_YET_VALID", "begins in five days"],
    ["self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT", "its own issuer"],
    ["unknown-authority", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "nobody knows who signed it"],
    ["incomplete-chain", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "the intermediate is not sent"],
    ["wrong-host", "ERR_TLS_CERT_ALTNAME_INVALID", "another name's"],
  ] as const) {
    it(`${name}: ${error ?? "verifies"}, ${because}`, async () => {
      const socket = await handshake(lab, name)
      const { authorizationError } = socket
      const code =
        authorizationError instanceof Error
          ? (authorizationError as NodeJS.ErrnoException).code
          : (authorizationError ?? undefined)
      socket.destroy()
      assert.equal(code, error)
    })
  }

  it("are refused by who does not know the lab's root", async () => {
    const socket = await handshake(lab, "good-shop", { ca: [] })
    assert.equal(socket.authorized, false)
    socket.destroy()
  })

  it("name the domain, and validated organisations", async () => {
    const shop = await certificateOf("good-shop")
    assert.equal(shop.checkHost(domainOf(lab, "good-shop")), "lindenshop.test")
    assert.equal(shop.checkHost("www.lindenshop.test"), "www.lindenshop.test")
    assert.doesNotMatch(shop.subject, /O=/)
    assert.match((await certificateOf("bank")).subject, /^O=Harbour Bank plc$/m)
  })

  it("last as long as the character says", async () => {
    const lifetimeDays = ({ validFromDate, validToDate }: X509Certificate) =>
      (validToDate.getTime() - validFromDate.getTime()) / DAY_MS
    assert.equal(lifetimeDays(await certificateOf("good-shop")), 90)
    assert.equal(lifetimeDays(await certificateOf("long-lived-certificate")), 800)
  })

  it("carry embedded timestamps where a known authority signed", async () => {
    const oid = Buffer.from("06 0a 2b 06 01 04 01 d6 79 02 04 02".replaceAll(" ", ""), "hex")
    assert.ok((await certificateOf("good-shop")).raw.includes(oid), SCT_LIST_OID)
    assert.ok(!(await certificateOf("self-signed")).raw.includes(oid))
  })

  it("come from a root that may sign, is trusted by file, and made in this start", async () => {
    const root = new X509Certificate(readFileSync(lab.settings.ZT_CA_FILE))
    assert.equal(root.ca, true)
    assert.ok(root.verify(root.publicKey))
    const other = await startLab()
    const otherRoot = new X509Certificate(readFileSync(other.settings.ZT_CA_FILE))
    await other.close()
    assert.notEqual(otherRoot.fingerprint256, root.fingerprint256)
  })

  for (const [name, offer, protocol] of [
    ["good-shop", {}, "TLSv1.3"],
    ["tls-1.2-only", {}, "TLSv1.2"],
    ["legacy-tls", { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }, "TLSv1.1"],
    [
      "legacy-tls",
      { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
      "TLSv1",
    ],
  ] as const satisfies [string, ConnectionOptions, string][]) {
    it(`${name} speaks ${protocol}`, async () => {
      const socket = await handshake(lab, name, offer)
      assert.equal(socket.getProtocol(), protocol)
      socket.destroy()
    })
  }

  for (const [name, offer, because] of [
    ["legacy-tls", {}, "to a client of today"],
    ["tls-1.2-only", { minVersion: "TLSv1.3" }, "to a client of 1.3 alone"],
    ["port-443-closes", {}, "hangs up"],
  ] as const satisfies [string, ConnectionOptions, string][]) {
    it(`${name} shakes no hands: ${because}`, async () => {
      await assert.rejects(handshake(lab, name, offer))
    })
  }
})

describe("embedded timestamps", () => {
  it("have the form of RFC 6962 §3.3: a list of two, each with all its fields", () => {
    const at = new Date("2026-10-01T00:00:00Z")
    const value = sctList(at)
    assert.deepEqual([...value.subarray(0, 2)], [0x04, 0x81])
    assert.equal(value[2], value.length - 3)
    let list = value.subarray(3)
    assert.equal(list.readUInt16BE(0), list.length - 2)
    list = list.subarray(2)
    let count = 0
    while (list.length > 0) {
      const end = 2 + list.readUInt16BE(0)
      const sct = list.subarray(2, end)
      assert.equal(sct[0], 0, "version 1")
      assert.equal(sct.readBigUInt64BE(33), BigInt(at.getTime()))
      assert.equal(sct.readUInt16BE(41), 0, "no extensions")
      assert.equal(sct.readUInt16BE(43), 0x0403, "SHA-256 with ECDSA")
      assert.equal(sct.readUInt16BE(45), sct.length - 47)
      list = list.subarray(end)
      count += 1
    }
    assert.equal(count, 2)
  })
})
