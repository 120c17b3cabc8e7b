import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { observe, page } from "../../../test/observation.ts"
import { bareName, onSomePage } from "./holder.ts"

describe("onSomePage", () => {
  const contact = ({ title }: { title?: string }) => (title === "Contact" ? "here" : undefined)

  it("is content with one page, whatever the others are", () => {
    const seen = observe((o) => {
      o.http.imprint = { unknown: "timeout" }
    })
    assert.deepEqual(onSomePage(seen, ["imprint", "contact"], contact), { value: "here" })
  })

  it("knows of absence only when it saw every page", () => {
    const without = page("https://shop.example/contact", "Other")
    const seen = observe((o) => {
      o.http.contact = { value: without }
    })
    assert.deepEqual(onSomePage(seen, ["contact"], contact), { value: undefined })
    const unseen = observe((o) => {
      o.http.contact = { unknown: "timeout" }
    })
    assert.deepEqual(onSomePage(unseen, ["contact"], contact), { unknown: "timeout" })
  })
})

describe("bareName", () => {
  for (const [name, bare] of [
    ["Müller & Söhne GmbH", "mullersohne"],
    ["Example, Inc.", "example"],
    ["S.A. Example S.p.A.", "example"],
    ["Cobalt Ltd", "cobalt"],
    ["株式会社 例", "株式会社例"],
  ] as const) {
    it(`${name} is ${bare}`, () => assert.equal(bareName(name), bare))
  }
})
