/**
 * `docs/privileges.md` out of a catalog: a pure function, the same text on PostgreSQL 15 and 18.
 *
 * Invariant: every fact is a line of its own, and begins with what it is about, so that two
 * documents can be compared line by line (privileges.ts).
 */
import type { Catalog, Grant, Policy, Role, Routine, Schema, Table } from "./catalog.ts"

/** Built-in names that are taken from PUBLIC by bootstrap.sql, by kind. */
const TAKEN = [
  ["function", "set_config", /^set_config$/],
  ["function", "pg_notify", /^pg_notify$/],
  ["function", "lo_*, loread, lowrite", /^(lo_.*|loread|lowrite)$/],
  ["function", "pg_advisory_*, pg_try_advisory_*", /^pg_(try_)?advisory_/],
  ["function", "pg_stat_*", /^pg_stat_/],
  ["function", "pg_lock_status, pg_*blocking_pids", /^(pg_lock_status|pg_.*blocking_pids)$/],
  [
    "function",
    "pg_*_size of what is stored",
    /^pg_(relation|table|indexes|total_relation|tablespace|database)_size$/,
  ],
  ["function", "pg_control_*", /^pg_control_/],
  ["function", "pg_current_wal_*, pg_logical_emit_message", /^pg_(current_wal|logical_emit)_/],
  ["function", "pg_export_snapshot", /^pg_export_snapshot$/],
  [
    "function",
    "of transactions: pg_xact_*, txid_status, pg_last_committed_xact, pg_get_multixact_members",
    /^(pg_xact_.*|txid_status|pg_last_committed_xact|pg_get_multixact_members)$/,
  ],
  [
    "function",
    "of sessions: pg_prepared_*, pg_cursor, pg_listening_channels, pg_notification_queue_usage, setseed",
    /^(pg_prepared_.*|pg_cursor|pg_listening_channels|pg_notification_queue_usage|setseed)$/,
  ],
  ["function", "pg_get_replication_slots", /^pg_get_replication_slots$/],
  ["function", "currtid2", /^currtid/],
  [
    "function",
    "text as a query: *_to_xml*, ts_stat",
    /^(ts_stat|(query|table|schema|database|cursor)_to_xml.*)$/,
  ],
  ["relation", "pg_stat*", /^pg_stat/],
  [
    "relation",
    "pg_locks, pg_prepared_*, pg_cursors, pg_replication_slots",
    /^pg_(locks|prepared_.*|cursors|replication_slots)$/,
  ],
] as const

/** The heading over what follows from the rest. */
export const GLANCE = "At a glance"
/** An empty list. */
export const NONE = "- none"
/** The heading over what is taken from PUBLIC. */
export const BUILT_INS = "Built-in functions and views"

/** @returns Markdown. */
export function privilegesDocument(catalog: Catalog): string {
  const { roles, outsiders, schemas, routines, database, defaults, others } = catalog
  const tables = withoutPartitions(catalog.tables)
  const relations = tables.filter(({ kind }) => kind !== "sequence")
  const sequences = tables.filter(({ kind }) => kind === "sequence")
  return [
    INTRODUCTION,
    "## Roles",
    table(
      ["role", "logs in", "may", "takes by SET ROLE", "inherits", "administers", "settings"],
      roles.map(roleRow),
    ),
    "Other roles that reach in here, superusers apart:",
    list(outsiders.map(({ name, reach }) => `\`${name}\` ${reach}`)),
    `## ${GLANCE}`,
    LEGEND,
    matrix(tables, roles),
    "Functions that each role's session may execute, likewise; in bold those with their owner's rights:",
    list(calls(routines, roles)),
    "## Schemas",
    table(["schema", "owner", "usage", "create"], schemas.map(schemaRow)),
    "## Tables",
    ...relations.flatMap(tableSection),
    "## Sequences",
    sequences.length === 0 ? "None." : "",
    ...sequences.flatMap(tableSection),
    "## Functions",
    "Nobody but those named may execute one, and its owner. The digest is of the whole definition.",
    table(
      ["function", "owner", "runs as", "its own settings", "may execute", "digest"],
      routines.map(routineRow),
    ),
    "## The database",
    table(["role", "may"], byRole(database.grants)),
    "Settings for all who log in:",
    list(database.settings),
    "What is granted on objects still to be made:",
    list(defaults),
    `## ${BUILT_INS}`,
    "Taken from PUBLIC, and who has them by name. All else is as in a new database.",
    table(["what", "taken", "has it"], taken(catalog)),
    "Other differences from a new database:",
    list(deviations(catalog)),
    "## Anything else",
    "Event triggers, publications, subscriptions, foreign servers, extensions, languages, casts:",
    list(others),
    "",
  ]
    .filter((part, at, all) => part !== "" || at === all.length - 1)
    .join("\n\n")
    .replace(/\n+$/, "\n")
}

const INTRODUCTION = `# Privileges

Who may do what in the database, read from the catalog of a migrated one (\`npm run docs\`). Nothing
here is written by hand, and the server's version makes no difference from 15 to 18. The control in
\`src/controls/privileges.ts\` compares a running deployment with this file, line by line, and
\`bin/zygentrust doctor\` shows what differs. What the roles are for is in \`src/db/bootstrap.sql\`.

A partition is as the table that it is of; one that were not would be listed by itself.

Roles whose names begin with \`zt_grant_\` come and go with grants of access; each has \`zt_engineer\` and
nothing else. \`PUBLIC\` is every role.`

const LEGEND = `What a role's session may do, as itself and by what it inherits, before row security. S select, I
insert, U update, D delete, T truncate, R references, G trigger; small: some columns only. N is all
that a sequence can do.`

/** A partition that is as its parent is told with it: one that differs is a table of its own. */
function withoutPartitions(tables: readonly Table[]): readonly Table[] {
  const secured = ({ name: _, partitionOf: __, ...all }: Table) => JSON.stringify(all)
  return tables.filter((one) => {
    const parent = tables.find(({ name }) => name === one.partitionOf)
    return parent === undefined || secured(one) !== secured(parent)
  })
}

function roleRow({ name, login, inherits, powers, settings, memberships }: Role): string[] {
  const held = (kind: "set" | "inherit" | "admin") =>
    memberships.filter((one) => one[kind]).map(({ role }) => role)
  return [
    code(name),
    login ? "yes" : "no",
    [...powers, ...(inherits ? ["inherits"] : [])].join(", "),
    codes(held("set")),
    codes(held("inherit")),
    codes(held("admin")),
    codes(settings),
  ]
}

function matrix(tables: readonly Table[], roles: readonly Role[]): string {
  return table(
    ["table", ...roles.map(({ name }) => name.replace("zt_", ""))],
    tables.map(({ name, reach }) => [code(name), ...roles.map((role) => reach[role.name] ?? "")]),
  )
}

function calls(routines: readonly Routine[], roles: readonly Role[]): string[] {
  return roles.map(({ name }) => {
    const may = routines.filter(({ callers }) => callers.includes(name))
    const names = may.map((one) => {
      const short = code(one.name.slice(0, one.name.indexOf("(")))
      return one.definer ? `**${short}**` : short
    })
    return `${code(name)}: ${names.length === 0 ? "none" : names.join(", ")}`
  })
}

function schemaRow({ name, owner, grants, ownerLacks }: Schema): string[] {
  const may = (privilege: string) =>
    codes(grants.filter((one) => one.privilege.startsWith(privilege)).map(withStar))
  return [code(name), ownerOf(owner, ownerLacks), may("usage"), may("create")]
}

function tableSection(one: Table): string[] {
  const { name, kind, owner, ownerLacks, columns, policies, extras } = one
  const security = one.rowSecurity
    ? `row security on${one.forced ? " and forced" : ", NOT forced"}`
    : "no row security"
  return [
    `### ${name}`,
    `A ${kind} of ${ownerOf(owner, ownerLacks)}${kind === "sequence" ? "" : `; ${security}`}.`,
    columns.length === 0 ? "" : `Columns: ${columns.map(code).join(", ")}.`,
    one.grants.length + one.columnGrants.length === 0
      ? "Granted to nobody."
      : table(["role", "may"], tableGrants(one)),
    policies.length === 0 ? "" : table(POLICY_COLUMNS, policies.map(policyRow)),
    extras.length === 0 ? "" : list(extras),
  ].filter((part) => part !== "")
}

const POLICY_COLUMNS = ["policy", "for", "of", "sees rows where", "writes rows where"]

function policyRow({ name, command, permissive, roles, using, check }: Policy): string[] {
  return [
    `${code(name)}${permissive ? "" : " (restrictive)"}`,
    command,
    codes(roles),
    using === null ? "" : code(using),
    check === null ? "" : code(check),
  ]
}

function tableGrants({ grants, columnGrants }: Table): string[][] {
  const columns = new Map<string, string[]>()
  for (const { role, privilege, column } of columnGrants) {
    const key = JSON.stringify([role, privilege])
    columns.set(key, [...(columns.get(key) ?? []), column])
  }
  const narrow = [...columns].map(([key, names]) => {
    const [role, privilege]: [string, string] = JSON.parse(key)
    return { role, privilege: `${privilege} (${names.join(", ")})` }
  })
  return byRole([...grants, ...narrow])
}

function byRole(grants: readonly Grant[]): string[][] {
  const roles = [...new Set(grants.map(({ role }) => role))].sort()
  return roles.map((role) => {
    const held = grants.filter((one) => one.role === role).map(({ privilege }) => privilege)
    return [code(role), held.join(", ")]
  })
}

function routineRow({ name, owner, definer, settings, digest, grants, ownerLacks }: Routine) {
  return [
    code(name),
    ownerOf(owner, ownerLacks),
    definer ? "its owner" : "its caller",
    codes(settings),
    codes(grants.map(withStar)),
    code(digest),
  ]
}

function taken({ deviations, publicBuiltins }: Catalog): string[][] {
  return TAKEN.map(([kind, family, pattern]) => {
    const left = publicBuiltins.filter((one) => one.kind === kind && pattern.test(one.name))
    const named = deviations.filter(
      (one) => one.kind === kind && pattern.test(one.name) && one.role !== "PUBLIC" && one.has,
    )
    return [
      `${kind === "function" ? "functions" : "views"} ${code(family)}`,
      left.length === 0 ? "all" : `all but ${codes(left.map(({ name }) => name))}`,
      named
        .map(({ role, object }) => `${code(role)} (${object.replace("pg_catalog.", "")})`)
        .join(", "),
    ]
  })
}

/** Those that {@link taken} does not tell of. */
function deviations({ deviations: all }: Catalog): string[] {
  return all
    .filter((one) => {
      const known = TAKEN.some(([kind, , pattern]) => kind === one.kind && pattern.test(one.name))
      return !known || one.has === (one.role === "PUBLIC")
    })
    .map(
      ({ object, role, privilege, has }) =>
        `\`${object}\`: \`${role}\` ${has ? "may" : "may not"} ${privilege}`,
    )
}

function withStar({ role, privilege }: Grant): string {
  return privilege.endsWith("*") ? `${role}*` : role
}

function ownerOf(owner: string, lacks: readonly string[]): string {
  return lacks.length === 0 ? code(owner) : `${code(owner)} (who may not ${lacks.join(", ")})`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}

function list(items: readonly string[]): string {
  return items.length === 0
    ? NONE
    : items.map((item) => `- ${item.replaceAll("\n", " ")}`).join("\n")
}

function code(text: string): string {
  return `\`${text.replaceAll(/\s+/g, " ")}\``
}

function codes(texts: readonly string[]): string {
  return texts.map(code).join(", ")
}
