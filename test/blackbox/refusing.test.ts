/** What the running program refuses, and how: over HTTPS alone, in the contract's form. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { ProblemDetails, Refusal } from "../../src/http/contract-refusal.ts"
import { generateKey } from "../../src/keys/format.ts"
import { readAnswer } from "../contract/read-answer.ts"
import type { Answer, Ask, Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const HSTS = "max-age=31536000; includeSubDomains; preload"

describe("refusals", () => {
  let program: Program
  let live = ""
  before(async () => {
    program = await startProgram({ arguments: ["--lab"] })
    live = program.keys?.live ?? ""
  })
  after(() => program.stop())
  const get = (path: string, ask?: Ask): Promise<Answer> => program.ask(path, ask)

  const keyed = (): Ask => ({ key: live })
  const cases: readonly [string, string, () => Ask, number, string][] = [
    ["no key", "/v1/analyze?domain=lindenshop.test", () => ({}), 401, "MISSING_KEY"],
    [
      "another scheme",
      "/v1/usage",
      () => ({ headers: { authorization: `Basic ${live}` } }),
      401,
      "MISSING_KEY",
    ],
    [
      "an empty Bearer",
      "/v1/usage",
      () => ({ headers: { authorization: "Bearer " } }),
      401,
      "MISSING_KEY",
    ],
    ["a cut key", "/v1/usage", () => ({ key: live.slice(0, -1) }), 401, "INVALID_KEY"],
    ["a key nobody has", "/v1/usage", () => ({ key: generateKey("live") }), 401, "INVALID_KEY"],
    [
      "a test key nobody has",
      "/v1/usage",
      () => ({ key: generateKey("test") }),
      401,
      "INVALID_KEY",
    ],
    [
      "a bad key and a bad query: the key first",
      "/v1/analyze?x=1",
      () => ({ key: generateKey("live") }),
      401,
      "INVALID_KEY",
    ],
    [
      "two keys",
      "/v1/usage",
      () => ({ key: live, headers: { authorization: `Bearer ${live}` } }),
      400,
      "INVALID_REQUEST",
    ],
    [
      "the same key twice",
      "/v1/usage",
      () => ({ headers: { "x-api-key": `${live}, ${live}` } }),
      400,
      "INVALID_REQUEST",
    ],
    [
      "a parameter behind a second question mark",
      "/v1/analyze?domain=https://a.test/?b&nosuch=1",
      keyed,
      400,
      "INVALID_REQUEST",
    ],
    ["a parameter of an open route", "/v1/health?nosuch=1", () => ({}), 400, "INVALID_REQUEST"],
    ["a parameter of the contract", "/v1/openapi.json?x", () => ({}), 400, "INVALID_REQUEST"],
    [
      "a key in the address of an open route",
      `/v1/health/live?k=${generateKey("live")}`,
      () => ({}),
      400,
      "INVALID_REQUEST",
    ],
    ["a month beyond all dates", "/v1/usage?month=9999-12", keyed, 400, "INVALID_REQUEST"],
    ["no domain", "/v1/analyze", keyed, 400, "INVALID_REQUEST"],
    ["an empty domain", "/v1/analyze?domain=", keyed, 400, "INVALID_REQUEST"],
    ["a domain twice", "/v1/analyze?domain=a.test&domain=b.test", keyed, 400, "INVALID_REQUEST"],
    ["an unknown parameter", "/v1/analyze?domain=a.test&colour=red", keyed, 400, "INVALID_REQUEST"],
    [
      "a parameter of every object",
      "/v1/analyze?domain=a.test&toString=1",
      keyed,
      400,
      "INVALID_REQUEST",
    ],
    [
      "a value that is none of its own",
      "/v1/analyze?domain=a.test&fresh=maybe",
      keyed,
      400,
      "INVALID_REQUEST",
    ],
    ["no month", "/v1/usage?month=2026-13", keyed, 400, "INVALID_REQUEST"],
    ["an address", "/v1/analyze?domain=127.0.0.1", keyed, 400, "INVALID_DOMAIN"],
    ["a single label", "/v1/analyze?domain=localhost", keyed, 400, "INVALID_DOMAIN"],
    ["a public suffix", "/v1/analyze?domain=co.uk", keyed, 400, "INVALID_DOMAIN"],
    ["nothing there", "/v1/nothing", keyed, 404, "NOT_FOUND"],
    ["nothing there, without a key", "/", () => ({}), 404, "NOT_FOUND"],
    [
      "another method",
      "/v1/analyze?domain=a.test",
      () => ({ key: live, method: "POST" }),
      405,
      "METHOD_NOT_ALLOWED",
    ],
    [
      "another method on health",
      "/v1/health",
      () => ({ method: "DELETE" }),
      405,
      "METHOD_NOT_ALLOWED",
    ],
  ]
  for (const [what, path, ask, status, code] of cases) {
    it(`${what}: ${status} ${code}`, async () => {
      const answer = await get(path, ask())
      assert.equal(answer.status, status, answer.text)
      const { error } = readAnswer(Refusal, answer.json)
      assert.equal(error.code, code)
      assert.equal(error.request_id, answer.headers["x-request-id"])
      assert.equal(answer.headers["strict-transport-security"], HSTS)
      assert.equal(answer.headers["cache-control"], "private, no-store")
      assert.equal(status === 401, answer.headers["www-authenticate"] !== undefined)
      assert.equal(status === 405, answer.headers.allow !== undefined)
      assert.doesNotMatch(answer.text, /zt_(live|test)_[0-9A-Za-z]{9}/, "no key comes back")
    })
  }

  it("a key in the address is refused whatever else is sent, and does not come back", async () => {
    for (const path of [
      `/v1/usage?key=${live}`,
      `/v1/${live}`,
      `/v1/usage?k=%7A${live.slice(1)}`,
    ]) {
      const answer = await get(path, path.includes(`/v1/${live}`) ? {} : { key: live })
      assert.ok(answer.status === 400 || answer.status === 404, answer.text)
      assert.doesNotMatch(answer.text, new RegExp(live))
    }
  })

  for (const name of ["toString", "__proto__", "domain"]) {
    it(`names the parameter that is wrong: ${name}`, async () => {
      const answer = await get(`/v1/usage?${name}=1`, { key: live })
      assert.equal(answer.status, 400)
      const { error } = readAnswer(Refusal, answer.json)
      assert.equal(error.message, `There is no parameter '${name}'.`)
      assert.deepEqual(error.details, { parameter: name })
    })
  }

  it("RFC 9457 for who asks for it", async () => {
    const accept = "application/problem+json, application/json;q=0.5"
    const answer = await get("/v1/usage", { headers: { accept } })
    assert.equal(answer.headers["content-type"], "application/problem+json")
    const problem = readAnswer(ProblemDetails, answer.json)
    assert.equal(problem.status, 401)
    assert.equal(problem.code, "MISSING_KEY")
  })

  it("a revoked key is refused from then on, also for an answer that lies ready", async () => {
    const env = environment(program.dataDir)
    const args = ["--tenant", "default", "--environment", "live", "--json"]
    const issued = await runCommand(["keys", "issue", ...args], env)
    assert.equal(issued.code, 0, issued.stderr)
    const { id, key } = JSON.parse(issued.stdout)
    const path = "/v1/analyze?domain=lindenshop.test"
    for (let i = 0; i < 3; i++) assert.equal((await get(path, { key })).status, 200)
    const revoked = await runCommand(["keys", "revoke", id, "--json"], env)
    assert.equal(revoked.code, 0, revoked.stderr)
    const answer = await get(path, { key })
    assert.equal(answer.status, 401)
    assert.equal(readAnswer(Refusal, answer.json).error.code, "KEY_REVOKED")
  })
})
