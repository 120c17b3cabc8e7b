import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ApiDocument, Schema } from "./reference-document.ts"
import { bodyFields, field } from "./reference-schema.ts"

const document: ApiDocument = {
  info: { title: "", version: "" },
  components: {
    schemas: {
      Answer: { description: "Yes or no.", anyOf: [{ type: "boolean" }, { enum: ["unknown"] }] },
      Pair: { type: "object", properties: { left: { type: "string" }, right: { type: "string" } } },
    },
  },
}

/** @returns The text of a field, its parts divided by single spaces. */
function read(schema: Schema, presence?: "required" | "optional"): string {
  const markup = String(field(document, "name", schema, presence))
  const text = markup.replaceAll(/<[^>]*>/g, " ").replaceAll("&quot;", '"')
  return text.replaceAll(/\s+/g, " ").trim()
}

describe("a field of the reference", () => {
  for (const [schema, text, because] of [
    [{ type: "string", description: "Says so." }, "name string Says so.", "type and description"],
    [{ type: "integer", minimum: 0, maximum: 9 }, "name integer, 0 to 9", "a range"],
    [{ type: "integer", minimum: 0 }, "name integer, 0 or more", "a lower bound"],
    [{ type: ["integer", "null"] }, "name integer or null", "what may be null"],
    [{ type: "string", format: "date-time" }, "name time", "a time"],
    [{ type: "string", enum: ["a", "b"] }, "name string One of a b", "a list of values"],
    [{ type: "array", items: { type: "string" } }, "name list of strings", "a list"],
    [
      { $ref: "#/components/schemas/Answer" },
      'name boolean or "unknown" Yes or no.',
      "what it refers to",
    ],
    [
      { type: "object", additionalProperties: { type: "integer" } },
      "name map of integers",
      "a map",
    ],
    [
      { type: "array", items: { $ref: "#/components/schemas/Pair" } },
      "name list of objects 2 fields of name left string optional right string optional",
      "the fields of what a list holds",
    ],
  ] as const satisfies [Schema, string, string][]) {
    it(`shows ${because}`, () => assert.equal(read(schema), text))
  }

  it("says which parameter must be there", () => {
    assert.equal(read({ type: "string" }, "required"), "name string required")
  })

  it("has no list of fields for a body without any", () => {
    assert.equal(bodyFields(document, { type: "object", additionalProperties: {} }), undefined)
  })

  it("is refused for a reference that leads nowhere", () => {
    assert.throws(() => read({ $ref: "#/components/schemas/None" }), RangeError)
  })
})
