import { answered, judges } from "../../../../test/observation.ts"
import { serverError } from "./server-error.ts"

judges(serverError, [
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
