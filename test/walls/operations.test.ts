import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { routesOf } from "./operations.ts"

const one = (path: string, operation: object) =>
  routesOf({ paths: { [path]: { post: operation } } })

describe("requests from the contract", () => {
  it("have an identifier in path, query, header and body in turn", () => {
    const [route] = one("/v1/things/{id}", {
      parameters: [
        { name: "id", in: "path", required: true, example: "thing_1" },
        { name: "cursor", in: "query", schema: { type: "string" } },
        { name: "if-match", in: "header" },
      ],
      requestBody: {
        content: { "application/json": { schema: { properties: { owner: { example: "me" } } } } },
      },
    })
    const filled = (place: string) =>
      route?.slots.find(({ what }) => what === `POST /v1/things/{id}, ${place}`)?.fill("a b")
    assert.deepEqual(filled("path id")?.path, "/v1/things/a%20b")
    assert.deepEqual(filled("query cursor")?.path, "/v1/things/thing_1?cursor=a+b")
    assert.deepEqual(filled("header if-match")?.headers["if-match"], "a b")
    assert.deepEqual(filled("body owner")?.body, '{"owner":"a b"}')
    assert.deepEqual(route?.plain.body, '{"owner":"me"}')
  })

  for (const [what, operation] of [
    [
      "a required parameter without an example",
      { parameters: [{ name: "x", in: "query", required: true }] },
    ],
    ["a cookie", { parameters: [{ name: "x", in: "cookie" }] }],
    ["a body that is no JSON", { requestBody: { content: { "text/plain": {} } } }],
    [
      "a body without examples",
      { requestBody: { content: { "application/json": { schema: { properties: { x: {} } } } } } },
    ],
  ] as const) {
    it(`cannot be made of ${what}, and say so`, () => assert.throws(() => one("/v1/x", operation)))
  }
})
