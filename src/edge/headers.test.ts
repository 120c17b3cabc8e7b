import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { PLAIN_HEADERS, SECURITY_HEADERS } from "./headers.ts"

/** hstspreload.org, "Submission Requirements" 4: the header on the base domain over HTTPS. */
describe("HSTS as the preload list wants it", () => {
  const directives = (SECURITY_HEADERS["strict-transport-security"] ?? "").split("; ")

  it("is for at least a year", () => {
    const maxAge = directives.find((directive) => directive.startsWith("max-age="))
    assert.ok(Number(maxAge?.slice("max-age=".length)) >= 31_536_000)
  })
  it("includes subdomains", () => assert.ok(directives.includes("includeSubDomains")))
  it("asks for preloading", () => assert.ok(directives.includes("preload")))
  it("holds nothing else, and nothing twice (RFC 6797 §6.1)", () => {
    assert.equal(directives.length, 3)
  })
  it("is not sent over plain HTTP (RFC 6797 §7.2), where all else is", () => {
    const { "strict-transport-security": hsts, ...others } = SECURITY_HEADERS
    assert.ok(hsts)
    assert.deepEqual(PLAIN_HEADERS, others)
  })
})
