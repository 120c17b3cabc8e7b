/** What each metered route costs and needs, as admission takes it. */
import { SCOPES } from "../keys/scopes.ts"
import type { Route } from "../usage/report.ts"
import { ROUTES } from "../usage/report.ts"

interface Metering {
  /** Its number in usage rows. */
  readonly route: number
  /** Units that an answer below 400 costs. */
  readonly cost: number
  /** Bits of the scopes that a key must have. */
  readonly scope: number
}

export const METERING: Readonly<Record<Route, Metering>> = {
  "GET /v1/analyze": { route: ROUTES["GET /v1/analyze"], cost: 1, scope: SCOPES.analyze },
  "GET /v1/usage": { route: ROUTES["GET /v1/usage"], cost: 0, scope: SCOPES["usage:read"] },
}
