/** pgbouncer in transaction mode before a test database, on a Unix socket. */
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { startProgram } from "../../src/db/embedded/programs.ts"
import type { TestDatabase } from "../postgres.ts"

const PGBOUNCER = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find(
  (path) => spawnSync(path, ["--version"]).status === 0,
)

/** false, or why not, which is also said on standard error. */
export const missing: string | false =
  PGBOUNCER === undefined &&
  "pgbouncer is not installed, so nothing was tried behind it (Debian: apt install pgbouncer)"
if (missing) console.error(missing)

export interface Pooler {
  /** For `ZT_DATABASE_URL`. */
  readonly url: string
  close(): Promise<void>
}

export interface PoolerOptions {
  /** How it knows passwords: from a file of SCRAM verifiers, or by asking the server. */
  readonly auth: "file" | "query"
  /** Connections to the server. */
  readonly size: number
  /** Whether a session is cleaned after each transaction, as docs/configuration.md asks. */
  readonly cleans?: boolean
}

/** Where the pooler's own login may ask for anybody's verifier, and nobody else may. */
const AUTH_QUERY = `
  do $$ begin
    if not exists (select from pg_roles where rolname = 'pooler') then create role pooler login; end if;
  end $$;
  create schema pooler authorization pooler;
  create function pooler.verifier(name text) returns table (usename text, passwd text)
    language sql security definer set search_path = pg_catalog, pg_temp
    begin atomic
      select rolname::text, rolpassword from pg_authid
        where rolname = name and rolcanlogin and not rolsuper;
    end;
  revoke execute on function pooler.verifier from public;
  grant execute on function pooler.verifier to pooler;`

export async function startPooler(db: TestDatabase, options: PoolerOptions): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), "zt-pb-"))
  const server = new URL(db.url)
  const database = server.pathname.slice(1)
  const password = "only of a test"
  const users = await db.asSuperuser(async (client) => {
    if (options.auth === "query") {
      await client.query(AUTH_QUERY)
      await client.query(`alter role pooler password '${password}';
        grant connect on database ${database} to pooler`)
      return `"pooler" "${password}"\n`
    }
    const { rows } = await client.query<{ rolname: string; rolpassword: string }>(
      "select rolname, rolpassword from pg_authid where rolname like 'zt\\_%' and rolcanlogin",
    )
    return rows.map(({ rolname, rolpassword }) => `"${rolname}" "${rolpassword}"\n`).join("")
  })
  const settings = {
    listen_addr: "",
    listen_port: 6432,
    unix_socket_dir: folder,
    pool_mode: "transaction",
    auth_type: "scram-sha-256",
    auth_file: join(folder, "users"),
    ...(options.auth === "query" && {
      auth_user: "pooler",
      auth_query: "select usename, passwd from pooler.verifier($1)",
    }),
    default_pool_size: options.size,
    max_client_conn: 2_000,
    server_reset_query: "discard all",
    server_reset_query_always: options.cleans === false ? 0 : 1,
    logfile: join(folder, "log"),
    log_connections: 0,
    log_disconnections: 0,
    ignore_startup_parameters: "",
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const host = server.searchParams.get("host")
  await writeFile(join(folder, "users"), users, { mode: 0o600 })
  await writeFile(
    join(folder, "ini"),
    `[databases]\n${database} = host=${host} port=5432\n[pgbouncer]\n${lines.join("\n")}\n`,
  )
  const child = startProgram(PGBOUNCER ?? "", [join(folder, "ini")], "ignore")
  const exit = once(child, "exit")
  const log = () => readFile(join(folder, "log"), "utf8").catch(() => "")
  while (!/process up/.test(await log())) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended:\n${await log()}`)
    await sleep(10)
  }
  return {
    url: `postgresql:///${database}?host=${folder}&port=6432`,
    async close() {
      child.kill("SIGTERM")
      await Promise.race([exit, sleep(2_000).then(() => child.kill("SIGKILL"))])
      await rm(folder, { recursive: true })
    },
  }
}
