/** Reads the addresses in `ZT_DATABASE_URL` and `ZT_ADMIN_DATABASE_URL`. */
import { Problem } from "../core/problem.ts"
import type { Address, Credentials } from "./connection.ts"

export interface OwnServer {
  readonly address: (database: string) => Address
  readonly database: string
}

export interface Administrator extends OwnServer {
  readonly credentials: Credentials
}

/**
 * @param text - `ZT_DATABASE_URL`: host and database, no user.
 * @throws Problem `INVALID_SETTING`
 */
export function readDatabaseUrl(text: string): OwnServer {
  const { url, database, user, password } = read("ZT_DATABASE_URL", text)
  if (user !== undefined || password !== undefined) {
    throw invalid(
      "ZT_DATABASE_URL",
      "holds a user or a password; leave them out: the program logs in as its own roles, whose passwords lie in the data folder",
    )
  }
  if (database === undefined) throw invalid("ZT_DATABASE_URL", "names no database: add /NAME")
  return { address: addresses(url), database }
}

/**
 * @param text - `ZT_ADMIN_DATABASE_URL`: an administrator's user and password.
 * @throws Problem `INVALID_SETTING`
 */
export function readAdministratorUrl(text: string): Administrator {
  const { url, database, user, password } = read("ZT_ADMIN_DATABASE_URL", text)
  if (user === undefined) throw invalid("ZT_ADMIN_DATABASE_URL", "names no user")
  return {
    address: addresses(url),
    database: database ?? "postgres",
    credentials: { user, password: password ?? "" },
  }
}

function read(name: string, text: string) {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw invalid(name, "is not a postgresql:// address", cause)
  }
  const take = (parameter: string, part: string) => {
    const value = url.searchParams.get(parameter) ?? decode(name, part)
    url.searchParams.delete(parameter)
    return value === "" ? undefined : value
  }
  const user = take("user", url.username)
  const password = take("password", url.password)
  const database = decode(name, url.pathname.slice(1)) || undefined
  if (url.host !== "") {
    url.username = ""
    url.password = ""
  }
  return { url, database, user, password }
}

function decode(name: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw invalid(name, "holds a % that encodes nothing: write it as %25", cause)
  }
}

function addresses(url: URL): (database: string) => Address {
  return (database) => {
    const there = new URL(url)
    there.pathname = `/${encodeURIComponent(database)}`
    return { url: there.href }
  }
}

function invalid(name: string, what: string, cause?: unknown): Problem {
  return new Problem("INVALID_SETTING", { message: `${name} ${what}`, cause })
}
