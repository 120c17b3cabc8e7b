import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { observe } from "../../../test/observation.ts"
import type { Known, Observation, Why } from "../types.ts"
import { CATEGORIES } from "../types.ts"
import { RULES } from "./rules.ts"

describe("the rules", () => {
  it("have codes of their own", () => {
    assert.equal(new Set(RULES.map(({ code }) => code)).size, RULES.length)
  })

  it("are those of every category but reputation", () => {
    const categories = new Set(RULES.map(({ category }) => category))
    assert.deepEqual(
      CATEGORIES.filter((category) => !categories.has(category)),
      ["reputation"],
    )
  })

  for (const { code, category, says } of RULES) {
    it(`${code} lies where its name says, beside its test, and speaks in the third person`, () => {
      const path = join(import.meta.dirname, category, code.replaceAll("_", "-"))
      assert.ok(existsSync(`${path}.ts`))
      assert.ok(existsSync(`${path}.test.ts`))
      for (const sentence of [says.true, says.false]) {
        assert.match(sentence, /^(Has|Is|Was|Does|Cannot|[A-Z][a-z]+s) .*[^.]$/)
      }
    })
  }

  for (const because of ["timeout", "refused", "challenge", "deadline"] as const satisfies Why[]) {
    it(`find nothing true or false where nothing was seen: ${because}`, () => {
      const unseen = { unknown: because }
      const blind = observe((o) => {
        o.dns = Object.fromEntries(Object.keys(o.dns).map((key) => [key, unseen])) as BlindDns
        o.http = Object.fromEntries(Object.keys(o.http).map((key) => [key, unseen])) as BlindHttp
        o.tls = unseen
        o.registration = unseen
      })
      const told = RULES.flatMap(({ code, category, judge }) =>
        category !== "lexical" && judge(blind).state !== "unknown" ? [code] : [],
      )
      // A challenge in place of the home page is itself what that rule looks for.
      assert.deepEqual(told, because === "challenge" ? ["bot_challenge"] : [])
    })
  }

  it("never show more than 120 plain characters", () => {
    const noisy = observe((o) => {
      if ("value" in o.http.home) o.http.home.value.title = `\u0007\u202e${"x".repeat(5_000)}`
      if ("value" in o.dns.txt)
        o.dns.txt.value.records.push({ data: `v=spf1 ${"a ".repeat(500)}`, ttl: 1 })
    })
    for (const { judge } of RULES) {
      const finding = judge(noisy)
      const seen = "seen" in finding ? (finding.seen ?? "") : ""
      assert.ok(seen.length <= 120)
      assert.doesNotMatch(seen, /[\p{Cc}\p{Cf}]/u)
    }
  })
})

type Blind<T> = {
  -readonly [K in keyof T]: Extract<T[K], Known<unknown>> & { readonly unknown: Why }
}
type BlindDns = Blind<Observation["dns"]>
type BlindHttp = Blind<Observation["http"]>
