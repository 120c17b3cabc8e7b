/**
 * What the house asks of its database: service functions, tenants' and operators' transactions.
 *
 * Owns: the contract. Not: connecting (pool.ts), the server (server.ts, embedded.ts).
 * Invariant: a tenant's transaction has its tenant set before its role is taken, and both end
 * with the transaction.
 */

/** Whose kind of key asks, and so which schema a customer's path reaches. */
export type Environment = "live" | "test"

/** The schema of each environment. */
export const SCHEMAS = { live: "live", test: "sandbox" } as const satisfies Record<
  Environment,
  string
>

/** An open transaction. Values go by the extended protocol, never into the text. */
export interface Tx {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/**
 * The API's way in, as `zt_runtime`. Every method throws Problem `UNAVAILABLE` without its server:
 * `NotConnected` (errors.ts) where nothing was sent.
 */
export interface Database {
  /** One autocommitted statement as zt_runtime itself: service functions only. */
  call<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** The same on other connections, for what may wait long: it stops nobody who calls. */
  callAside<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** One transaction as zt_tenant (live) or zt_sandbox (test). Rolled back when `work` rejects. */
  asTenant<T>(environment: Environment, tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** One transaction as zt_health: aggregates of all tenants, and no tenant's rows. */
  asHealth<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The commands' and the dashboard's way in, as `zt_admin`. */
export interface AdminDatabase {
  /** One transaction as zt_operator. Rolled back when `work` rejects. */
  asOperator<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** One transaction as zt_tenant, which sees that tenant's rows alone. Rolled back likewise. */
  asTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}
