import { answered, judges } from "../../../../test/observation.ts"
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
  ["the word in a value does not count", answered({ "set-cookie": ["a=secure"] }), false],
  [
    "no visit",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
