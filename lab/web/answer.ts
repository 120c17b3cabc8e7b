/**
 * How a port answers: not at all, wrongly, or with HTTP. Owns the shapes only; `respond.ts` and
 * `hostile.ts` make them, `listen.ts` serves them.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"

/** The shared parts that a running character sees. */
export interface Stage {
  /** Port of the trap on 127.0.0.1: nobody must ever connect there. */
  readonly trapPort: number
  /** When the lab started. */
  readonly now: Date
}

export type Respond = (request: IncomingMessage, response: ServerResponse, stage: Stage) => void

export type Answer =
  | { readonly kind: "refused" }
  | { readonly kind: "closes" } // accepts, then ends the connection
  | { readonly kind: "resets" } // accepts, then resets it
  | { readonly kind: "silent" } // accepts, then says nothing, not even in TLS
  | { readonly kind: "http"; readonly respond: Respond }
  | { readonly kind: "raw"; readonly talk: (stream: Duplex) => void } // called after the request's first bytes

export const refused: Answer = { kind: "refused" }
export const closes: Answer = { kind: "closes" }
export const resets: Answer = { kind: "resets" }
export const silent: Answer = { kind: "silent" }
