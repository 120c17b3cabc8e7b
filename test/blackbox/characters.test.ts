/** Every character of the lab, judged by the running program over HTTPS as its table says. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { CHARACTERS } from "../../lab/characters/all.ts"
import { Analysis } from "../../src/http/contract.ts"
import { readAnswer } from "../contract/read-answer.ts"
import type { Program } from "../program.ts"
import { startProgram } from "../program.ts"

describe("the lab's characters", { concurrency: 8 }, () => {
  let program: Program
  before(async () => {
    program = await startProgram({ arguments: ["--lab"] })
  })
  after(() => program.stop())

  it("are at least 28", () => assert.ok(CHARACTERS.length >= 28))

  for (const { domain, story, because, expect } of CHARACTERS) {
    it(`${domain} (${story}) is ${expect.action}: ${because}`, async () => {
      const key = program.keys?.live ?? ""
      const answer = await program.ask(`/v1/analyze?domain=${encodeURIComponent(domain)}`, { key })
      assert.equal(answer.status, 200, answer.text)
      const verdict = readAnswer(Analysis, answer.json)
      const signals = Object.assign({}, ...Object.values(verdict.signals))
      const said = JSON.stringify(verdict.insights, null, 1)
      for (const code of expect.evidence) assert.equal(signals[code], true, `${code}\n${said}`)
      for (const code of expect.absent ?? []) assert.equal(signals[code], false, `${code}\n${said}`)
      for (const code of expect.unknown ?? [])
        assert.equal(signals[code], "unknown", `${code}\n${said}`)
      assert.equal(verdict.recommended_action, expect.action, `${verdict.trust_score} ${said}`)
      if (expect.risk) assert.ok(expect.risk.includes(verdict.risk_level), `${verdict.trust_score}`)
      const points = verdict.insights.reduce((sum, insight) => sum + insight.points, 0)
      assert.equal(verdict.base + points, verdict.trust_score, "every point is explained")
    })
  }
})
