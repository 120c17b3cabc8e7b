/** Every example that the document gives or implies is one that the schemas accept. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { z } from "@hono/zod-openapi"
import { Analysis, Health, Liveness, Metrics, Usage, VerdictKeys } from "../../src/http/contract.ts"
import { EventList } from "../../src/http/contract-events.ts"
import {
  Key,
  KeyList,
  NewKey,
  RevokedKey,
  RotatedKey,
  UsedKey,
} from "../../src/http/contract-keys.ts"
import { ReportTaken } from "../../src/http/contract-leaks.ts"
import { KeyRequestReceived } from "../../src/http/contract-requests.ts"
import { answers, endpoints } from "../../src/http/reference-document.ts"
import { exampleAnswers } from "../../src/http/reference-example.ts"
import { contractDocument } from "./document.ts"
import { readAnswer } from "./read-answer.ts"

const document = contractDocument()
const SCHEMAS = new Map<string, z.ZodType>(
  Object.entries({
    Analysis,
    EventList,
    Health,
    Key,
    KeyList,
    KeyRequestReceived,
    Liveness,
    Metrics,
    NewKey,
    ReportTaken,
    RevokedKey,
    RotatedKey,
    Usage,
    UsedKey,
    VerdictKeys,
  }),
)

describe("the examples of answers", () => {
  for (const endpoint of endpoints(document)) {
    for (const { status, content = {} } of answers(endpoint)) {
      const [media = {}] = Object.values(content)
      const name = media.schema?.$ref?.replace("#/components/schemas/", "")
      if (name === undefined) continue
      it(`${endpoint.operationId} ${status}: obeys ${name}`, () => {
        const schema = SCHEMAS.get(name)
        assert.ok(schema, `${name} is not among the schemas of this test`)
        for (const { value } of exampleAnswers(document, media)) readAnswer(schema, value)
      })
    }
  }

  it("verdicts: base and points add up to the score", () => {
    const analyze = endpoints(document).find(({ operationId }) => operationId === "analyzeDomain")
    assert.ok(analyze)
    const examples = answers(analyze).flatMap(({ content = {} }) =>
      exampleAnswers(document, content["application/json"] ?? {}),
    )
    assert.ok(examples.length >= 2)
    for (const { value } of examples) {
      const { base, insights, trust_score } = readAnswer(Analysis, value)
      assert.equal(
        insights.reduce((sum, { points }) => sum + points, base),
        trust_score,
      )
    }
  })
})
