import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { botChallenge } from "./bot-challenge.ts"

judges(botChallenge, [
  [
    "a page unseen for another reason",
    (o) => {
      o.http.home = { unknown: "too_large" }
    },
    false,
  ],
  [
    "a visit without an exchange",
    (o) => {
      o.http.secure = { value: { hops: [] } }
    },
    "malformed",
  ],
  [
    "a target that did not answer may have been one",
    brokenOff("/slow", "unreachable", "timeout"),
    "timeout",
  ],
  ["a loop may be one's as well", brokenOff("/", "redirect_loop"), "malformed"],
  ["403", answered({}, 403), true, "status 403"],
  [
    "a challenge page that comes as 200",
    (o) => {
      o.http.home = { unknown: "challenge" }
    },
    true,
  ],
  ["a challenge told by header", answered({ "cf-mitigated": ["challenge"] }, 503), true],
  ["a page", () => {}, false],
  [
    "no visit",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
