import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ApiDocument } from "./reference-document.ts"
import { answers, endpoints, refusals } from "./reference-document.ts"
import { referencePage } from "./reference-page.ts"

const SPITEFUL = `"'><script>alert(1)</script>`

const document: ApiDocument = {
  info: { title: SPITEFUL, version: SPITEFUL, description: SPITEFUL },
  servers: [{ url: `https://trust.invalid/${SPITEFUL}` }],
  tags: [{ name: "Tag", description: SPITEFUL }, { name: "Unused" }],
  paths: {
    "/v1/thing": {
      post: {
        operationId: "makeThing",
        tags: ["Tag"],
        summary: SPITEFUL,
        description: SPITEFUL,
        security: [],
        parameters: [{ name: SPITEFUL, in: "query", required: true, schema: { enum: [SPITEFUL] } }],
        responses: {
          200: {
            description: SPITEFUL,
            headers: { [SPITEFUL]: {} },
            content: { "application/json": { schema: { example: SPITEFUL } } },
          },
          401: {
            description: "",
            headers: { "x-request-id": {}, "WWW-Authenticate": {} },
            content: {
              "application/json": { examples: { MISSING_KEY: { summary: SPITEFUL } } },
              "application/problem+json": {},
            },
          },
        },
      },
    },
  },
}

describe("the reference page", () => {
  const page = referencePage(document)

  it("is one whole document in which every text of the contract is text", () => {
    assert.ok(page.startsWith("<!doctype html>"))
    assert.ok(page.endsWith("</html>\n"))
    assert.doesNotMatch(page, /<script/i)
    assert.ok((page.match(/&lt;script&gt;/g)?.length ?? 0) > 15, "the texts are not there")
  })

  it("carries nothing that its policy forbids", () => {
    assert.doesNotMatch(page, / style="| on[a-z]+="|<(iframe|form|object|embed)\b/)
    for (const [, url = ""] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert.match(url, /^[/#]/, `${url} leads elsewhere`)
    }
  })

  it("leaves out tags without operations", () => assert.doesNotMatch(page, /Unused/))
})

describe("what it reads from the document", () => {
  const [endpoint] = endpoints(document)
  assert.ok(endpoint)

  it("operations, with method and path", () => {
    assert.equal(`${endpoint.method} ${endpoint.path}`, "POST /v1/thing")
  })

  it("a name for an operation that has none", () => {
    const [unnamed] = endpoints({ ...document, paths: { "/v1/a-b": { get: {} } } })
    assert.equal(unnamed?.operationId, "get-v1-a-b")
  })

  it("answers apart from refusals, by code and with their own headers", () => {
    assert.deepEqual(
      answers(endpoint).map(({ status }) => status),
      ["200"],
    )
    assert.deepEqual(refusals(endpoint), [
      { code: "MISSING_KEY", status: "401", meaning: SPITEFUL, headers: ["WWW-Authenticate"] },
    ])
  })
})
