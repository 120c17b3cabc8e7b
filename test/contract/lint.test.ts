/** The OpenAPI document under a strict linter, and the linter under documents that are wrong. */
import assert from "node:assert/strict"
import { before, describe, it } from "node:test"
import type { Config, RuleConfig } from "@redocly/openapi-core"
import { createConfig, lintFromString } from "@redocly/openapi-core"
import type { OpenAPIDocument } from "../../src/http/openapi-document.ts"
import { bareApp, contractDocument } from "./document.ts"

/**
 * Besides `recommended-strict`, whose rules are all errors and of which none is switched off.
 * Those of Redocly's that stay out: `info-contact` (a deployment's contact is its operator's),
 * `tags-alphabetical` (tags are in the order people need them), `path-segment-plural`
 * (`/v1/analyze` and `/v1/usage` are no collections), `required-string-property-missing-min-length`
 * (a text of a stranger's may be empty).
 */
const RULES: Record<string, RuleConfig> = {
  "array-parameter-serialization": "error",
  "boolean-parameter-prefixes": "error",
  "component-name-unique": "error",
  "no-http-verbs-in-paths": "error",
  "operation-4xx-problem-details-rfc7807": "error",
  "operation-description": "error",
  "operation-singular-tag": "error",
  "operation-tag-defined": "error",
  "parameter-description": "error",
  "path-http-verbs-order": "error",
  "path-params-defined": "error",
  "paths-kebab-case": "error",
  "response-contains-header": { severity: "error", names: { "2xx": ["x-request-id"] } },
  "response-mime-type": {
    severity: "error",
    allowedValues: [
      "application/json",
      "application/problem+json",
      "text/csv",
      "application/x-ndjson",
      "application/openmetrics-text",
    ],
  },
  "scalar-property-missing-example": "error",
  "spec-example-values": "error",
  "spec-strict-refs": "error",
}

describe("the OpenAPI document", () => {
  let config: Config
  before(async () => {
    config = await createConfig({ extends: ["recommended-strict"], rules: RULES })
  })

  /** @param change - What to break first. @returns Each problem's rule and place. */
  async function lint(change: (document: OpenAPIDocument) => void = () => {}): Promise<string[]> {
    // A rule warns of localhost, where every deployment begins and none should stay.
    const document = structuredClone(contractDocument("https://trust.invalid"))
    change(document)
    const problems = await lintFromString({
      source: JSON.stringify(document),
      absoluteRef: "openapi.json",
      config,
    })
    return problems.map(({ ruleId, location }) => `${ruleId} at ${location[0]?.pointer}`)
  }

  it("has nothing that the linter minds", async () => assert.deepEqual(await lint(), []))

  const analyze = (document: OpenAPIDocument) => document.paths?.["/v1/analyze"]?.get
  for (const [rule, because, change] of [
    ["operation-operationId", "an operation has no name", (d) => delete analyze(d)?.operationId],
    ["operation-4xx-response", "no refusal is listed", (d) => (d.paths = withoutRefusals(d))],
    ["security-defined", "a key is of no known kind", (d) => (d.security = [{ cookie: [] }])],
    ["info-license", "the licence is missing", (d) => delete d.info.license],
    ["no-unused-components", "a schema that nothing uses", (d) => addSchema(d, { type: "string" })],
    ["struct", "no OpenAPI at all", (d) => Object.assign(d.info, { title: 5 })],
    ["no-invalid-schema-examples", "an example against its schema", (d) => wrongExample(d)],
  ] as const satisfies [string, string, (document: OpenAPIDocument) => unknown][]) {
    it(`would be told that ${because}`, async () => {
      const problems = await lint(change)
      assert.ok(
        problems.some((problem) => problem.startsWith(`${rule} `)),
        problems.join("\n") || "no problem found",
      )
    })
  }

  it("names every route of the application, and no other", () => {
    const pages = /^\/(docs|request-a-key|claim-a-key)(\/|$)/
    const served = bareApp("https://trust.invalid")
      .routes.filter(({ method, path }) => method !== "ALL" && !pages.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
    const named = Object.entries(contractDocument().paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual([...new Set(served)].sort(), named.sort())
  })
})

function withoutRefusals(document: OpenAPIDocument): NonNullable<OpenAPIDocument["paths"]> {
  const get = document.paths?.["/v1/health"]?.get
  const responses = Object.entries(get?.responses ?? {}).filter(([status]) => status < "400")
  return { "/v1/health": { get: { ...get, responses: Object.fromEntries(responses) } } }
}

function addSchema(document: OpenAPIDocument, schema: { type: "string" }): void {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Spare: schema },
  }
}

function wrongExample(document: OpenAPIDocument): void {
  const schema = document.components?.schemas?.["Liveness"]
  if (schema !== undefined && !("$ref" in schema)) schema.example = { status: "perhaps" }
}
