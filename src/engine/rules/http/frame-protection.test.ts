import { answered, judges } from "../../../../test/observation.ts"
import { frameProtection } from "./frame-protection.ts"

judges(frameProtection, [
  ["frame-ancestors", () => {}, true],
  ["X-Frame-Options", answered({ "x-frame-options": ["SAMEORIGIN"] }), true, "SAMEORIGIN"],
  ["a value that browsers ignore", answered({ "x-frame-options": ["ALLOWALL"] }), false],
  ["neither", answered({ "content-security-policy": ["default-src 'self'"] }), false],
  ["a gatekeeper's", answered({ "x-frame-options": ["DENY"] }, 429), "challenge"],
])
