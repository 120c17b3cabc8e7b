import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { serverError } from "./server-error.ts"

judges(serverError, [
  [
    "a visit without an exchange",
    (o) => {
      o.http.secure = { value: { hops: [] } }
    },
    "malformed",
  ],
  [
    "a loop",
    (o) => {
      if ("value" in o.http.secure) o.http.secure.value.stopped = "redirect_loop"
    },
    "malformed",
  ],
  [
    "a step that the guard forbade",
    (o) => {
      if ("value" in o.http.secure) o.http.secure.value.stopped = "blocked"
    },
    "blocked",
  ],
  ["a target that did not answer", brokenOff("/slow", "unreachable", "timeout"), "timeout"],
  ["a status outside HTTP's own", answered({}, 999), "malformed"],
  ["599", answered({}, 599), true],
  ["500", answered({}, 500), true, "status 500"],
  ["200", () => {}, false, "status 200"],
  ["404 is not the server's error", answered({}, 404), false],
  ["a challenge that comes as 503", answered({ "cf-mitigated": ["challenge"] }, 503), "challenge"],
  [
    "no visit",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "refused" }, { unknown: "refused" }]
    },
    "refused",
  ],
])
