/**
 * What the live catalog says of roles, privileges and row security, as plain data.
 *
 * Owns: reading, in one snapshot, the same on PostgreSQL 15 and 18. Not: what is right
 * (docs/privileges.md, service-paths.ts). Any role may read the catalog, so any can run it.
 * Invariant: names are qualified, lists are sorted, nothing depends on a deployment's names.
 */
import type pg from "pg"
import { runStatement } from "../db/connection.ts"
import {
  DATABASE,
  DEFAULTS,
  DEVIATIONS,
  OTHERS,
  OUTSIDERS,
  PUBLIC_BUILTINS,
  ROLES,
  ROUTINES,
  SCHEMAS,
  TABLES,
} from "./catalog-queries.ts"

export interface Grant {
  /** A role, or `PUBLIC`. */
  readonly role: string
  /** In lower case; ends with a star where it can be passed on. */
  readonly privilege: string
}

export interface ColumnGrant extends Grant {
  readonly column: string
}

export interface Role {
  readonly name: string
  readonly login: boolean
  readonly inherits: boolean
  /** What sets it apart: superuser, makes roles, … */
  readonly powers: readonly string[]
  readonly settings: readonly string[]
  /** How it can be had of others: roles, each with how. */
  readonly memberships: readonly Membership[]
}

export interface Membership {
  readonly role: string
  readonly set: boolean
  readonly inherit: boolean
  readonly admin: boolean
}

/** A role that is not of the deployment, and reaches into it. */
export interface Outsider {
  readonly name: string
  readonly reach: string
  /** It made the roles, being no superuser; what it has comes with that on PostgreSQL 16 and later. */
  readonly isAdministrator: boolean
}

export interface Schema {
  readonly name: string
  readonly owner: string
  readonly grants: readonly Grant[]
  readonly ownerLacks: readonly string[]
}

export interface Policy {
  readonly name: string
  readonly command: string
  readonly permissive: boolean
  readonly roles: readonly string[]
  readonly using: string | null
  readonly check: string | null
}

export interface Table extends Schema {
  readonly kind: "table" | "view" | "materialized view" | "foreign table" | "sequence"
  /** The table that it is a partition of; partitions come and go. */
  readonly partitionOf: string | null
  readonly rowSecurity: boolean
  readonly forced: boolean
  readonly columns: readonly string[]
  readonly columnGrants: readonly ColumnGrant[]
  readonly policies: readonly Policy[]
  /** Constraints, triggers, rules, options and a view's definition. */
  readonly extras: readonly string[]
  /** By effect, inherited and PUBLIC's too: a letter a privilege, small where for some columns only. */
  readonly reach: Readonly<Record<string, string>>
}

export interface Routine extends Schema {
  readonly definer: boolean
  readonly settings: readonly string[]
  /** Names in its body were looked up when it was made, not at each call. */
  readonly isParsed: boolean
  /** Roles of the deployment that may execute it, by effect. */
  readonly callers: readonly string[]
  /** The first digits of its definition's SHA-256: volatility, arguments and cost are in it as well. */
  readonly digest: string
}

/** A built-in object whose privileges are not what they are in a new database. */
export interface Deviation {
  readonly kind: "function" | "relation"
  readonly object: string
  /** Without schema and arguments. */
  readonly name: string
  readonly role: string
  readonly privilege: string
  readonly has: boolean
}

export interface Catalog {
  readonly roles: readonly Role[]
  readonly outsiders: readonly Outsider[]
  readonly schemas: readonly Schema[]
  readonly tables: readonly Table[]
  readonly routines: readonly Routine[]
  readonly database: {
    readonly grants: readonly Grant[]
    readonly settings: readonly string[]
    /** If not, something cannot be taken from PUBLIC (bootstrap.ts). */
    readonly ownerIsSuperuser: boolean
  }
  readonly defaults: readonly string[]
  readonly deviations: readonly Deviation[]
  /** Built-in functions and views that PUBLIC may use: kind and name. */
  readonly publicBuiltins: readonly { readonly kind: string; readonly name: string }[]
  readonly others: readonly string[]
}

/** @throws Problem `UNAVAILABLE` */
export async function readCatalog(client: pg.ClientBase): Promise<Catalog> {
  await client.query("begin isolation level repeatable read read only")
  try {
    return await readWithin(client)
  } finally {
    await client.query("rollback")
  }
}

/** Reads in the caller's transaction, and so also what that has changed. */
export async function readWithin(client: pg.ClientBase): Promise<Catalog> {
  await client.query("set local search_path = pg_catalog")
  const rows = async <T>(sql: string) =>
    (await runStatement<{ row: T }>(client, sql)).rows.map(({ row }) => row)
  const [database = { grants: [], settings: [], ownerIsSuperuser: false }] =
    await rows<Catalog["database"]>(DATABASE)
  return {
    roles: await rows<Role>(ROLES),
    outsiders: await rows<Outsider>(OUTSIDERS),
    schemas: await rows<Schema>(SCHEMAS),
    tables: await rows<Table>(TABLES),
    routines: await rows<Routine>(ROUTINES),
    database,
    defaults: await rows<string>(DEFAULTS),
    deviations: await rows<Deviation>(DEVIATIONS),
    publicBuiltins: await rows<Catalog["publicBuiltins"][number]>(PUBLIC_BUILTINS),
    others: await rows<string>(OTHERS),
  }
}
