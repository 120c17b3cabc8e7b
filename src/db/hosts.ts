/**
 * Which of a database's hosts is logged in to: the one that takes writes.
 *
 * Owns: the choice among several. Not: who is promoted, and when; that is the operator's, or a tool's.
 * Invariant: of several hosts, none that is a standby at login is used. A host that says nothing costs
 * a second, so that a standby that was promoted is found within two.
 */

import type pg from "pg"
import type { ClientConfig } from "pg"

/** Of each host, where there are others to ask. */
const HOST_TIMEOUT_MS = 1_000

export class Hosts<Host> {
  readonly #all: readonly [Host, ...Host[]]
  #current: Host

  constructor(all: readonly [Host, ...Host[]]) {
    this.#all = all
    this.#current = all[0]
  }

  get count(): number {
    return this.#all.length
  }

  get current(): Host {
    return this.#current
  }

  /** Of the driver. */
  get settings(): ClientConfig {
    return this.count === 1 ? {} : { connectionTimeoutMillis: HOST_TIMEOUT_MS }
  }

  /** After a login that failed. @param tried - The host that was current when it began. */
  next(tried: Host): void {
    if (tried !== this.#current) return // another login failed, and went on
    this.#current = this.#all[(this.#all.indexOf(tried) + 1) % this.count] ?? tried
  }
}

const standbys = new WeakSet<pg.ClientBase>()

/** Listens to what a server says of itself while it is logged in to (PostgreSQL, "ParameterStatus"). */
export function watchStandby(client: pg.Client): void {
  client.connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
    if (parameterName === "in_hot_standby" && parameterValue === "on") standbys.add(client)
  })
}

/** @throws Error that passes, as of a server that is starting up, where a standby was logged in to. */
export function refuseStandby(client: pg.ClientBase): void {
  if (!standbys.has(client)) return
  throw Object.assign(new Error("the server is a standby, which takes no writes"), {
    code: "57P03", // cannot_connect_now
  })
}
