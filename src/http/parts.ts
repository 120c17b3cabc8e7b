/** What the routes are made from; main.ts puts it together. */
import type { Admission } from "../admission/admission.ts"
import type { Analyst } from "../analyses/analyst.ts"
import type { Database, Environment } from "../db/database.ts"
import type { Attestor } from "../engine/attestation.ts"
import type { Health } from "./health.ts"

export interface Parts {
  readonly database: Database
  readonly admissions: Readonly<Record<Environment, Admission>>
  readonly analyst: Analyst
  readonly attestor: Attestor
  readonly health: Health
  /** Version of the program. */
  readonly version: string
  /** `https://host:port`, where this deployment is reached. */
  readonly origin: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** For what no caller may see. */
  readonly log: (requestId: string, error: unknown) => void
}

/** What Hono carries along with a request. */
export interface AppEnv {
  Variables: { requestUuid: string }
  Bindings: { requestUuid: string }
}
