/**
 * What an attacker writes where an expression was expected: any expression, any sub-select.
 *
 * Every entry is put into `select (…)::text`. What cannot be written there (a second statement, a
 * statement of its own) is in injection.test.ts.
 */
import type { Attack } from "./attack.ts"
import { allow, DENIED, NO_ROW_SECURITY } from "./attack.ts"
import { BOB } from "./tenants.ts"

const SUPERUSER = "alter role zt_tenant superuser"
/** "feature not supported": not there in a function, or at that place. */
const UNSUPPORTED = "0A000"
const TIMED_OUT = "57014"

type Payload = Omit<Attack, "sql"> & { readonly sql: string }

const readings: readonly Payload[] = [
  ["all of a table", "select string_agg(id::text, ',') from live.analysis"],
  ["Bob's rows by his id", `select min(id::text) from live.analysis where tenant_id = '${BOB}'`],
  ["whole rows", "select string_agg(a::text, ',') from live.analysis a"],
  ["rows as JSON", "select json_agg(u) from live.usage u"],
  ["others' keys", "select string_agg(index8, ',') from live.api_key"],
  ["others' quotas", "select string_agg(units::text, ',') from live.charge"],
  ["others' pace", "select string_agg(holder::text, ',') from live.rate"],
  ["others' names", "select string_agg(name_index::text, ',') from platform.tenant"],
  ["others' seeds", "select string_agg(seed::text, ',') from platform.tenant_key"],
  [
    "a union",
    "select string_agg(id, ',') from (select '' as id union all select id::text from live.analysis) x",
  ],
  [
    "a recursion",
    "with recursive r as (select id from live.analysis union select a.id from live.analysis a, r) select string_agg(id::text, ',') from r",
  ],
  [
    "a lateral join",
    "select string_agg(a.id::text, ',') from platform.tenant t, lateral (select id from live.analysis) a",
  ],
  [
    "an outer join",
    `select string_agg(a.id::text, ',') from (values ('${BOB}'::uuid)) v(t) left join live.analysis a on a.tenant_id = v.t`,
  ],
  ["a sample", "select string_agg(id::text, ',') from live.analysis tablesample system (100)"],
  ["by place", "select string_agg(id::text, ',') from live.analysis where ctid < '(100,1)'"],
  ["only the table", "select string_agg(id::text, ',') from only live.analysis"],
  [
    "a window",
    "select string_agg(x, ',') from (select first_value(id::text) over (order by tenant_id desc) as x from live.analysis) y",
  ],
  [
    "a cast that fails, for its error's text",
    `select sum(id::text::int) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a cast to an enumeration of row types",
    `select sum(sealed::text::numeric) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a network address that is none",
    `select max(plan::inet) from live.usage where tenant_id = '${BOB}'`,
  ],
].map(([what = "", sql = ""]) => ({ what: `reads: ${what}`, sql, down: NO_ROW_SECURITY }))

/** Whether there is a row at all: by a value, by a failure, by how far a statement comes. */
const oracles: readonly Payload[] = [
  ["a count", `select count(*) from live.analysis where tenant_id = '${BOB}'`],
  ["whether one exists", `exists (select from live.usage where tenant_id = '${BOB}')`],
  [
    "a division by nothing",
    `select sum(1 / (length(id::text) - 36)) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a division in a predicate, pushed below the policy",
    `select 1 from live.analysis where tenant_id = '${BOB}' and 1 / (length(id::text) - 36) = 1`,
  ],
  [
    "a cast in a predicate, pushed below the policy",
    `select 1 from live.analysis where id::text::int > 0 and tenant_id = '${BOB}'`,
  ],
  [
    "a cast in a join",
    `select 1 from live.analysis a join live.usage u on a.id::text::int = u.route where a.tenant_id = '${BOB}'`,
  ],
  [
    "a cast in an aggregate's filter",
    `select count(*) filter (where id::text::int > 0) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "an XPath that is none",
    `select min(xpath(id::text || '(', '<x/>')::text) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a regular expression that is none",
    `select max(regexp_replace('x', '(' || id::text, '')) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a JSON that is none",
    `select max(('{' || id::text)::json::text) from live.analysis where tenant_id = '${BOB}'`,
  ],
  [
    "a function that is not there for a value",
    `select max(get_byte(digest_like, 99)) from (select sealed as digest_like from live.analysis where tenant_id = '${BOB}') x`,
  ],
  ["a sub-select of two rows", `(select id from live.analysis where tenant_id = '${BOB}')`],
  ["another's name", `exists (select from platform.tenant where id = '${BOB}')`],
].map(([what = "", sql = ""]) => ({
  what: `asks whether there is something: ${what}`,
  sql,
  oracle: true,
  down: NO_ROW_SECURITY,
}))

const textAsQuery: readonly Payload[] = [
  ["query_to_xml", "query_to_xml('select id from live.analysis', true, true, '')"],
  ["table_to_xml", "table_to_xml('live.analysis', true, true, '')"],
  ["schema_to_xml", "schema_to_xml('live', true, true, '')"],
  ["database_to_xml", "database_to_xml(true, true, '')"],
  [
    "ts_stat",
    "select string_agg(word, ',') from ts_stat('select to_tsvector(''simple'', id::text) from live.analysis')",
  ],
].map(([name = "", sql = ""]) => ({
  what: `runs text as a query: ${name}`,
  sql,
  refused: DENIED,
  down: allow(name),
}))

/** Functions that only a call is needed of. */
const calls: readonly (readonly [what: string, sql: string, down: string])[] = [
  ["changes its tenant", `set_config('zt.tenant', '${BOB}', true)`, allow("set_config")],
  [
    "changes its tenant, then reads",
    `select string_agg(id::text, ',') from live.analysis where set_config('zt.tenant', '${BOB}', true) is not null`,
    allow("set_config"),
  ],
  ["changes its tenant for good", `set_config('zt.tenant', '${BOB}', false)`, allow("set_config")],
  ["takes the runtime's role back", "set_config('role', 'none', true)", allow("set_config")],
  ["takes the other role", "set_config('role', 'zt_sandbox', true)", allow("set_config")],
  ["lifts its time-out", "set_config('statement_timeout', '0', true)", allow("set_config")],
  [
    "changes where names are looked up",
    "set_config('search_path', 'live', true)",
    allow("set_config"),
  ],
  ["asks for no row security", "set_config('row_security', 'off', true)", allow("set_config")],
  ["takes an advisory lock of the session", "pg_advisory_lock(1)", allow("pg_advisory_lock")],
  ["tries an advisory lock", "pg_try_advisory_lock(1)", allow("pg_try_advisory_lock")],
  [
    "takes an advisory lock of the transaction",
    "pg_advisory_xact_lock(1, 2)",
    allow("pg_advisory_xact_lock"),
  ],
  ["frees everybody's advisory locks", "pg_advisory_unlock_all()", allow("pg_advisory_unlock_all")],
  ["notifies", "pg_notify('channel', 'text')", allow("pg_notify")],
  ["makes a large object", "lo_create(0)", allow("lo_create")],
  ["writes a large object", "lo_from_bytea(0, 'x')", allow("lo_from_bytea")],
  [
    "opens a large object",
    "lo_open(lo_from_bytea(0, 'x'), 131072)",
    allow("lo_from_bytea", "lo_open"),
  ],
  ["reads a file into a large object", "lo_import('/etc/passwd')", SUPERUSER],
  ["writes a file", "lo_export(4711, '/dev/null')", `${SUPERUSER}; select lo_from_bytea(4711, '')`],
  ["reads a file", "pg_read_file('PG_VERSION')", SUPERUSER],
  ["reads a file's bytes", "pg_read_binary_file('PG_VERSION')", SUPERUSER],
  ["lists a folder", "select string_agg(f, ',') from pg_ls_dir('.') f", SUPERUSER],
  ["looks at a file", "pg_stat_file('PG_VERSION')", SUPERUSER],
  ["lists the log", "select count(*) from pg_ls_waldir()", SUPERUSER],
  ["lists temporary files", "select count(*) from pg_ls_tmpdir()", SUPERUSER],
  ["reads who may log in from where", "select count(*) from pg_hba_file_rules", SUPERUSER],
  ["reads the configuration's files", "select count(*) from pg_file_settings", SUPERUSER],
  ["reads password digests", "select string_agg(rolpassword, ',') from pg_authid", SUPERUSER],
  [
    "reads password digests by the view",
    "select string_agg(passwd, ',') from pg_shadow",
    SUPERUSER,
  ],
  ["reads samples of columns", "select count(*) from pg_statistic", SUPERUSER],
  ["reads large objects", "select count(*) from pg_largeobject", SUPERUSER],
  ["reads where the data lies", "current_setting('data_directory')", SUPERUSER],
  ["reloads the configuration", "pg_reload_conf()", SUPERUSER],
  ["switches the log", "pg_switch_wal()", SUPERUSER],
  ["sees the server's memory", "select count(*) from pg_shmem_allocations", SUPERUSER],
  [
    "sees others' sessions",
    "select count(*) from pg_stat_activity",
    `grant select on pg_stat_activity to public; ${allow("pg_stat_get_activity")}`,
  ],
  [
    "sees statistics of columns",
    "select count(*) from pg_stats",
    "grant select on pg_stats to public",
  ],
  [
    "sees how busy tables are",
    "select count(*) from pg_stat_user_tables",
    `grant select on pg_stat_user_tables to public; ${NO_STAT_WALL()}`,
  ],
  [
    "sees how many rows a table has",
    "pg_stat_get_live_tuples('live.analysis'::regclass)",
    allow("pg_stat_get_live_tuples"),
  ],
  [
    "sees how often a table is read",
    "pg_stat_get_numscans('live.analysis'::regclass)",
    allow("pg_stat_get_numscans"),
  ],
  [
    "sees others' locks",
    "select count(*) from pg_locks",
    `grant select on pg_locks to public; ${allow("pg_lock_status")}`,
  ],
  [
    "sees others' locks by the function",
    "select count(*) from pg_lock_status()",
    allow("pg_lock_status"),
  ],
  ["sees who waits for whom", "pg_blocking_pids(1)", allow("pg_blocking_pids")],
  ["sees how large a table is", "pg_relation_size('live.analysis')", allow("pg_relation_size")],
  [
    "sees how large a table is with its indexes",
    "pg_total_relation_size('live.usage')",
    allow("pg_total_relation_size", "pg_table_size", "pg_indexes_size"),
  ],
  ["sees how large the server is", "pg_tablespace_size('pg_default')", allow("pg_tablespace_size")],
  ["sees whether a table has a page", "currtid2('live.analysis', '(0,1)')", allow("currtid2")],
  ["sees the log's position", "pg_current_wal_insert_lsn()", allow("pg_current_wal_insert_lsn")],
  [
    "sees the last checkpoint",
    "select next_xid from pg_control_checkpoint()",
    allow("pg_control_checkpoint"),
  ],
  [
    "sees whether another's transaction committed",
    "pg_xact_status('3'::xid8)",
    allow("pg_xact_status"),
  ],
  [
    "sees prepared transactions",
    "select count(*) from pg_prepared_xacts",
    `grant select on pg_prepared_xacts to public; ${allow("pg_prepared_xact")}`,
  ],
  [
    "sees what the session prepared",
    "select count(*) from pg_prepared_statements",
    `grant select on pg_prepared_statements to public; ${allow("pg_prepared_statement")}`,
  ],
  [
    "sees the session's cursors",
    "select count(*) from pg_cursors",
    `grant select on pg_cursors to public; ${allow("pg_cursor")}`,
  ],
  [
    "sees who replicates",
    "select count(*) from pg_replication_slots",
    `grant select on pg_replication_slots to public; ${allow("pg_get_replication_slots")}`,
  ],
  [
    "writes to the log",
    "pg_logical_emit_message(false, 'x', repeat('x', 100))",
    allow("pg_logical_emit_message"),
  ],
  ["exports its snapshot", "pg_export_snapshot()", allow("pg_export_snapshot")],
  ["leaves a seed for the session's random numbers", "setseed(0.5)", allow("setseed")],
  [
    "reads the test keys' tables",
    "select count(*) from sandbox.analysis",
    "grant usage on schema sandbox to zt_tenant; grant select on sandbox.analysis to zt_tenant",
  ],
  [
    "reads the audit log",
    "select count(*) from audit.entry",
    "grant usage on schema audit to zt_tenant; grant select on audit.entry to zt_tenant",
  ],
  [
    "writes to the audit log",
    "audit.append(gen_random_uuid(), 'x', 'x.y', null, 'x', '{}')",
    `grant usage on schema audit to zt_tenant; ${allow("append")}`,
  ],
  [
    "admits itself",
    "select count(*) from live.admit_batch(gen_random_uuid(),true,'{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}')",
    allow("admit_batch"),
  ],
  [
    "reads digests of keys",
    "select string_agg(digest::text, ',') from live.api_key",
    "grant select on live.api_key to zt_tenant",
  ],
  [
    "reads which migrations were applied",
    "select count(*) from platform.migration",
    "grant select on platform.migration to zt_tenant",
  ],
  [
    "locks rows",
    "select count(*) from (select 1 from live.analysis for update) x",
    "grant update on live.analysis to zt_tenant",
  ],
]

const walledByPostgres: readonly Payload[] = [
  {
    what: "holds the database: counts without end",
    sql: "select count(*) from generate_series(1, 100000000)",
    refused: TIMED_OUT,
  },
  {
    what: "writes in a sub-select",
    sql: "with x as (insert into live.analysis select * from live.analysis returning 1) select count(*) from x",
    refused: UNSUPPORTED,
  },
  {
    what: "deletes in a sub-select",
    sql: "with x as (delete from live.analysis returning id) select count(*) from x",
    refused: UNSUPPORTED,
  },
  {
    what: "changes a setting by its view",
    sql: `with x as (update pg_settings set setting = '${BOB}' where name = 'zt.tenant' returning 1) select 1 from x`,
    refused: UNSUPPORTED,
  },
  { what: "sets", sql: `set zt.tenant = '${BOB}'`, refused: "42601" },
  { what: "takes a role", sql: "set role zt_runtime", refused: "42601" },
  { what: "copies from a program", sql: "copy live.analysis to program 'id'", refused: "42601" },
  {
    what: "connects elsewhere",
    sql: "select * from dblink('host=127.0.0.1', 'select 1') as t(x int)",
    refused: "42883",
  },
  {
    what: "makes a replication slot",
    sql: "select pg_create_physical_replication_slot('x')",
    refused: DENIED,
  },
  {
    what: "ends others' sessions",
    sql: "select pg_terminate_backend((select min(pid) from pg_stat_get_activity(null)))",
    refused: DENIED,
  },
  {
    what: "reads a file as an XML entity",
    sql: `xmlparse(document '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')`,
  },
  {
    what: "asks a server as an XML entity",
    sql: `xmlparse(document '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]><x>&e;</x>')`,
  },
  {
    what: "uses another role's numbers",
    sql: "select nextval('pg_catalog.pg_class')",
    refused: "42809",
  },
]

/** A tenth of a second past the time-out that the suite sets. */
const slow: readonly Payload[] = [
  ["sleeps", "select pg_sleep(0.4)"],
  ["sleeps in pieces", "select count(pg_sleep(0.004)) from generate_series(1, 100)"],
].map(([what = "", sql = ""]) => ({
  what: `holds the database: ${what}`,
  sql,
  refused: TIMED_OUT,
  down: "",
}))

export const PAYLOADS: readonly Attack[] = [
  ...readings,
  ...oracles,
  ...textAsQuery,
  ...calls.map(([what, sql, down]) => ({ what, sql, down, refused: DENIED })),
  ...walledByPostgres,
  ...slow,
].map((payload) => ({ ...payload, sql: `select (${payload.sql})::text as value` }))

/** The view calls some thirty functions. */
function NO_STAT_WALL(): string {
  return `do $$ declare f regprocedure; begin
    for f in select oid from pg_proc where proname ~ '^pg_stat_get_' loop
      execute format('grant execute on function %s to public', f);
    end loop; end $$`
}
