/** What the routes are made from; main.ts puts it together. */
import type { HttpBindings } from "@hono/node-server"
import type { Admission } from "../admission/admission.ts"
import type { Limits } from "../admission/batch.ts"
import type { KnownKeys } from "../admission/known-keys.ts"
import type { Analyst } from "../analyses/analyst.ts"
import type { Id } from "../core/ids.ts"
import type { Problem } from "../core/problem.ts"
import type { Database, Environment } from "../db/database.ts"
import type { Attestor } from "../engine/attestation.ts"
import type { LeakPartners } from "../events/leak-partners.ts"
import type { Handshakes } from "../floods/handshakes.ts"
import type { Strangers } from "../floods/strangers.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Networks } from "../usage/abuse/networks.ts"
import type { Health } from "./health.ts"
import type { Metrics } from "./metrics.ts"

export interface Parts {
  readonly database: Database
  /** What tenants' names are sealed with. */
  readonly keyring: Keyring
  readonly admissions: Readonly<Record<Environment, Admission>>
  readonly knownKeys: Readonly<Record<Environment, KnownKeys>>
  readonly strangers: Strangers
  readonly handshakes: Pick<Handshakes, "welcome">
  /** Told by what connection a key is used; see usage/abuse. */
  readonly networks: Readonly<Record<Environment, Pick<Networks, "see">>>
  readonly analyst: Analyst
  readonly attestor: Attestor
  readonly health: Health
  readonly metrics: Metrics
  readonly keyRequests: KeyRequests
  /** Who may report leaked keys. */
  readonly leakPartners: Pick<LeakPartners, "find">
  /** Version of the program. */
  readonly version: string
  /** `https://host:port`, where this deployment is reached. */
  readonly origin: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told of each Problem of 500 and above: its cause is for the log alone. */
  readonly log: (requestId: Id<"req">, problem: Problem) => void
}

/** How people without a key get one. */
export interface KeyRequests {
  /** Requests that may wait for an answer; 0: nobody can ask. */
  readonly most: number
  /** Requests of one address a day, on this instance. */
  readonly perDay: number
  /** Links can go out by mail, so that plans of self-service need no operator. */
  readonly canMail: boolean
  /** Tells who mails links that one may be due. */
  readonly kick: () => void
}

/** What Hono carries along with a request. */
export interface AppEnv {
  Bindings: Partial<HttpBindings>
  Variables: { requestUuid: string; limits: Limits | undefined }
}
