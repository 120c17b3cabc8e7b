import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { checkServerIdentity, connect } from "node:tls"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "../secrets/files.ts"
import type { LocalAuthority } from "./authority.ts"
import { openAuthority } from "./authority.ts"
import { makeAuthority, makeLeaf } from "./x509.ts"

const DAY_MS = 86_400_000

describe("The local authority", () => {
  let dataDir: string
  const opened: LocalAuthority[] = []
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-authority-"))
  })
  afterEach(async () => {
    for (const authority of opened.splice(0)) authority.close()
    await rm(dataDir, { recursive: true })
  })

  async function open(host = "api.shop.example", now = () => new Date()) {
    const authority = await openAuthority({
      dataDir,
      host,
      secrets: fileSecrets(dataDir),
      warn: assert.fail,
      now,
    })
    opened.push(authority)
    const ca = await readFile(authority.caFile, "utf8")
    return { authority, ca, leaf: new X509Certificate(authority.current().cert) }
  }

  /** @returns Whether OpenSSL, as a client, takes the leaf for the name. */
  async function verifies(pair: { cert: string; key: string }, ca: string, name: string) {
    const server = createServer(pair)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    try {
      return await new Promise<boolean>((resolve) => {
        const { port } = server.address() as AddressInfo
        const socket = connect({
          port,
          host: "127.0.0.1",
          ca,
          checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
        })
        socket.once("secureConnect", () => {
          socket.destroy()
          resolve(true)
        })
        socket.once("error", () => resolve(false))
      })
    } finally {
      server.close()
    }
  }

  it("is made at first, with a leaf for the host and the loopback names", async () => {
    const { ca, leaf } = await open()
    const authority = new X509Certificate(ca)
    assert.equal(authority.ca, true)
    assert.equal(leaf.ca, false)
    assert.equal(leaf.verify(authority.publicKey), true)
    assert.equal(leaf.checkIssued(authority), true)
    assert.equal(
      leaf.subjectAltName,
      "DNS:localhost, DNS:api.shop.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    )
    assert.deepEqual(leaf.publicKey.asymmetricKeyDetails, { namedCurve: "prime256v1" })
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1"]) // serverAuth
  })

  it("gives leaves a life that browsers accept", async () => {
    const { leaf } = await open()
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY_MS
    assert.ok(days <= 397)
    assert.ok(leaf.validFromDate.getTime() < Date.now() - 60_000, "for clocks that are behind")
  })

  it("keeps its files to itself, except for the certificate to trust", async () => {
    await open()
    const modes = await Promise.all(
      (await readdir(dataDir, { recursive: true })).sort().map(async (name) => {
        const { mode } = await stat(join(dataDir, name))
        return `${name} ${(mode & 0o777).toString(8)}`
      }),
    )
    assert.deepEqual(modes, [
      "authority.pem 644",
      "identity.txt 600",
      "leaf.pem 600",
      "secrets.age 600",
      "secrets.lock 644",
    ])
    for (const file of ["authority.pem", "leaf.pem"]) {
      assert.doesNotMatch(await readFile(join(dataDir, file), "utf8"), /PRIVATE/)
    }
  })

  it("is the same at the next start", async () => {
    const first = await open()
    const second = await open()
    assert.equal(second.ca, first.ca)
    assert.deepEqual(second.authority.current(), first.authority.current())
  })

  it("is one for all programs that start at once", async () => {
    const all = await Promise.all([open(), open(), open(), open()])
    for (const { ca, leaf } of all) {
      assert.equal(ca, all[0]?.ca)
      assert.equal(leaf.verify(new X509Certificate(ca).publicKey), true)
    }
    assert.deepEqual((await readdir(dataDir)).sort(), [
      "authority.pem",
      "identity.txt",
      "leaf.pem",
      "secrets.age",
      "secrets.lock",
    ])
  })

  for (const [because, damage] of [
    ["the leaf is gone", () => rm(join(dataDir, "leaf.pem"))],
    ["the leaf is half", () => writeFile(join(dataDir, "leaf.pem"), "-----BEGIN")],
    ["the leaf's key is another's", () => otherLeafKey(dataDir)],
    ["the certificate to trust is gone", () => rm(join(dataDir, "authority.pem"))],
    ["the certificate to trust is another", () => writeFile(join(dataDir, "authority.pem"), "x")],
  ] as const) {
    it(`repairs itself when ${because}`, async () => {
      const first = await open()
      await damage()
      const second = await open()
      assert.equal(second.ca, first.ca)
      assert.equal(second.leaf.verify(new X509Certificate(first.ca).publicKey), true)
    })
  }

  it("does not use a leaf that names other hosts", async () => {
    await open()
    const secret = await fileSecrets(dataDir).get("authority-key")
    const other = await makeLeaf(JSON.parse(secret ?? ""), ["localhost"], new Date())
    await fileSecrets(dataDir).set("leaf-key", other.key)
    await writeFile(join(dataDir, "leaf.pem"), other.certificate)
    const { leaf } = await open()
    assert.match(leaf.subjectAltName ?? "", /api\.shop\.example/)
  })

  it("never overwrites a damaged secret", async () => {
    await open()
    await fileSecrets(dataDir).set("authority-key", "{}")
    await assert.rejects(open(), (problem: unknown) => {
      return problem instanceof Problem && problem.code === "DATA_FOLDER"
    })
    assert.equal(await fileSecrets(dataDir).get("authority-key"), "{}")
  })

  it("renews the leaf, and tells, when less than a third of its life is left", async () => {
    let now = Date.now()
    const { authority, leaf } = await open("a.example", () => new Date(now))
    const told: string[] = []
    authority.onChange(({ cert }) => told.push(cert))
    now += 264 * DAY_MS
    await authority.renew()
    assert.deepEqual(told, [])
    now += 2 * DAY_MS
    await authority.renew()
    assert.deepEqual(told, [authority.current().cert])
    const renewed = new X509Certificate(authority.current().cert)
    assert.notEqual(renewed.serialNumber, leaf.serialNumber)
    assert.ok(renewed.validToDate > leaf.validToDate)
  })

  it("takes over a leaf that another program renewed", async () => {
    let now = Date.now()
    const one = await open("a.example", () => new Date(now))
    const two = await open("a.example", () => new Date(now))
    now += 300 * DAY_MS
    await one.authority.renew()
    await two.authority.renew()
    assert.deepEqual(two.authority.current(), one.authority.current())
  })

  it("makes way for another one when it ages", async () => {
    let now = Date.now()
    const first = await open("a.example", () => new Date(now))
    now += 2_500 * DAY_MS
    const second = await open("a.example", () => new Date(now))
    assert.notEqual(second.ca, first.ca)
    assert.equal(second.leaf.verify(new X509Certificate(second.ca).publicKey), true)
  })

  it("makes way for another one when the host changes, because its names are constrained", async () => {
    const first = await open("a.example")
    const second = await open("b.example")
    assert.notEqual(second.ca, first.ca)
    assert.match(second.leaf.subjectAltName ?? "", /DNS:b\.example/)
    assert.equal(await verifies(second.authority.current(), second.ca, "b.example"), true)
  })

  for (const host of [
    "localhost",
    "api.shop.example",
    "10.1.2.3",
    `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example`,
  ]) {
    it(`vouches for ${host} so that clients believe it`, async () => {
      const { authority, ca } = await open(host)
      for (const name of new Set([host, "localhost", "127.0.0.1"])) {
        assert.equal(await verifies(authority.current(), ca, name), true, name)
      }
    })
  }

  for (const name of ["evil.example", "shop.example", "10.0.0.1", "::2"]) {
    it(`cannot vouch for ${name}, even if its key is stolen`, async () => {
      const { ca } = await open("api.shop.example")
      const secret = await fileSecrets(dataDir).get("authority-key")
      const leaf = await makeLeaf(JSON.parse(secret ?? ""), [name], new Date())
      assert.equal(await verifies({ cert: leaf.certificate, key: leaf.key }, ca, name), false)
    })
  }
})

async function otherLeafKey(dataDir: string): Promise<void> {
  const { key } = await makeAuthority("localhost", new Date())
  await fileSecrets(dataDir).set("leaf-key", key)
}
