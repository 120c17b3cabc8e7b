import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { CHARACTERS } from "./characters/all.ts"
import { labMarkdown } from "./markdown.ts"

describe("the lab's table", () => {
  it("has one row of five cells for each character", () => {
    const rows = labMarkdown()
      .split("\n")
      .filter((line) => /^\| (?!character|---)/.test(line))
    assert.equal(rows.length, CHARACTERS.length)
    for (const [i, row] of rows.entries()) {
      assert.equal(row.split(" | ").length, 5, row)
      assert.ok(row.startsWith(`| ${CHARACTERS[i]?.name} |`), row)
    }
  })
})
