/**
 * Reads the addresses in `ZT_DATABASE_URL` and `ZT_ADMIN_DATABASE_URL`.
 *
 * Several hosts are written as libpq does, `postgresql://one:5432,two:5432/zt`: of those, the one that
 * takes writes is used (hosts.ts). The driver knows of one host, so it is given one address each.
 */
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
  const { urls, database, user, password } = read("ZT_DATABASE_URL", text)
  if (user !== undefined || password !== undefined) {
    throw invalid(
      "ZT_DATABASE_URL",
      "holds a user or a password; leave them out: the program logs in as its own roles, whose passwords lie in the data folder",
    )
  }
  if (database === undefined) throw invalid("ZT_DATABASE_URL", "names no database: add /NAME")
  return { address: addresses(urls), database }
}

/**
 * @param text - `ZT_ADMIN_DATABASE_URL`: an administrator's user and password.
 * @throws Problem `INVALID_SETTING`
 */
export function readAdministratorUrl(text: string): Administrator {
  const { urls, database, user, password } = read("ZT_ADMIN_DATABASE_URL", text)
  if (user === undefined) throw invalid("ZT_ADMIN_DATABASE_URL", "names no user")
  return {
    address: addresses(urls),
    database: database ?? "postgres",
    credentials: { user, password: password ?? "" },
  }
}

function read(name: string, text: string) {
  const urls = hostsIn(name, text).map((one) => {
    try {
      return new URL(one)
    } catch (cause) {
      throw invalid(name, "is not a postgresql:// address", cause)
    }
  })
  const [url = new URL(text)] = urls
  const take = (parameter: string, part: string) => {
    const value = url.searchParams.get(parameter) ?? decode(name, part)
    for (const { searchParams } of urls) searchParams.delete(parameter)
    return value === "" ? undefined : value
  }
  const user = take("user", url.username)
  const password = take("password", url.password)
  const wanted = take("target_session_attrs", "")
  if (wanted !== undefined && !/^(read-write|primary)$/.test(wanted)) {
    throw invalid(
      name,
      "asks for target_session_attrs other than read-write, and the program has to write",
    )
  }
  const database = decode(name, url.pathname.slice(1)) || undefined
  for (const one of urls) {
    if (one.host === "") continue
    one.username = ""
    one.password = ""
  }
  return { urls, database, user, password }
}

/** @returns The address once for each of its hosts. */
function hostsIn(name: string, text: string): string[] {
  const parts = /^([^:]+:\/\/(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)([/?#].*)?$/s.exec(text)
  if (parts === null) return [text]
  const [, start = "", hosts = "", rest = ""] = parts
  return hosts.split(",").map((host) => {
    if (host === "") throw invalid(name, "has a comma without a host beside it")
    return `${start}${host}${rest}`
  })
}

function decode(name: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw invalid(name, "holds a % that encodes nothing: write it as %25", cause)
  }
}

function addresses(urls: readonly URL[]): (database: string) => Address {
  return (database) => {
    const [url = "", ...others] = urls.map((one) => {
      const there = new URL(one)
      there.pathname = `/${encodeURIComponent(database)}`
      return there.href
    })
    return others.length === 0 ? { url } : { url, others }
  }
}

function invalid(name: string, what: string, cause?: unknown): Problem {
  return new Problem("INVALID_SETTING", { message: `${name} ${what}`, cause })
}
