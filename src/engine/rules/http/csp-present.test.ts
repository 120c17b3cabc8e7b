import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { cspPresent } from "./csp-present.ts"

judges(cspPresent, [
  ["a policy", () => {}, true, "default-src 'self'; frame-ancestors 'none'"],
  ["an empty one", answered({ "content-security-policy": [" ; "] }), false],
  [
    "one that only reports",
    answered({ "content-security-policy-report-only": ["default-src 'self'"] }),
    false,
  ],
  ["none", answered({}), false],
  [
    "a gatekeeper's",
    answered({ "content-security-policy": ["default-src 'none'"] }, 403),
    "challenge",
  ],
  ["a redirect into silence", brokenOff("/slow", "unreachable", "deadline"), "deadline"],
  ["a status outside HTTP's own", answered({}, 999), "malformed"],
  [
    "no answer",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
