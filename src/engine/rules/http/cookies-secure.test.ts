import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { cookiesSecure } from "./cookies-secure.ts"

judges(cookiesSecure, [
  ["no cookies", () => {}, true],
  ["a secure one", answered({ "set-cookie": ["a=1; Path=/; Secure; HttpOnly"] }), true],
  [
    "one of two in clear, told without its value",
    answered({ "set-cookie": ["a=1; Secure", "sid=hush; HttpOnly"] }),
    false,
    "sid",
  ],
  [
    "a target that did not answer may set one",
    brokenOff("/slow", "unreachable", "timeout"),
    "timeout",
  ],
  [
    "one in clear, and a target that did not answer",
    (o) => {
      brokenOff("/slow", "unreachable", "timeout")(o)
      const [first] = "value" in o.http.secure ? o.http.secure.value.hops : []
      if (first !== undefined) first.headers["set-cookie"] = ["sid=hush"]
    },
    false,
    "sid",
  ],
  ["none from a gatekeeper", answered({}, 403), "challenge"],
  ["the word in a value does not count", answered({ "set-cookie": ["a=secure"] }), false],
  [
    "no visit",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
