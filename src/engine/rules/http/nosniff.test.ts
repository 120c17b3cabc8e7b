import { answered, judges } from "../../../../test/observation.ts"
import { nosniff } from "./nosniff.ts"

judges(nosniff, [
  ["the only value there is", answered({ "x-content-type-options": ["NoSniff"] }), true],
  ["another value", answered({ "x-content-type-options": ["sniff"] }), false],
  ["none", answered({}), false],
  ["an error's", answered({ "x-content-type-options": ["nosniff"] }, 500), "server_error"],
])
