import type { Case } from "../../../../test/observation.ts"
import { answered, judges } from "../../../../test/observation.ts"
import { frameProtection } from "./frame-protection.ts"

const ancestors = (sources: string) =>
  answered({ "content-security-policy": [`default-src 'self'; frame-ancestors ${sources}`] })

judges(frameProtection, [
  ["frame-ancestors", () => {}, true, "frame-ancestors 'none'"],
  ["a list of hosts", ancestors("'self' https://*.partner.example"), true],
  ["an empty list is 'none'", answered({ "content-security-policy": ["frame-ancestors"] }), true],
  ...["*", "'self' *", "https:", "HTTP:", "https://*", "*:*"].map(
    (sources): Case => [
      `anyone may be an ancestor: ${sources}`,
      ancestors(sources),
      false,
      `frame-ancestors ${sources}`,
    ],
  ),
  [
    "of two policies both hold",
    answered({ "content-security-policy": ["frame-ancestors *, frame-ancestors 'self'"] }),
    true,
    "frame-ancestors 'self'",
  ],
  [
    "a repeated directive is ignored",
    answered({ "content-security-policy": ["frame-ancestors *; frame-ancestors 'none'"] }),
    false,
  ],
  [
    "frame-ancestors overrules X-Frame-Options",
    answered({
      "content-security-policy": ["frame-ancestors *"],
      "x-frame-options": ["DENY"],
    }),
    false,
  ],
  ["X-Frame-Options", answered({ "x-frame-options": ["SAMEORIGIN"] }), true, "SAMEORIGIN"],
  ["a value that browsers ignore", answered({ "x-frame-options": ["ALLOWALL"] }), false],
  ["neither", answered({ "content-security-policy": ["default-src 'self'"] }), false],
  ["a gatekeeper's", answered({ "x-frame-options": ["DENY"] }, 429), "challenge"],
])
