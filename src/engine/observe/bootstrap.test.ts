import assert from "node:assert/strict"
import { hash } from "node:crypto"
import { describe, it } from "node:test"
import { Problem } from "../../core/problem.ts"
import { parseBootstrap, shippedBootstrap, verifiedBootstrap } from "./bootstrap.ts"

const parse = (services: unknown, more: object = { publication: "2026-01-01T00:00:00Z" }) =>
  parseBootstrap(Buffer.from(JSON.stringify({ version: "1.0", services, ...more })))

describe("an RDAP bootstrap file (RFC 9224)", () => {
  const bootstrap = parse([
    [
      ["com", "net"],
      ["http://plain.example/", "https://secure.example/v1"],
    ],
    [["UK"], ["https://uk.example/"]],
    [["co.uk"], ["https://co.uk.example/"]],
    [["old"], ["http://only.example/"]],
    [["none"], []],
    [["odd"], ["no address"]],
  ])
  for (const [domain, server, because] of [
    ["shop.com", "https://secure.example/v1/", "HTTPS where there is a choice, and a final slash"],
    ["shop.uk", "https://uk.example/", "letter case"],
    ["shop.co.uk", "https://co.uk.example/", "the longest match"],
    ["shop.old", "http://only.example/", "no choice"],
    ["shop.none", undefined, "a suffix without a server"],
    ["shop.odd", undefined, "a server that is no address"],
    ["shop.test", undefined, "a suffix that is not there"],
    ["notcom", undefined, "labels are compared whole"],
  ] as const) {
    it(`leads ${domain} to ${server}: ${because}`, () => {
      assert.equal(bootstrap.serverFor(domain)?.href, server)
    })
  }

  for (const [services, more, because] of [
    [{}, { publication: "x" }, "services that are no list"],
    [[["com"]], { publication: "x" }, "a service that is no pair"],
    [[], {}, "no date"],
  ] as const) {
    it(`is refused: ${because}`, () => {
      assert.throws(
        () => parse(services, more),
        (error) => error instanceof Problem && error.code === "INVALID_SETTING",
      )
    })
  }
})

describe("the copy of IANA's bootstrap", () => {
  it("is refused when one byte of it is another", () => {
    const bytes = Buffer.from('{"version":"1.0","publication":"2026-01-01","services":[]}')
    const sha256 = hash("sha256", bytes, "hex")
    assert.equal(verifiedBootstrap(bytes, sha256).sha256, sha256)
    assert.throws(
      () => verifiedBootstrap(Buffer.concat([bytes, Buffer.from(" ")]), sha256),
      (error) => error instanceof Problem && error.code === "INVALID_SETTING",
    )
  })

  it("is the one that its hash says, with a date and the great suffixes", async () => {
    const bootstrap = await shippedBootstrap()
    assert.ok(!Number.isNaN(Date.parse(bootstrap.publication)))
    for (const [suffix, server] of [
      ["com", "https://rdap.verisign.com/com/v1/"],
      ["org", "https://rdap.publicinterestregistry.org/rdap/"],
      ["fr", "https://rdap.nic.fr/"],
    ] as const) {
      assert.equal(bootstrap.serverFor(`shop.${suffix}`)?.href, server)
    }
  })
})
