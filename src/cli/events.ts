/** `zygentrust events list`: what owners of keys are told of, and whether it was mailed. */
import { parseArgs } from "node:util"
import type { EventKind, ShownEvent } from "../events/events.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust events list [--tenant ID] [--kind KIND] [--key ID] [--limit N]

Shows what owners of keys are told of, the newest first: quotas of which 80 or 100 % are
used, keys that end soon, leaked, or were sent over plain HTTP, and what detectors saw.
Owners read it at GET /v1/events; a tenant with a contact is mailed too, where mail is
set up (ZT_SMTP_URL): zygentrust tenants contact ID --set ADDRESS

--tenant  Of one tenant, by its id.
--kind    Of one kind, such as quota_100 or key_leaked.
--key     About one key, by its id.
--limit   How many, at most; 50 unless said.

Works with or without a running server.

Example
  zygentrust events list --kind key_leaked`

const LIMIT = 50

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      tenant: { type: "string" },
      kind: { type: "string" },
      key: { type: "string" },
      limit: { type: "string", default: `${LIMIT}` },
    },
    allowPositionals: true,
  })
  if (positionals.length !== 1 || positionals[0] !== "list") throw wrongUsage("events takes list")
  const { tenant, key, limit } = values
  if (!/^[1-9]\d{0,5}$/.test(limit)) {
    throw wrongUsage(`--limit takes a number from 1 to 999999, not '${limit}'`)
  }
  const [{ listEvents, EVENT_KINDS }, { tenantUuid }, { findKey }, { encodeId }] =
    await Promise.all([
      import("../events/events.ts"),
      import("../keys/tenants.ts"),
      import("../keys/row.ts"),
      import("../core/ids.ts"),
    ])
  const kind = readKind(values.kind, EVENT_KINDS)
  const found = await asOperator(cli, async (tx) => {
    const tenantId = tenant === undefined ? undefined : await tenantUuid(tx, tenant)
    const keyId = key === undefined ? undefined : (await findKey(tx, key, ["live", "test"])).id
    return listEvents(tx, ["live", "test"], { kind, keyId, tenantId }, Number(limit))
  })
  const events = found.map(({ tenantId, ...event }) => ({
    ...event,
    tenant: encodeId("ten", tenantId),
  }))
  if (cli.json) cli.out(JSON.stringify({ events }))
  else if (events.length === 0) cli.err("No events. There is nothing that anybody should be told.")
  else for (const event of events) cli.out(line(event))
  return 0
}

function readKind(text: string | undefined, kinds: readonly EventKind[]): EventKind | undefined {
  const kind = kinds.find((one) => one === text)
  if (text === undefined || kind !== undefined) return kind
  throw wrongUsage(`--kind takes ${kinds.join(", ")}, not '${text}'`)
}

function line(event: ShownEvent & { readonly tenant: string }): string {
  const { at, kind, tenant, environment, key, mailed_at } = event
  const details = Object.entries(event.details).map(([name, value]) => `${name}=${value}`)
  const mailed = mailed_at === null ? "not mailed" : "mailed"
  return [at, kind, tenant, environment, key, ...details, mailed].filter(Boolean).join("  ")
}
