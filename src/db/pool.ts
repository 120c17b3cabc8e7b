/**
 * `Database` and `AdminDatabase` over the driver's pool.
 *
 * Invariant: a connection that saw anything unexpected is thrown away, and what a transaction leaves
 * in its session is discarded, so that none carries a role, a tenant, an open transaction, a setting,
 * a held cursor or a prepared statement over to the next.
 */
import pg from "pg"
import { Problem } from "../core/problem.ts"
import type { Address, Credentials } from "./connection.ts"
import { CONNECT_TIMEOUT_MS, clientConfig, hostsOf, runStatement } from "./connection.ts"
import type { AdminDatabase, Database, Environment, Tx } from "./database.ts"
import { databaseProblem, isPassing, NotConnected } from "./errors.ts"
import type { Hosts } from "./hosts.ts"
import { refuseStandby, watchStandby } from "./hosts.ts"
import { isRefusedPassword, MAX_LOGIN_TRIES, Passwords } from "./passwords.ts"

/** Kept for service functions, one an environment: tenants' transactions cannot starve admission. */
const CALL_CONNECTIONS = 2
/** For service functions that wait for a lock. */
const ASIDE_CONNECTIONS = 2
const ADMIN_CONNECTIONS = 2
const IDLE_MS = 30_000
/** A peer that says nothing any more; longer than the role's statement_timeout (bootstrap.sql). */
const SILENCE_MS = 12_000
const ADMIN_SILENCE_MS = 40_000
/** Whoever waits for an answer of the API is told in time that there is none. */
const TENANT_SILENCE_MS = 3_000

const TENANT_ROLES = { live: "zt_tenant", test: "zt_sandbox" } as const satisfies Record<
  Environment,
  string
>

export interface PoolOptions {
  readonly address: Address
  readonly credentials: Credentials
  /** Told when the server cannot be reached, at every attempt. */
  readonly onUnreachable: () => void
}

/** @param size - Connections at most, 5 or more. */
export function openDatabase(options: PoolOptions, size: number): Database {
  const hosts = hostsOf(options.address)
  const calls = openPool(options, CALL_CONNECTIONS, { hosts })
  const aside = openPool(options, ASIDE_CONNECTIONS, { hosts, min: 1 }) // seen by `migrate --drop`
  const left = size - CALL_CONNECTIONS - ASIDE_CONNECTIONS
  const tenants = openPool(options, left, { hosts, silenceMs: TENANT_SILENCE_MS })
  const call =
    (pool: Pool) =>
    <Row extends object>(text: string, values?: readonly unknown[]) =>
      connected(pool, async (client) => {
        const { rows } = await runStatement<Row>(client, text, values)
        return rows
      })
  return {
    call: call(calls),
    callAside: call(aside),
    asTenant: (environment, tenantId, work) =>
      transaction(tenants, TENANT_ROLES[environment], tenantId, work),
    asHealth: (work) => transaction(tenants, "zt_health", "", work),
    async close() {
      await Promise.all([end(calls), end(aside), end(tenants)])
    },
  }
}

export function openAdminDatabase(options: PoolOptions): AdminDatabase {
  const hosts = hostsOf(options.address)
  const pool = openPool(options, ADMIN_CONNECTIONS, { hosts, silenceMs: ADMIN_SILENCE_MS })
  return {
    asOperator: (work) => transaction(pool, "zt_operator", "", work),
    asTenant: (tenantId, work) => transaction(pool, TENANT_ROLES.live, tenantId, work),
    close: () => end(pool),
  }
}

interface Pool {
  readonly pool: pg.Pool
  readonly passwords: Passwords
  readonly hosts: Hosts<Address>
  readonly onUnreachable: () => void
}

interface PoolSettings {
  /** Shared by pools of one database: what one finds out, all know. */
  readonly hosts: Hosts<Address>
  /** Connections that stay open when idle, once there were as many. */
  readonly min?: number
  readonly silenceMs?: number
}

function openPool(
  { credentials, onUnreachable }: PoolOptions,
  max: number,
  { hosts, min = 0, silenceMs = SILENCE_MS }: PoolSettings,
): Pool {
  const passwords = new Passwords(credentials)
  const several = hosts.count > 1
  class Client extends pg.Client {
    constructor() {
      const login = { ...credentials, password: passwords.current }
      super({
        ...clientConfig(hosts.current, login),
        ...hosts.settings,
        query_timeout: silenceMs,
      })
      if (several) watchStandby(this)
    }
  }
  const pool = new pg.Pool({
    Client,
    max,
    min,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: Math.min(silenceMs, CONNECT_TIMEOUT_MS),
    ...(several && { onConnect: refuseStandby }),
  })
  pool.on("error", () => {}) // an idle connection was lost: the next use opens another
  pool.on("connect", (client) => client.on("error", () => {})) // one in use: its statement fails
  return { pool, passwords, hosts, onUnreachable }
}

async function end({ pool }: Pool): Promise<void> {
  if (!pool.ending) await pool.end()
}

/** Lends a connection; one that is not known to be clean afterwards is closed. */
async function connected<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool)
  let clean = false
  try {
    const result = await work(client)
    clean = true
    return result
  } catch (error) {
    // An SQL error outside a transaction.
    clean = client.getTransactionStatus() === "I" && !isSilent(error)
    throw error
  } finally {
    client.release(!clean)
  }
}

async function connect({ pool, passwords, hosts, onUnreachable }: Pool): Promise<pg.PoolClient> {
  let refusals = 0
  let away = 0
  for (;;) {
    const password = passwords.current
    const host = hosts.current
    try {
      return await pool.connect()
    } catch (error) {
      const refused = isRefusedPassword(error) && ++refusals < MAX_LOGIN_TRIES
      if (refused && (await passwords.next(password))) continue
      hosts.next(host)
      if (++away < hosts.count) continue
      onUnreachable()
      const problem = databaseProblem(error)
      throw isPassing(problem) ? new NotConnected(error) : problem
    }
  }
}

/** The tenant is set first: the roles of customers may not call set_config. */
const TAKE_ROLE = "select set_config('zt.tenant', $1, true), set_config('role', $2, true)"

function transaction<T>(
  pool: Pool,
  role: string,
  tenantId: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return connected(pool, async (client) => {
    let open = true
    const tx: Tx = {
      async query<Row extends object>(text: string, values?: readonly unknown[]) {
        // A statement that work left behind would land in the next transaction of the connection.
        if (!open) throw new Error("the transaction is over")
        return (await runStatement<Row>(client, text, values)).rows
      },
    }
    try {
      await Promise.all([tx.query("begin"), tx.query(TAKE_ROLE, [tenantId, role])])
      const result = await work(tx)
      open = false
      // Where work swallowed an error, the server answers COMMIT with ROLLBACK, and no error.
      const [{ command }] = await Promise.all([runStatement(client, "commit"), discard(client)])
      if (command !== "COMMIT") throw new Error("the transaction had failed and was rolled back")
      return result
    } catch (error) {
      open = false
      if (isSilent(error)) await client.end() // what follows would wait as long
      // Where either fails, the connection is lost.
      await Promise.all([runStatement(client, "rollback").catch(() => {}), discard(client)])
      throw error
    }
  })
}

/** A statement got no answer in its time; the driver says it in words alone. */
function isSilent(error: unknown): boolean {
  const cause = error instanceof Problem ? error.cause : error
  return cause instanceof Error && cause.message === "Query read timeout"
}

/** Sent along with the end of the transaction, so it costs no round trip. */
async function discard(client: pg.PoolClient): Promise<void> {
  await runStatement(client, "discard all").catch(() => client.end()) // not to be lent again
}
