import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { observe, onPlatform, tls } from "../../../test/observation.ts"
import { whenItsOwn } from "./certificate.ts"
import { found } from "./finding.ts"

describe("whenItsOwn", () => {
  const judge = () => found(true)

  it("judges a certificate that names the host, on a platform too", () => {
    assert.equal(whenItsOwn(observe(onPlatform), judge).state, true)
  })

  it("leaves a platform's wildcard alone", () => {
    const wildcard = observe((o) => {
      onPlatform(o)
      tls(({ certificate }) => {
        certificate.dnsNames = ["*.example"]
      })(o)
    })
    assert.deepEqual(whenItsOwn(wildcard, judge), { state: "unknown", because: "platform" })
  })

  it("takes any certificate for the holder's elsewhere", () => {
    const wildcard = observe(
      tls(({ certificate }) => {
        certificate.dnsNames = ["*.shop.example"]
      }),
    )
    assert.equal(whenItsOwn(wildcard, judge).state, true)
  })
})
