/** What each metered route costs and needs, as admission takes it. */
import { SCOPES } from "../keys/scopes.ts"
import type { Route } from "../usage/report.ts"
import { ROUTES } from "../usage/report.ts"

interface Metering {
  /** Its number in usage rows. */
  readonly route: number
  /** Units that an answer below 400 costs. */
  readonly cost: number
  /** Bits of the scopes that a key must have; 0: any key will do. */
  readonly scope: number
}

/** Of a route that manages keys: it costs nothing. */
const managing = (route: Route): Metering => ({
  route: ROUTES[route],
  cost: 0,
  scope: SCOPES["keys:write"],
})

export const METERING: Readonly<Record<Route, Metering>> = {
  "GET /v1/analyze": { route: ROUTES["GET /v1/analyze"], cost: 1, scope: SCOPES.analyze },
  "GET /v1/usage": { route: ROUTES["GET /v1/usage"], cost: 0, scope: SCOPES["usage:read"] },
  "GET /v1/events": { route: ROUTES["GET /v1/events"], cost: 0, scope: SCOPES["usage:read"] },
  "GET /v1/keys/me": { route: ROUTES["GET /v1/keys/me"], cost: 0, scope: 0 },
  "GET /v1/keys": managing("GET /v1/keys"),
  "POST /v1/keys": managing("POST /v1/keys"),
  "GET /v1/keys/{id}": managing("GET /v1/keys/{id}"),
  "PATCH /v1/keys/{id}": managing("PATCH /v1/keys/{id}"),
  "POST /v1/keys/{id}/rotate": managing("POST /v1/keys/{id}/rotate"),
  "POST /v1/keys/{id}/disable": managing("POST /v1/keys/{id}/disable"),
  "POST /v1/keys/{id}/enable": managing("POST /v1/keys/{id}/enable"),
  "POST /v1/keys/{id}/revoke": managing("POST /v1/keys/{id}/revoke"),
}
