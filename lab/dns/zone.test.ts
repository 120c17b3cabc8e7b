import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { canonicalOrder } from "./zone.ts"

describe("canonical order of names", () => {
  it("is the standard's (RFC 4034 §6.1, without its escaped bytes)", () => {
    const ordered = ["example", "a.example", "yljkjljk.a.example", "z.a.example", "zabc.a.example"]
    ordered.push("z.example", "*.z.example")
    assert.deepEqual(ordered.toReversed().sort(canonicalOrder), ordered)
  })
})
