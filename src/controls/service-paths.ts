/**
 * Claim I2: only the API's runtime has service access, as functions that pass row security on the
 * documented paths and nowhere else; no session can become the service role.
 *
 * Owns: the closed list of those paths. Whatever the catalog has beyond it, or less, is a finding.
 * A function with definer's rights belongs here before its migration can pass its test.
 */
import type pg from "pg"
import type { Catalog, Routine } from "./catalog.ts"
import { readCatalog } from "./catalog.ts"
import type { Finding } from "./finding.ts"

interface ServicePath {
  /** What it is for, as the claim names it. */
  readonly path: string
  readonly owner: "zt_service" | "zt_role_admin" | "zt_owner"
  readonly executors: readonly string[]
  /** Its own settings beside the search_path and those of planning. */
  readonly settings?: readonly string[]
}

const ADMISSION = { path: "admission", owner: "zt_service", executors: ["zt_runtime"] } as const
const RETENTION = { path: "retention", owner: "zt_service", executors: ["zt_runtime"] } as const
const ROLLUP = { ...RETENTION, path: "rollup" } as const
const UNKNOWN_KEYS = { ...ADMISSION, path: "unknown keys, counted by minute" } as const
const AGGREGATES = {
  path: "aggregates",
  owner: "zt_service",
  executors: ["zt_health"],
} as const
/** With the rights of the tables' owner: it sees no row, since row security is forced. */
const PARTITIONS = {
  path: "partitions of usage",
  owner: "zt_owner",
  executors: ["zt_runtime"],
} as const
const DROPPING = {
  ...PARTITIONS,
  executors: ["zt_service"],
  settings: ["lock_timeout=50ms"],
} as const
const KEY_REQUESTS = { ...RETENTION, path: "keys by request" } as const
const EVENTS = {
  path: "events for owners",
  owner: "zt_service",
  executors: ["zt_runtime"],
} as const
const APPEND_EVENT = { ...EVENTS, executors: ["zt_operator", "zt_runtime"] } as const
const DETECTORS = { ...ADMISSION, path: "detectors of abuse" } as const
const THROTTLE = { ...DETECTORS, executors: ["zt_operator"] } as const
const GRANT_ROLES = { path: "grants of access", owner: "zt_role_admin", executors: [] } as const

/** Every function with definer's rights. */
const PATHS: Readonly<Record<string, ServicePath>> = {
  "audit.append": { path: "audit append", owner: "zt_service", executors: ["zt_operator"] },
  "audit.append_own": {
    path: "audit append",
    owner: "zt_service",
    executors: ["zt_sandbox", "zt_tenant"],
  },
  "live.admit_batch": ADMISSION,
  "sandbox.admit_batch": ADMISSION,
  "live.void_batch": ADMISSION,
  "sandbox.void_batch": ADMISSION,
  "live.retain": RETENTION,
  "sandbox.retain": RETENTION,
  "live.drop_expired_usage": RETENTION,
  "sandbox.drop_expired_usage": RETENTION,
  "live.roll_up_usage": ROLLUP,
  "sandbox.roll_up_usage": ROLLUP,
  "live.note_last_use": ROLLUP,
  "sandbox.note_last_use": ROLLUP,
  "live.extend_usage": PARTITIONS,
  "sandbox.extend_usage": PARTITIONS,
  "live.drop_usage_day": DROPPING,
  "sandbox.drop_usage_day": DROPPING,
  "live.known_keys": ADMISSION,
  "sandbox.known_keys": ADMISSION,
  "live.count_unknown_keys": UNKNOWN_KEYS,
  "sandbox.count_unknown_keys": UNKNOWN_KEYS,
  "live.append_event": APPEND_EVENT,
  "sandbox.append_event": APPEND_EVENT,
  "live.find_events": EVENTS,
  "sandbox.find_events": EVENTS,
  "live.note_keys_in_clear": EVENTS,
  "sandbox.note_keys_in_clear": EVENTS,
  "live.report_leaks": EVENTS,
  "sandbox.report_leaks": EVENTS,
  "live.watch": DETECTORS,
  "sandbox.watch": DETECTORS,
  "live.watched_hours": DETECTORS,
  "sandbox.watched_hours": DETECTORS,
  "live.watched_history": DETECTORS,
  "sandbox.watched_history": DETECTORS,
  "live.watched_unknown_keys": DETECTORS,
  "sandbox.watched_unknown_keys": DETECTORS,
  "live.watched_domains": DETECTORS,
  "sandbox.watched_domains": DETECTORS,
  "live.watched_networks": DETECTORS,
  "sandbox.watched_networks": DETECTORS,
  "live.watch_state": DETECTORS,
  "sandbox.watch_state": DETECTORS,
  "live.network_salt": DETECTORS,
  "sandbox.network_salt": DETECTORS,
  "live.add_networks": DETECTORS,
  "sandbox.add_networks": DETECTORS,
  "live.record_finding": DETECTORS,
  "sandbox.record_finding": DETECTORS,
  "live.tend_watch": DETECTORS,
  "sandbox.tend_watch": DETECTORS,
  "live.throttle_keys": THROTTLE,
  "sandbox.throttle_keys": THROTTLE,
  "live.lift_throttle": THROTTLE,
  "sandbox.lift_throttle": THROTTLE,
  "live.dismiss_finding": THROTTLE,
  "sandbox.dismiss_finding": THROTTLE,
  "live.traffic": AGGREGATES,
  "sandbox.traffic": AGGREGATES,
  "platform.retain": RETENTION,
  "platform.self_service_plans": KEY_REQUESTS,
  "platform.ask_for_key": KEY_REQUESTS,
  "platform.take_key_link": KEY_REQUESTS,
  "platform.key_link_mailed": KEY_REQUESTS,
  "platform.key_link": KEY_REQUESTS,
  "platform.claim_key": KEY_REQUESTS,
  "role_admin.open_grant_role": GRANT_ROLES,
  "role_admin.close_grant_role": GRANT_ROLES,
  "role_admin.drop_grant_role": GRANT_ROLES,
}

/** Each policy that names the service role: it must, or a definer function sees no row. */
const POLICIES: readonly string[] = [
  "audit.entry: appends",
  "live.account: service",
  "live.analysis: counting",
  "live.analysis: retention",
  "live.api_key: service",
  "live.charge: service",
  "live.key_use: service",
  "live.event: service",
  "live.finding: service",
  "live.network: service",
  "live.network_day: service",
  "live.rate: service",
  "live.throttle: service",
  "live.usage: service",
  "live.usage_day: service",
  "live.usage_hour: service",
  "platform.key_request: service",
  "live.watch_hour: service",
  "platform.contact: service",
  "platform.tenant: service",
  "platform.tenant_key: by_request",
  "sandbox.account: service",
  "sandbox.analysis: counting",
  "sandbox.analysis: retention",
  "sandbox.api_key: service",
  "sandbox.charge: service",
  "sandbox.key_use: service",
  "sandbox.event: service",
  "sandbox.finding: service",
  "sandbox.network: service",
  "sandbox.network_day: service",
  "sandbox.rate: service",
  "sandbox.throttle: service",
  "sandbox.usage: service",
  "sandbox.usage_day: service",
  "sandbox.usage_hour: service",
  "sandbox.watch_hour: service",
]

/** It makes the functions and hands them over, which takes membership. Nobody serves as it. */
const MEMBERS: readonly string[] = ["zt_migrate"]

/** What is found first must be PostgreSQL's own, and a caller's temporary objects never. */
const SEARCH_PATH = "search_path=pg_catalog, pg_temp"
/** May stand beside it: how a plan is made, never what it gives. */
const PLANNING = /^(?:plan_cache_mode|enable_[a-z]+|jit)=/

/** @throws Problem `UNAVAILABLE` */
export async function checkServicePaths(client: pg.ClientBase): Promise<Finding[]> {
  return findStrayPaths(await readCatalog(client))
}

/** @returns What of service access is not on the list, and what of the list is not there. */
export function findStrayPaths(catalog: Catalog): Finding[] {
  const definers = catalog.routines.filter(({ definer }) => definer)
  return [
    ...definers.flatMap(strayFunction),
    ...missing(Object.keys(PATHS), definers.map(nameOf), "is a documented path, and is not there"),
    ...strayPolicies(catalog),
    ...strayMembers(catalog),
    ...bypassing(catalog),
  ].map(([subject, message]) => ({ subject, message, isWeakness: false }))
}

type Stray = readonly [subject: string, message: string]

function nameOf({ name }: Routine): string {
  return name.slice(0, name.indexOf("("))
}

function strayFunction(routine: Routine, _at: number, all: readonly Routine[]): Stray[] {
  const { name, owner, settings, grants } = routine
  const path = PATHS[nameOf(routine)]
  if (path === undefined) {
    return [[name, "runs with its owner's rights, and is no documented path"]]
  }
  const found: Stray[] = []
  if (all.some((other) => other !== routine && nameOf(other) === nameOf(routine))) {
    found.push([name, "is there more than once, with other arguments"])
  }
  if (owner !== path.owner) found.push([name, `is owned by ${owner}, not by ${path.owner}`])
  const own = [SEARCH_PATH, ...(path.settings ?? [])]
  const others = settings.filter((setting) => !PLANNING.test(setting))
  if (others.join("; ") !== own.join("; ")) {
    found.push([name, `does not have exactly '${own.join("; ")}' of its own`])
  }
  const executors = grants.map(({ role }) => role)
  return [
    ...found,
    ...executors
      .filter((role) => !path.executors.includes(role))
      .map((role): Stray => [name, `can be executed by ${role}, which is not documented`]),
    ...missing(path.executors, executors, `should be able to execute ${name}, and is not`),
  ]
}

function strayPolicies({ tables }: Catalog): Stray[] {
  const named = tables.flatMap((table) =>
    table.policies
      .filter(({ roles }) => roles.includes("zt_service") || roles.includes("PUBLIC"))
      // A partition that lacks one differs from its parent, which the document of privileges finds.
      .map(({ name }) => `${table.partitionOf ?? table.name}: ${name}`),
  )
  return [
    ...named
      .filter((policy) => !POLICIES.includes(policy))
      .map((policy): Stray => [policy, "is a policy for zt_service, and is not documented"]),
    ...missing(POLICIES, named, "is a documented policy for zt_service, and is not there"),
  ]
}

function strayMembers({ roles, outsiders }: Catalog): Stray[] {
  const members = roles
    .filter(({ memberships }) => memberships.some(({ role }) => role === "zt_service"))
    .map(({ name }) => name)
  const service = roles.find(({ name }) => name === "zt_service")
  return [
    ...members
      .filter((name) => !MEMBERS.includes(name))
      .map((name): Stray => [name, "is a member of zt_service, and is not documented"]),
    ...missing(MEMBERS, members, "should be a member of zt_service, to hand over, and is not"),
    ...outsiders
      .filter(({ reach }) => reach.includes("has zt_service"))
      .map(({ name }): Stray => [name, "is a member of zt_service, and no role of the program"]),
    ...(service?.login === false ? [] : [["zt_service", "can log in"] as const]),
    ...(service?.memberships ?? []).map(
      ({ role }): Stray => ["zt_service", `is a member of ${role}, and should be of none`],
    ),
  ]
}

function bypassing({ roles, outsiders }: Catalog): Stray[] {
  return [
    ...roles.map(({ name, powers }) => ({ name, what: powers.join(", ") })),
    ...outsiders.map(({ name, reach }) => ({ name, what: reach })),
  ]
    .filter(({ what }) => /superuser|bypasses row security/.test(what))
    .map(({ name }) => [name, "passes every row policy by its attributes"])
}

function missing(listed: readonly string[], found: readonly string[], message: string): Stray[] {
  return listed.filter((name) => !found.includes(name)).map((name) => [name, message])
}
