import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Log, LogFields } from "./log.ts"
import { listed } from "./log.ts"

describe("fields of the log (L2)", () => {
  it("those of the table are written", () => {
    const fields: LogFields = { requestId: "req_1", index8: "abcdefgh", notice: "a file is gone" }
    assert.deepEqual(listed(fields), fields)
  })

  it("others are not, whatever the types were told", () => {
    const fields = { requestId: "req_1", body: "secret", headers: {} } as LogFields
    assert.deepEqual(listed(fields), { requestId: "req_1" })
  })

  it("a key that was taken for its index is cut", () => {
    assert.deepEqual(listed({ index8: "abcdefghsecret" }), { index8: "abcdefgh" })
  })

  it("of an error, neither message nor fields", () => {
    const error = Object.assign(new Error("what it said"), { detail: "what it said" })
    assert.doesNotMatch(JSON.stringify(listed({ err: error })), /what it said/)
  })
})

/** Checked by the compiler alone: each of these was an error, or `tsc` fails. */
export function doesNotCompile(
  log: Log,
  url: string,
  request: { body: string; requestId: "req_1" },
) {
  log.warn({ notice: url }, "this does")
  // @ts-expect-error a field that is not in the table
  log.warn({ url }, "a request")
  // @ts-expect-error one that is not, beside one that is, in an object that has a name
  log.warn(request, "a request")
  // @ts-expect-error a text that is put together
  log.warn({}, `a request for ${url}`)
  // @ts-expect-error a text that comes from elsewhere
  log.warn({}, url)
  // @ts-expect-error a text of a type that is as wide
  log.warn({}, `GET ${url}` as const)
  // @ts-expect-error a message alone can hold fields
  log.warn({ requestId: "req_1", url: request.body }, "a request")
  // @ts-expect-error another kind of id
  log.warn({ requestId: "a body" }, "a request")
}
