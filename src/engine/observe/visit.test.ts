import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Why } from "../types.ts"
import type { Fetcher } from "./fetch.ts"
import { visit } from "./visit.ts"

/** URL → where it redirects to, `200`, or why there is no answer. */
type Web = Readonly<Record<string, string>>

function fetcherOf(web: Web): Fetcher {
  return {
    async get(url) {
      const answer = web[url.href]
      if (answer === undefined) return { unknown: "unreachable" }
      if (answer.startsWith("?")) return { unknown: answer.slice(1) as Why }
      const redirects = answer !== "200"
      const headers = redirects ? { location: [answer] } : {}
      const exchange = { url: url.href, status: redirects ? 302 : 200, headers }
      return { value: { exchange, body: { value: Buffer.from("x") }, authentic: false } }
    },
  }
}

const START = "https://a.example/"
const chain = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [`https://a.example/${i || ""}`, `/${i + 1}`]),
)

describe("a visit", () => {
  for (const [web, hops, stopped, because] of [
    [{ [START]: "200" }, 1, undefined, "no redirect"],
    [{ [START]: "/b", "https://a.example/b": "200" }, 2, undefined, "a relative Location"],
    [{ [START]: "//b.example/", "https://b.example/": "200" }, 2, undefined, "another host"],
    [{ [START]: "/b#c", "https://a.example/b": "200" }, 2, undefined, "a fragment is not sent"],
    [{ [START]: START }, 1, "redirect_loop", "to itself"],
    [{ [START]: "https://x:y@a.example/" }, 1, "redirect_loop", "to itself with credentials"],
    [
      { [START]: "http://a.example/", "http://a.example/": START },
      2,
      "redirect_loop",
      "to and fro",
    ],
    [chain, 6, "too_many_redirects", "one more than five"],
    [{ [START]: "javascript:alert(1)" }, 1, "bad_location", "a script"],
    [{ [START]: "file:///etc/passwd" }, 1, "bad_location", "a file"],
    [{ [START]: "http://[fe80::1%25eth0]/" }, 1, "bad_location", "no URL"],
    [{ [START]: "http://10.0.0.1/", "http://10.0.0.1/": "?blocked" }, 1, "blocked", "private"],
    [
      { [START]: "http://b.example/", "http://b.example/": "?timeout" },
      1,
      "unreachable",
      "no answer",
    ],
  ] as const satisfies readonly (readonly [Web, number, string | undefined, string])[]) {
    it(`ends after ${hops} with ${stopped ?? "an answer"}: ${because}`, async () => {
      const seen = await visit(fetcherOf(web), new URL(START))
      assert.ok("value" in seen.visit)
      assert.equal(seen.visit.value.hops.length, hops)
      assert.equal(seen.visit.value.stopped, stopped)
      assert.equal("value" in seen.last, stopped === undefined)
    })
  }

  it("keeps why a redirect's target could not be seen", async () => {
    const web = { [START]: "/slow", "https://a.example/slow": "?deadline" }
    const seen = await visit(fetcherOf(web), new URL(START))
    assert.ok("value" in seen.visit)
    assert.equal(seen.visit.value.why, "deadline")
  })

  it("is unknown when the first answer does not come", async () => {
    const seen = await visit(fetcherOf({ [START]: "?refused" }), new URL(START))
    assert.deepEqual(seen, { visit: { unknown: "refused" }, last: { unknown: "refused" } })
  })
})
