/** `zygentrust keys issue | list | revoke`: API keys, on the database itself, server or not. */
import { parseArgs } from "node:util"
import type { ListedKey } from "../keys/keys.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust keys issue --tenant NAME --environment live|test [--name TEXT]
                         [--expires RFC3339] [--plan PLAN]
       zygentrust keys list [--tenant NAME]
       zygentrust keys revoke ID

issue    Makes a key and shows it, this once: only its digest is kept. A tenant of
         that name is made if there is none, on --plan, by default the one without
         quota or rate. Live keys ask the real internet; test
         keys get fixed answers and touch nothing live.
list     Shows every key by its beginning; never a whole one.
revoke   Ends a key for good. From the moment this returns, no request that begins
         with it is served, by any instance.

Works with or without a running server.

Example
  zygentrust keys issue --tenant acme --environment live --name checkout`

const OPTIONS = {
  tenant: { type: "string" },
  environment: { type: "string" },
  name: { type: "string" },
  expires: { type: "string" },
  plan: { type: "string" },
} as const

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action, id, ...rest] = positionals
  switch (action) {
    case "issue": {
      if (id !== undefined) throw wrongUsage(`'${id}' is not an option of keys issue`)
      return issue(values, cli)
    }
    case "list": {
      if (id !== undefined) throw wrongUsage(`'${id}' is not an option of keys list`)
      const { tenant, ...others } = values
      const [other] = Object.keys(others)
      if (other !== undefined) throw wrongUsage(`keys list takes no --${other}`)
      return list(tenant, cli)
    }
    case "revoke": {
      if (id === undefined || rest.length > 0) throw wrongUsage("keys revoke takes one key's id")
      return revoke(id, cli)
    }
    default:
      throw wrongUsage(
        action === undefined
          ? "keys takes issue, list or revoke"
          : `keys has no '${action}'; it takes issue, list or revoke`,
      )
  }
}

async function issue(
  values: { readonly [K in keyof typeof OPTIONS]?: string },
  cli: Cli,
): Promise<ExitCode> {
  const { tenant, environment, name = "default", plan } = values
  if (tenant === undefined) throw wrongUsage("keys issue takes --tenant NAME")
  if (environment !== "live" && environment !== "test") {
    throw wrongUsage("keys issue takes --environment live or --environment test")
  }
  const expiresAt = values.expires === undefined ? undefined : new Date(values.expires)
  if (expiresAt !== undefined && !(expiresAt.getTime() > Date.now())) {
    throw wrongUsage(`--expires takes a time to come, like 2027-01-31T00:00:00Z`)
  }
  const { commandActor, issueKey } = await import("../keys/keys.ts")
  const key = await asOperator(cli, (tx, keyring) =>
    issueKey(tx, keyring, {
      tenant,
      environment,
      name,
      actor: commandActor(),
      ...(expiresAt && { expiresAt }),
      ...(plan !== undefined && { plan }),
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
  const state = key.revoked_at
    ? `revoked ${key.revoked_at}`
    : key.expires_at
      ? `expires ${key.expires_at}`
      : "good"
  return `${key.id}  ${key.hint}  ${key.tenant}  ${key.name}  ${state}`
}

async function revoke(id: string, cli: Cli): Promise<ExitCode> {
  const { commandActor, revokeKey } = await import("../keys/keys.ts")
  const revoked = await asOperator(cli, (tx) => revokeKey(tx, id, commandActor()))
  cli.out(cli.json ? JSON.stringify(revoked) : `${revoked.id} revoked at ${revoked.revoked_at}`)
  return 0
}
