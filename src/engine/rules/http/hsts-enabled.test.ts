import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { hstsEnabled, parseMaxAge } from "./hsts-enabled.ts"

const sts = (...values: string[]) => answered({ "strict-transport-security": values })

judges(hstsEnabled, [
  ["two years", () => {}, true, "max-age=63072000; includeSubDomains"],
  ["half a year", sts("max-age=15768000"), true],
  ["one second less", sts("max-age=15767999"), false, "max-age=15767999"],
  ["zero tells the browser to forget", sts("max-age=0"), false],
  ["of two fields the first counts", sts("max-age=0", "max-age=63072000"), false],
  ["no header", answered({}), false],
  ["a gatekeeper without the header", answered({}, 403), "challenge"],
  ["an error without the header", answered({}, 500), "server_error"],
  [
    "another domain's header is not its own",
    answered({ "strict-transport-security": ["max-age=63072000"] }, 200, "https://other.example/"),
    "not_observed",
  ],
  [
    "a target that did not answer may send it",
    brokenOff("/slow", "unreachable", "timeout"),
    "timeout",
  ],
  ["so may one that was not visited", brokenOff("/7", "too_many_redirects"), "not_observed"],
  ["a loop was seen whole", brokenOff("/", "redirect_loop"), false],
  [
    "no HTTPS",
    (o) => {
      o.http.secure = { unknown: "refused" }
    },
    "refused",
  ],
])

describe("parseMaxAge", () => {
  for (const [value, seconds, because] of [
    ["max-age=31536000", 31_536_000, "the plain form"],
    ['max-age="31536000"', 31_536_000, "a quoted string"],
    ["Max-Age = 5 ;includeSubDomains", 5, "case and spaces do not matter"],
    ["includeSubDomains; max-age=5; preload", 5, "nor does order"],
    ["; ;max-age=5;", 5, "empty directives are allowed"],
    ["max-age=1; max-age=31536000", 0, "a repeated directive voids it"],
    ["max-age=5; preload; preload", 0, "whichever it is"],
    ["max-age=-1", 0, "a negative number"],
    ["max-age=1e9", 0, "another form of number"],
    ['max-age="5', 0, "half a quotation"],
    ["includeSubDomains", 0, "absent"],
    ["", 0, "empty"],
  ] as const) {
    it(`${because}: ${value} is ${seconds} s`, () => assert.equal(parseMaxAge(value), seconds))
  }

  it("is a whole number for anything", () => {
    fc.assert(
      fc.property(fc.string(), (value) => assert.ok(Number.isSafeInteger(parseMaxAge(value)))),
    )
  })
})
