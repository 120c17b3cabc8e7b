import { judges, registration } from "../../../../test/observation.ts"
import { registrarLock } from "./registrar-lock.ts"

const statuses = (...values: string[]) =>
  registration((r) => {
    r.statuses = values
  })

judges(registrarLock, [
  ["by the registrar", () => {}, true, "client transfer prohibited"],
  ["by the registry", statuses("server transfer prohibited"), true],
  ["against other things", statuses("client update prohibited"), false],
  ["a server that tells no status", statuses(), "not_offered"],
  [
    "silence",
    (o) => {
      o.registration = { unknown: "timeout" }
    },
    "timeout",
  ],
])
