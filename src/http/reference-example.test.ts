import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import type { ApiDocument, Schema } from "./reference-document.ts"
import { exampleAnswers, exampleValue, jsonMarkup } from "./reference-example.ts"

const document: ApiDocument = {
  info: { title: "", version: "" },
  components: { schemas: { Part: { type: "string", example: "whole" } } },
}

describe("an example value", () => {
  for (const [schema, value, because] of [
    [{ type: "integer", example: 4 }, 4, "its own example"],
    [{ $ref: "#/components/schemas/Part" }, "whole", "that of the schema it refers to"],
    [{ type: "string", enum: ["a", "b"] }, "a", "the first of a list"],
    [{ type: "array", items: { example: 1 } }, [1], "a list holds one"],
    [{ additionalProperties: { example: 1 } }, { name: 1 }, "a map holds one"],
    [{ anyOf: [{ example: true }, { example: 1 }] }, true, "the first alternative"],
    [
      { required: ["a"], properties: { a: { example: 1 }, b: { example: 2 } } },
      { a: 1 },
      "what may be left out is",
    ],
  ] as const satisfies [Schema, unknown, string][]) {
    it(because, () => assert.deepEqual(exampleValue(document, schema), value))
  }

  it("is the first of the document's examples, named, where there are any", () => {
    const examples = { one: { summary: "The first", value: 1 }, two: { value: 2 } }
    assert.deepEqual(exampleAnswers(document, { schema: {}, examples }), [
      { title: "one: The first", value: 1 },
      { title: "two", value: 2 },
    ])
  })
})

describe("JSON in colour", () => {
  it("says the same as without", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = String(jsonMarkup(value)).replaceAll(/<\/?span[^>]*>/g, "")
        assert.equal(unescaped(text), JSON.stringify(value, null, 2))
      }),
    )
  })

  it("tells keys, texts and the rest apart", () => {
    assert.equal(
      String(jsonMarkup({ a: ["1", 2, null] })).replaceAll(/\s/g, ""),
      '{<spanclass="key">&quot;a&quot;</span>:[<spanclass="string">&quot;1&quot;</span>,<spanclass="literal">2</span>,<spanclass="literal">null</span>]}',
    )
  })
})

function unescaped(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
}
