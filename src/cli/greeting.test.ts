import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { stripVTControlCharacters } from "node:util"
import { greeting } from "./greeting.ts"

const RUNNING = {
  url: "https://localhost:8443",
  caFile: "/srv/a/data/authority.pem",
  firstKeys: { test: "zt_test_T", live: "zt_live_L" },
}
const OPTIONS = { color: false, lab: false, seconds: "0.9" }

describe("the greeting of a start", () => {
  it("of a first start", () => {
    assert.equal(
      greeting(RUNNING, OPTIONS),
      `ZygenTrust is ready, in 0.9 s.

  Address     https://localhost:8443
  Reference   https://localhost:8443/docs
  Authority   /srv/a/data/authority.pem

Two keys, shown this once:

  Test        zt_test_T
  Live        zt_live_L

Try it:

  curl --cacert /srv/a/data/authority.pem -H 'x-api-key: zt_test_T' 'https://localhost:8443/v1/analyze?domain=approve.test'

Ctrl-C stops it.`,
    )
  })

  it("of a later one: no key, and how to get one", () => {
    const text = greeting({ ...RUNNING, firstKeys: undefined }, OPTIONS)
    assert.doesNotMatch(text, /zt_(test|live)_/)
    assert.match(text, /keys issue --tenant default --environment live/)
  })

  it("with the lab, the live key asks it", () => {
    const text = greeting(RUNNING, { ...OPTIONS, lab: true })
    assert.match(
      text,
      /x-api-key: zt_live_L' 'https:\/\/localhost:8443\/v1\/analyze\?domain=lindenshop\.test'/,
    )
  })

  it("quotes a path as a shell wants it, and needs no authority of its own", () => {
    const odd = greeting({ ...RUNNING, caFile: "/it's here/ca.pem" }, OPTIONS)
    assert.match(odd, /--cacert '\/it'\\''s here\/ca\.pem'/)
    assert.match(greeting({ ...RUNNING, caFile: undefined }, OPTIONS), /curl -H/)
  })

  it("colour adds nothing but colour", () => {
    const painted = greeting(RUNNING, { ...OPTIONS, color: true })
    assert.notEqual(painted, greeting(RUNNING, OPTIONS))
    assert.equal(stripVTControlCharacters(painted), greeting(RUNNING, OPTIONS))
  })
})
