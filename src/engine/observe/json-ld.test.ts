import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { organisationsIn } from "./json-ld.ts"

describe("organisations in JSON-LD", () => {
  for (const [document, organisations, because] of [
    [{ "@type": "Organization", name: "A" }, [{ name: "A" }], "the type itself"],
    [{ "@type": "OnlineStore", name: "A" }, [{ name: "A" }], "a subtype"],
    [{ "@type": ["Thing", "LocalBusiness"], name: "A" }, [{ name: "A" }], "one of two types"],
    [
      {
        "@graph": [
          { "@type": "WebSite", publisher: { "@type": "Corporation", legalName: "A AG" } },
        ],
      },
      [{ name: "A AG" }],
      "within a graph",
    ],
    [[{ "@type": "NGO", url: "https://a.example" }], [{ url: "https://a.example" }], "in a list"],
    [
      { "@type": "Organization", identifier: { "@type": "PropertyValue", value: "HRB 1" } },
      [{ identifier: "HRB 1" }],
      "an identifier as PropertyValue",
    ],
    [
      { "@type": "Organization", leiCode: "5299", identifier: "x" },
      [{ identifier: "5299" }],
      "the legal identifier first",
    ],
    [{ "@type": "Organization", name: 7, url: null }, [{}], "members of other types"],
    [{ "@type": "Person", name: "A" }, [], "a person is none"],
    ["text", [], "no object"],
  ] as const) {
    it(`${because}: ${JSON.stringify(document)}`, () => {
      assert.deepEqual(organisationsIn(JSON.stringify(document)), organisations)
    })
  }

  it("are bounded in depth and number", () => {
    const deep = `${'{"a":'.repeat(50_000)}{"@type":"Organization"}${"}".repeat(50_000)}`
    assert.deepEqual(organisationsIn(deep), [])
    const many = JSON.stringify(Array(5000).fill({ "@type": "Organization" }))
    assert.ok(organisationsIn(many).length < 500)
  })

  it("are read from any JSON and any text without throwing", () => {
    fc.assert(fc.property(fc.json(), (json) => void organisationsIn(json)))
    fc.assert(fc.property(fc.string(), (text) => void organisationsIn(text)))
  })
})
