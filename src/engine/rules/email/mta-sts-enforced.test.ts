import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Change } from "../../../../test/observation.ts"
import { judges, none, records } from "../../../../test/observation.ts"
import { isEnforcing, mtaStsEnforced } from "./mta-sts-enforced.ts"

const policy =
  (text: string, status = 200, contentType = "text/plain"): Change =>
  (o) => {
    o.http.mtaStsPolicy = {
      value: { url: "https://mta-sts.shop.example/", status, contentType, text },
    }
  }
const ENFORCING = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n"

judges(mtaStsEnforced, [
  ["record and policy", () => {}, true, "id 20260101T000000"],
  [
    "no record",
    (o) => {
      o.dns.mtaSts = none()
    },
    false,
  ],
  [
    "two records",
    (o) => {
      o.dns.mtaSts = records("v=STSv1; id=1", "v=STSv1; id=2")
    },
    false,
  ],
  [
    "an id with other characters",
    (o) => {
      o.dns.mtaSts = records("v=STSv1; id=1-2")
    },
    false,
  ],
  [
    "a policy that only tests",
    policy("version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\n"),
    false,
  ],
  ["a policy that is not there", policy("", 404), false],
  ["a policy with a charset", policy(ENFORCING, 200, "Text/Plain ; charset=utf-8"), true],
  [
    "a page that says the same, as anyone might put on the server",
    policy(ENFORCING, 200, "text/html"),
    false,
    "a record, but the policy is text/html",
  ],
  ["a policy server in trouble", policy("", 500), "server_error"],
  [
    "a policy not seen",
    (o) => {
      o.http.mtaStsPolicy = { unknown: "timeout" }
    },
    "timeout",
  ],
  [
    "a policy not seen means nothing without a record",
    (o) => {
      ;[o.dns.mtaSts, o.http.mtaStsPolicy] = [none(), { unknown: "timeout" }]
    },
    false,
  ],
])

describe("isEnforcing", () => {
  for (const [because, text, expected] of [
    [
      "the form of RFC 8461 §3.2",
      "version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
      true,
    ],
    [
      "the first mode counts",
      "version: STSv1\nmode: none\nmode: enforce\nmx: a\nmax_age: 1",
      false,
    ],
    ["without a version", "mode: enforce\nmx: a\nmax_age: 1", false],
    ["without a host", "version: STSv1\nmode: enforce\nmax_age: 1", false],
    ["for no time at all", "version: STSv1\nmode: enforce\nmx: a\nmax_age: 0", false],
    ["a page in place of a policy", "<html>mode: enforce</html>", false],
  ] as const) {
    it(`${because}: ${expected}`, () => assert.equal(isEnforcing(text), expected))
  }
})
