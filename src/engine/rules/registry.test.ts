import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { observe, onPlatform, registration } from "../../../test/observation.ts"
import { found } from "./finding.ts"
import { whenDated } from "./registry.ts"

describe("whenDated", () => {
  for (const [because, change, expected] of [
    ["days since then", () => {}, "2500 days"],
    ["a platform's registration", onPlatform, "platform"],
    [
      "nobody registered it",
      (o) => {
        o.registration = { value: null }
      },
      "not_offered",
    ],
    [
      "the server does not say",
      registration((r) => {
        delete r.registeredAt
      }),
      "not_offered",
    ],
    [
      "no time at all",
      registration((r) => {
        r.registeredAt = "long ago"
      }),
      "malformed",
    ],
    [
      "no server",
      (o) => {
        o.registration = { unknown: "timeout" }
      },
      "timeout",
    ],
  ] as const satisfies readonly (readonly [string, Parameters<typeof observe>[0], string])[]) {
    it(`${because}: ${expected}`, () => {
      const finding = whenDated(observe(change), "registeredAt", (days) =>
        found(true, `${days} days`),
      )
      assert.equal(finding.state === "unknown" ? finding.because : finding.seen, expected)
    })
  }
})
