/** `zygentrust keys`: the whole life of API keys, on the database itself, server or not. */
import { parseArgs } from "node:util"
import type { ListedKey } from "../keys/keys.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { changes } from "./keys-change.ts"
import { readExpiry } from "./keys-words.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust keys issue --tenant NAME --environment live|test [--name TEXT]
                         [--scope SCOPE]… [--address ADDRESS]…
                         [--expires RFC3339] [--plan PLAN]
       zygentrust keys list [--tenant NAME]
       zygentrust keys show ID
       zygentrust keys rename ID NAME
       zygentrust keys scopes ID SCOPE…
       zygentrust keys addresses ID ADDRESS…|any
       zygentrust keys expire ID RFC3339|never
       zygentrust keys disable|enable ID
       zygentrust keys rotate ID [--overlap 24h]
       zygentrust keys revoke ID

issue      Makes a key and shows it, this once: only its digest is kept. A tenant of
           that name is made if there is none, on --plan, by default the one without
           quota or rate. Live keys ask the real internet; test
           keys get fixed answers and touch nothing live.
list       Shows every key by its beginning; never a whole one.
show       All of one key but the key: bounds, state, who issued it, its last use.
scopes     What it may be used for: analyze, usage:read, keys:write. The last one
           lets it manage its tenant's keys, and is in no key that is not told so.
addresses  Where it may be used from: addresses and networks, like 203.0.113.0/24.
expire     When it ends by itself.
disable    Refuses it until it is enabled.
rotate     Makes a key in its place, with the same bounds, and shows that, this once.
           The old one ends at once, or after --overlap (s, m, h or d; 30d at most).
revoke     Ends a key for good, and lists which it had issued.

Every change is audited, and holds for whatever begins after the command has
returned, on every instance. Works with or without a running server.

Example
  zygentrust keys issue --tenant acme --environment live --name checkout`

const OPTIONS = {
  tenant: { type: "string" },
  environment: { type: "string" },
  name: { type: "string" },
  scope: { type: "string", multiple: true },
  address: { type: "string", multiple: true },
  expires: { type: "string" },
  plan: { type: "string" },
  overlap: { type: "string" },
} as const

interface Values {
  readonly tenant?: string
  readonly environment?: string
  readonly name?: string
  readonly scope?: readonly string[]
  readonly address?: readonly string[]
  readonly expires?: string
  readonly plan?: string
  readonly overlap?: string
}

/** Which options an action takes; all but these take none. */
const TAKES: Readonly<Record<string, readonly (keyof Values)[]>> = {
  issue: ["tenant", "environment", "name", "scope", "address", "expires", "plan"],
  list: ["tenant"],
  rotate: ["overlap"],
}

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action = "", id, ...rest] = positionals
  const isChange = Object.hasOwn(changes, action)
  if (!isChange && !["issue", "list", "show"].includes(action)) {
    const takes = `issue, list, show, ${Object.keys(changes).join(", ")}`
    throw wrongUsage(
      action === "" ? `keys takes one of ${takes}` : `keys has no '${action}'; it takes ${takes}`,
    )
  }
  const stray = Object.keys(values).find(
    (name) => !(TAKES[action] ?? []).includes(name as keyof Values),
  )
  if (stray !== undefined) throw wrongUsage(`keys ${action} takes no --${stray}`)
  if (action === "issue" || action === "list") {
    if (id !== undefined) throw wrongUsage(`'${id}' is not an option of keys ${action}`)
    return action === "issue" ? issue(values, cli) : list(values.tenant, cli)
  }
  if (id === undefined) throw wrongUsage(`keys ${action} takes one key's id`)
  if (action !== "show") return changes[action as keyof typeof changes](id, rest, cli, values)
  if (rest.length > 0) throw wrongUsage("keys show takes one key's id")
  return show(id, cli)
}

async function issue(values: Values, cli: Cli): Promise<ExitCode> {
  const { tenant, environment, name = "default", plan, scope, address } = values
  if (tenant === undefined) throw wrongUsage("keys issue takes --tenant NAME")
  if (environment !== "live" && environment !== "test") {
    throw wrongUsage("keys issue takes --environment live or --environment test")
  }
  const expiresAt =
    values.expires === undefined ? undefined : readExpiry("--expires", values.expires)
  const { commandActor, issueKey } = await import("../keys/keys.ts")
  const key = await asOperator(cli, (tx, keyring) =>
    issueKey(tx, keyring, {
      tenant,
      environment,
      name,
      actor: commandActor(),
      ...(expiresAt && { expiresAt }),
      ...(plan !== undefined && { plan }),
      ...(scope && { scopes: scope }),
      ...(address && { addresses: address }),
    }),
  )
  if (cli.json) cli.out(JSON.stringify(key))
  else {
    cli.err(`${key.id} of ${key.tenant}, ${key.environment}. The key is shown this once:`)
    cli.out(key.key)
  }
  return 0
}

async function list(tenant: string | undefined, cli: Cli): Promise<ExitCode> {
  const { listKeys } = await import("../keys/keys.ts")
  const keys = await asOperator(cli, (tx, keyring) => listKeys(tx, keyring, tenant))
  if (cli.json) cli.out(JSON.stringify({ keys }))
  else if (keys.length === 0) {
    cli.err("No keys. Issue one: zygentrust keys issue --tenant NAME --environment live")
  } else for (const key of keys) cli.out(line(key))
  return 0
}

function line(key: ListedKey): string {
  return `${key.id}  ${key.hint}  ${key.tenant}  ${key.name}  ${stateOf(key)}`
}

function stateOf({ state, revoked_at, expires_at, disabled_at }: ListedKey): string {
  if (state === "revoked") return `revoked ${revoked_at}`
  if (state === "disabled") return `disabled ${disabled_at}`
  if (state === "expired") return `expired ${expires_at}`
  return expires_at === null ? "good" : `expires ${expires_at}`
}

async function show(id: string, cli: Cli): Promise<ExitCode> {
  const { showKey } = await import("../keys/keys.ts")
  const key = await asOperator(cli, (tx, keyring) => showKey(tx, keyring, id))
  if (cli.json) {
    cli.out(JSON.stringify(key))
    return 0
  }
  const rows = {
    id: key.id,
    key: `${key.hint} (the rest is kept nowhere)`,
    tenant: key.tenant,
    name: key.name,
    environment: key.environment,
    state: stateOf(key),
    scopes: key.scopes.join(", "),
    addresses: key.addresses?.join(", ") ?? "any",
    issued: `${key.created_at} by ${key.issued_by ?? "somebody who was not recorded"}`,
    "replaced by": key.replaced_by ?? "none",
    "last used": key.last_used_at ?? "never, or longer ago than usage is kept",
  }
  for (const [name, value] of Object.entries(rows)) cli.out(`${name.padEnd(12)} ${value}`)
  return 0
}
