/**
 * The zones' signatures, verified on two ways that do not come by the signer: by hand from the
 * bytes on the wire, and by BIND's `delv` where it is installed.
 */
import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { createHash, createPublicKey, verify } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import type { DnskeyData, DsData, RecordType, RrsigData } from "dns-packet"
import type { Lab } from "../lab.ts"
import { startLab } from "../lab.ts"
import { askTcp, dnsPort } from "../testing/client.ts"

/** RFC 6605 §6.1. */
const VECTOR = {
  key: "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
  ds: "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
  signature:
    "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
}

const nameBytes = (name: string) =>
  Buffer.from(
    `${name
      .split(".")
      .map((label) => String.fromCharCode(label.length) + label)
      .join("")}\0`,
    "latin1",
  )

const addressBytes = (address: string) => Buffer.from(address.split(".").map(Number))

/** Signed data of an RRset of A records (RFC 4034 §3.1.8.1), built by hand. */
function signedData(owner: string, sig: RrsigData, addresses: readonly string[]): Buffer {
  const head = Buffer.alloc(18)
  head.writeUInt16BE(1, 0)
  head.writeUInt8(sig.algorithm, 2)
  head.writeUInt8(sig.labels, 3)
  head.writeUInt32BE(sig.originalTTL, 4)
  head.writeUInt32BE(sig.expiration, 8)
  head.writeUInt32BE(sig.inception, 12)
  head.writeUInt16BE(sig.keyTag, 16)
  const records = addresses
    .map(addressBytes)
    .sort(Buffer.compare)
    .map((address) => {
      const fixed = Buffer.from([0, 1, 0, 1, 0, 0, 0, 0, 0, 4])
      fixed.writeUInt32BE(sig.originalTTL, 4)
      return Buffer.concat([nameBytes(owner), fixed, address])
    })
  return Buffer.concat([head, nameBytes(sig.signersName), ...records])
}

function verifies(owner: string, sig: RrsigData, addresses: readonly string[], key: Buffer) {
  const point = { x: key.subarray(0, 32), y: key.subarray(32) }
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.x.toString("base64url"),
    y: point.y.toString("base64url"),
  }
  const publicKey = createPublicKey({ key: jwk, format: "jwk" })
  const data = signedData(owner, sig, addresses)
  return verify("sha256", data, { key: publicKey, dsaEncoding: "ieee-p1363" }, sig.signature)
}

function dsDigest(zone: string, key: DnskeyData): string {
  const rdata = Buffer.concat([Buffer.from([key.flags >> 8, key.flags & 255, 3, 13]), key.key])
  return createHash("sha256").update(nameBytes(zone)).update(rdata).digest("hex")
}

describe("the verifier of these tests", () => {
  const key = Buffer.from(VECTOR.key, "base64")
  const sig = {
    typeCovered: "A",
    algorithm: 13,
    labels: 3,
    originalTTL: 3600,
    expiration: Date.UTC(2010, 8, 9, 10, 4, 39) / 1000,
    inception: Date.UTC(2010, 7, 12, 10, 4, 39) / 1000,
    keyTag: 55648,
    signersName: "example.net",
    signature: Buffer.from(VECTOR.signature, "base64"),
  }

  it("accepts the standard's signature and digest (RFC 6605 §6.1)", () => {
    assert.equal(verifies("www.example.net", sig, ["192.0.2.1"], key), true)
    assert.equal(dsDigest("example.net", { flags: 257, algorithm: 13, key }), VECTOR.ds)
  })

  it("refuses another address", () => {
    assert.equal(verifies("www.example.net", sig, ["192.0.2.2"], key), false)
  })
})

describe("the lab's signatures", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
  })
  after(() => lab.close())

  async function dataOf<T>(name: string, type: RecordType, wanted: string): Promise<T[]> {
    const { answers } = await askTcp(lab, { name, type, dnssec: true, unchecked: true })
    return (answers ?? []).flatMap((record) =>
      record.type === wanted && "data" in record ? [record.data as T] : [],
    )
  }

  for (const [zone, good] of [
    ["harbourbank.test", true],
    ["dnssec-bogus.test", false],
  ] as const) {
    it(`${zone}: the RRSIG over its addresses ${good ? "verifies" : "does not verify"}`, async () => {
      const [key] = await dataOf<DnskeyData>(zone, "DNSKEY", "DNSKEY")
      const [sig] = await dataOf<RrsigData>(zone, "A", "RRSIG")
      const addresses = await dataOf<string>(zone, "A", "A")
      assert.ok(key && sig)
      assert.equal(verifies(zone, sig, addresses, key.key), good)
    })

    it(`${zone}: the parent's DS is the digest of its key`, async () => {
      const [key] = await dataOf<DnskeyData>(zone, "DNSKEY", "DNSKEY")
      const [ds] = await dataOf<DsData>(zone, "DS", "DS")
      const [sig] = await dataOf<RrsigData>(zone, "DS", "RRSIG")
      assert.ok(key && ds)
      assert.equal(ds.digest.toString("hex"), dsDigest(zone, key))
      assert.equal(sig?.signersName, "test")
    })
  }

  const delvInstalled = spawnSync("delv", ["-v"]).error === undefined
  const skip = !delvInstalled && "DELV IS NOT INSTALLED: signatures are checked by hand alone"
  for (const [name, type, says, because] of [
    ["harbourbank.test", "A", /^; fully validated/m, "a signed answer"],
    ["harbourbank.test", "MX", /^; fully validated/m, "several records, with names in them"],
    ["harbourbank.test", "TXT", /^; fully validated/m, "several texts"],
    ["test", "DNSKEY", /^; fully validated/m, "the key itself"],
    ["mta-sts.harbourbank.test", "A", /^; fully validated/m, "through an alias"],
    ["harbourbank.test", "SRV", /negative response, fully validated/, "no such type"],
    ["nobody.harbourbank.test", "A", /negative response, fully validated/, "no such name"],
    ["_tls.harbourbank.test", "TXT", /negative response, fully validated/, "an empty non-terminal"],
    ["nobody.test", "A", /negative response, fully validated/, "no such zone"],
    ["lindenshop.test", "A", /^; unsigned answer/m, "a proven insecure delegation"],
    ["dnssec-bogus.test", "A", /broken trust chain/, "signatures that are broken"],
  ] as const) {
    it(`delv agrees: ${because}`, { skip }, async () => {
      const [key] = await dataOf<DnskeyData>("test", "DNSKEY", "DNSKEY")
      assert.ok(key)
      const folder = mkdtempSync(join(tmpdir(), "zygentrust-delv-"))
      const anchor = join(folder, "anchor.conf")
      const base64 = key.key.toString("base64")
      writeFileSync(anchor, `trust-anchors { test. static-key 257 3 13 "${base64}"; };\n`)
      const args = ["@127.0.0.1", "-p", String(dnsPort(lab)), "-a", anchor, "+root=test", "+cdflag"]
      const { stdout, stderr } = await promisify(execFile)("delv", [...args, name, type]).catch(
        (failure: { stdout: string; stderr: string }) => failure,
      )
      rmSync(folder, { recursive: true })
      assert.match(stdout + stderr, says)
    })
  }
})
