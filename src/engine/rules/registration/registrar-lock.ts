import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { registrationOf } from "../registry.ts"

/** Is the domain locked against transfers (RFC 8056)? */
export const registrarLock: Rule = {
  code: "registrar_lock",
  category: "registration",
  says: { true: "Is locked against transfers", false: "Is not locked against transfers" },
  judge: (observation) =>
    whenKnown(registrationOf(observation), ({ statuses }) => {
      if (statuses.length === 0) return unknown("not_offered")
      const lock = statuses.find((status) => /^(client|server) transfer prohibited$/.test(status))
      return found(lock !== undefined, lock)
    }),
}
