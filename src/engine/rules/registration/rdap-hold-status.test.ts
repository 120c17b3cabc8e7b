import { judges, onPlatform, registration } from "../../../../test/observation.ts"
import { rdapHoldStatus } from "./rdap-hold-status.ts"

const statuses = (...values: string[]) =>
  registration((r) => {
    r.statuses = values
  })

judges(rdapHoldStatus, [
  ["held by the registry", statuses("active", "server hold"), true, "server hold"],
  ["held by the registrar", statuses("client hold"), true],
  ["about to be deleted", statuses("pending delete"), true],
  ["locked is not held", () => {}, false],
  ["the platform's", onPlatform, "platform"],
])
