/**
 * Where a database is, who logs in to it, and how a statement is sent.
 *
 * Invariant: no start-up parameter, no named statement, nothing that outlives a transaction, so
 * that a pooler in transaction mode (pgbouncer) may stand in between.
 */
import type { ClientConfig } from "pg"
import pg from "pg"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import type { SecretName, SecretStore } from "../secrets/store.ts"
import { DISK_FULL, databaseProblem, isPassing, SET_UP, sqlState } from "./errors.ts"
import { Hosts, refuseStandby, watchStandby } from "./hosts.ts"
import type { PasswordChoice } from "./passwords.ts"
import { isRefusedPassword, MAX_LOGIN_TRIES, Passwords } from "./passwords.ts"

/** The roles that can log in; the table of all roles is in bootstrap.sql. */
export const LOGINS = ["zt_migrate", "zt_runtime", "zt_admin", "zt_backup"] as const
export type Login = (typeof LOGINS)[number]

/**
 * @returns How a role logs in.
 * @throws Problem `DATABASE` where the data folder has no password for it.
 */
export async function credentials(secrets: SecretStore, role: Login): Promise<Credentials> {
  const password = await secrets.get(`${role}-password`)
  if (password === undefined) {
    throw new Problem("DATABASE", {
      message: `This data folder has no password for ${role}: the database was not set up from here. ${SET_UP}`,
    })
  }
  return storedCredentials(secrets, role, `${role}-password`, password)
}

/** @returns A login that knows of the secret's other generations as well. */
export function storedCredentials(
  secrets: SecretStore,
  user: string,
  name: SecretName,
  password: string,
): Credentials {
  const passwords = async () => (await secrets.generations(name)).map(({ value }) => value)
  return { user, password, passwords }
}

/** Where a database is, without a user. */
export type Address =
  | { readonly socketFolder: string; readonly database: string }
  /** `others`: the same database on further hosts, of which one takes writes (hosts.ts). */
  | { readonly url: string; readonly others?: readonly string[] }

export interface Credentials extends PasswordChoice {
  readonly user: string
}

export const CONNECT_TIMEOUT_MS = 5_000
/** A server that vanished without a word is noticed by probes, of which the tenth that fails ends the connection. */
const KEEP_ALIVE_MS = 1_000

/** @returns What the driver needs to log in; of several hosts, to the first. */
export function clientConfig(address: Address, { user, password }: Credentials): ClientConfig {
  const common = {
    pipeline: true, // BEGIN and the taking of a role cost one round trip
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS, // and one a second from then on (libuv)
  }
  if ("url" in address) {
    const url = new URL(address.url)
    url.searchParams.set("user", user)
    url.searchParams.set("password", password)
    return { ...common, connectionString: url.href }
  }
  const { socketFolder, database } = address
  return { ...common, host: socketFolder, port: 5432, database, user, password, ssl: false }
}

/** @returns Host, port and database, never a user or a password. */
export function placeOf(address: Address): string {
  if ("socketFolder" in address) return "the embedded server"
  const hosts = [address.url, ...(address.others ?? [])].map((url) => {
    const { hostname, port, searchParams } = new URL(url)
    const host = searchParams.get("host") ?? (hostname || "localhost")
    return `${host}:${searchParams.get("port") ?? (port || "5432")}`
  })
  return `${hosts}${decodeURIComponent(new URL(address.url).pathname)}`
}

/** @returns Each of its hosts by itself. */
export function hostsOf(address: Address): Hosts<Address> {
  const others = "url" in address ? (address.others ?? []) : []
  const first = "url" in address ? { url: address.url } : address
  return new Hosts<Address>([first, ...others.map((url) => ({ url }))])
}

/** For a command, which waits for no better moment: says what does not answer, and what to do. */
function unavailable(problem: Problem, address: Address): Problem {
  const { cause } = problem
  const place = placeOf(address)
  const code = codeOf(cause)
  const said = sqlState(cause) === undefined && code !== undefined ? code : messageOf(cause)
  const embedded = "socketFolder" in address
  const remedy = embedded
    ? "Try again; the log in the data folder (postgres/log) says why."
    : "Is it running, and is its address in ZT_DATABASE_URL (for --bootstrap: ZT_ADMIN_DATABASE_URL) right?"
  const message =
    code === DISK_FULL
      ? `The disk of the database (${place}) is full: free some space, then try again. What is committed is safe.`
      : `The database (${place}) does not answer (${said}). ${remedy}`
  return new Problem("UNAVAILABLE", { message, cause, retryAfterSeconds: 1 })
}

/**
 * Logs in for one piece of work outside a pool.
 * @throws what {@link databaseProblem} makes; `UNAVAILABLE` names the server.
 */
export async function withClient<T>(
  address: Address,
  credentials: Credentials,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  let client: pg.Client | undefined
  try {
    client = await logIn(address, credentials)
    return await work(client)
  } catch (error) {
    const problem = databaseProblem(error)
    throw isPassing(problem) ? unavailable(problem, address) : problem
  } finally {
    await client?.end().catch(() => {})
  }
}

/**
 * Logs in, with whichever of the passwords is right, on the host that takes writes.
 * @param more - Of the driver's settings.
 */
export async function logIn(
  address: Address,
  credentials: Credentials,
  more: ClientConfig = {},
): Promise<pg.Client> {
  const hosts = hostsOf(address)
  for (let tries = 1; ; tries += 1) {
    const host = hosts.current
    try {
      return await logInThere(host, credentials, { ...hosts.settings, ...more }, hosts.count > 1)
    } catch (error) {
      hosts.next(host)
      if (tries >= hosts.count) throw error
    }
  }
}

async function logInThere(
  address: Address,
  credentials: Credentials,
  more: ClientConfig,
  writable: boolean,
): Promise<pg.Client> {
  const passwords = new Passwords(credentials)
  for (let tries = 1; ; tries += 1) {
    const password = passwords.current
    const client = new pg.Client({
      ...clientConfig(address, { ...credentials, password }),
      ...more,
    })
    client.on("error", () => {}) // a lost connection fails the query under way as well
    watchStandby(client)
    try {
      await client.connect()
      if (writable) refuseStandby(client)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      const again = isRefusedPassword(error) && tries < MAX_LOGIN_TRIES
      if (!again || !(await passwords.next(password))) throw error
    }
  }
}

/** Runs one statement by the extended protocol. @throws what {@link databaseProblem} makes. */
export async function runStatement<Row extends object>(
  client: pg.ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const query: pg.QueryConfig & { queryMode: "extended" } = {
    text,
    values: [...values],
    queryMode: "extended", // the driver's types do not know it
  }
  try {
    return await client.query<Row>(query)
  } catch (error) {
    throw databaseProblem(error)
  }
}
