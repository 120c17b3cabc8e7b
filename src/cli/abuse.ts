/** `zygentrust abuse list | show | dismiss | throttle | lift`: what detectors found, and what to do. */
import { parseArgs } from "node:util"
import type { ShownFinding, ShownThrottle } from "../usage/abuse/findings.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { readDuration } from "./keys-words.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust abuse list [--all]
       zygentrust abuse show FINDING
       zygentrust abuse dismiss FINDING [--days N]
       zygentrust abuse throttle KEY|TENANT --rate N [--burst N] [--for DURATION]
       zygentrust abuse lift KEY|TENANT|FINDING

A running server looks every minute for what is unusual: guessed keys and ids, many
domains or requests beyond what a tenant ever asks, a key in many networks. It tells
the owner and you, and by some rules holds keys to a lower rate for a while.

list       Findings of the last day, and keys that are throttled now. --all: all that
           are kept (400 days), dismissed ones too.
show       One finding: what was seen, what was done, what can be done.
dismiss    Says that it is ordinary: what it throttled is put back, and its rule is
           quiet for whom it concerns for N days (30).
throttle   Holds a key, or all keys of a tenant, to a rate for a while (24h by default,
           30d at most), whatever its plan says.
lift       Puts back what a key, a tenant's keys or a finding's keys had before, at once.
           The finding throttles no more.

Nothing is ever disabled by the program: 'keys disable KEY' is yours to say.
Works with or without a running server.

Example
  zygentrust abuse throttle key_01h455vb4pex5vsknk084sn02q --rate 2 --for 12h`

const OPTIONS = {
  all: { type: "boolean" },
  days: { type: "string" },
  rate: { type: "string" },
  burst: { type: "string" },
  for: { type: "string" },
} as const

const ACTIONS: Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>> = {
  list: ["all"],
  show: [],
  dismiss: ["days"],
  throttle: ["rate", "burst", "for"],
  lift: [],
}

const QUIET_DAYS = 30
const MAX_THROTTLE_SECONDS = 30 * 86_400

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action = "", id, ...rest] = positionals
  const takes = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (takes === undefined) throw wrongUsage("abuse takes list, show, dismiss, throttle or lift")
  for (const option of Object.keys(values) as (keyof typeof OPTIONS)[]) {
    if (!takes.includes(option)) throw wrongUsage(`abuse ${action} takes no --${option}`)
  }
  if (action === "list") {
    if (id !== undefined) throw wrongUsage("abuse list takes --all alone")
    return list(values.all === true, cli)
  }
  if (id === undefined || rest.length > 0) throw wrongUsage(`abuse ${action} takes one id`)
  switch (action) {
    case "show":
      return show(id, cli)
    case "dismiss":
      return dismiss(id, number("days", values.days ?? `${QUIET_DAYS}`, 3_650), cli)
    case "throttle":
      return hold(id, values, cli)
    default:
      return liftAll(id, cli)
  }
}

async function list(all: boolean, cli: Cli): Promise<ExitCode> {
  const { listFindings, listThrottles } = await import("../usage/abuse/findings.ts")
  const { findings, throttles } = await asOperator(cli, async (tx) => ({
    findings: await listFindings(tx, all),
    throttles: await listThrottles(tx),
  }))
  if (cli.json) {
    cli.out(JSON.stringify({ findings, throttles }))
    return 0
  }
  if (findings.length === 0) {
    cli.err(
      `Nothing suspicious ${all ? "is known" : "in the last day; --all shows what was before"}.`,
    )
  }
  for (const finding of findings) cli.out(line(finding))
  for (const held of throttles.filter((one) => one.finding === null)) cli.out(heldLine(held))
  return 0
}

async function show(id: string, cli: Cli): Promise<ExitCode> {
  const { findFinding, listThrottles } = await import("../usage/abuse/findings.ts")
  const { finding, throttles } = await asOperator(cli, async (tx) => ({
    finding: await findFinding(tx, id),
    throttles: await listThrottles(tx, id),
  }))
  if (cli.json) cli.out(JSON.stringify({ ...finding, throttles }))
  else for (const text of describe(finding, throttles)) cli.out(text)
  return 0
}

async function dismiss(id: string, days: number, cli: Cli): Promise<ExitCode> {
  const [{ dismissFinding }, { commandActor }] = await Promise.all([
    import("../usage/abuse/findings.ts"),
    import("../keys/keys.ts"),
  ])
  const { finding, lifted } = await asOperator(cli, (tx) =>
    dismissFinding(tx, id, days, commandActor()),
  )
  if (cli.json) cli.out(JSON.stringify({ ...finding, keys_lifted: lifted }))
  else {
    const back = lifted === 0 ? "" : ` ${keys(lifted)} got back what they had.`
    cli.out(`${id} is dismissed; its rule is quiet here until ${finding.quiet_until}.${back}`)
  }
  return 0
}

async function hold(
  subject: string,
  values: { readonly rate?: string; readonly burst?: string; readonly for?: string },
  cli: Cli,
): Promise<ExitCode> {
  if (values.rate === undefined) throw wrongUsage("abuse throttle takes --rate, requests a second")
  const perSecond = number("rate", values.rate, 1_000_000)
  const burst = values.burst === undefined ? perSecond : number("burst", values.burst, 10_000_000)
  const seconds = readDuration("--for", values.for ?? "24h", MAX_THROTTLE_SECONDS)
  const until = new Date(Date.now() + seconds * 1000)
  const [{ throttle }, { commandActor }] = await Promise.all([
    import("../usage/abuse/findings.ts"),
    import("../keys/keys.ts"),
  ])
  const done = await asOperator(cli, (tx) =>
    throttle(tx, subject, { perSecond, burst, until }, commandActor()),
  )
  const told = {
    id: subject,
    keys: done.keys,
    requests_per_second: perSecond,
    burst,
    until: until.toISOString(),
  }
  if (cli.json) cli.out(JSON.stringify(told))
  else {
    cli.out(
      `${keys(done.keys)} held to ${perSecond} a second, ${burst} at once, until ${told.until}.`,
    )
  }
  return 0
}

async function liftAll(subject: string, cli: Cli): Promise<ExitCode> {
  const [{ lift }, { commandActor }] = await Promise.all([
    import("../usage/abuse/findings.ts"),
    import("../keys/keys.ts"),
  ])
  const lifted = await asOperator(cli, (tx) => lift(tx, subject, commandActor()))
  if (cli.json) cli.out(JSON.stringify({ id: subject, keys: lifted.keys }))
  else if (lifted.keys === 0) cli.out(`Nothing of ${subject} is throttled.`)
  else cli.out(`${keys(lifted.keys)} got back what they had.`)
  return 0
}

function line(finding: ShownFinding): string {
  const { id, last_at, rule, state, measured, threshold, environment } = finding
  const figures = `${measured.toLocaleString("en")} (from ${threshold.toLocaleString("en")})`
  const whose = finding.key ?? finding.tenant ?? "the deployment"
  return `${id}  ${last_at.slice(0, 16)}Z  ${environment}  ${state.padEnd(9)}  ${rule} ${figures}  ${whose}`
}

function heldLine({ key, environment, requests_per_second, until, actor }: ShownThrottle): string {
  return `${key}  ${environment}  throttled  to ${requests_per_second} a second until ${until} by ${actor}`
}

function describe(finding: ShownFinding, throttles: readonly ShownThrottle[]): string[] {
  const { id, tenant, key, measured, threshold } = finding
  const subject = key ?? tenant
  const held = throttles.map(
    (one) =>
      `  ${one.key}: ${one.requests_per_second} a second until ${one.until} (before: ${one.was_requests_per_second ?? "any"})`,
  )
  return [
    `${id}: ${finding.title}`,
    "",
    `rule       ${finding.rule}, ${finding.environment}`,
    `seen       ${measured.toLocaleString("en")}; noticed from ${threshold.toLocaleString("en")}`,
    `from, to   ${finding.first_at}, ${finding.last_at}`,
    `tenant     ${tenant ?? "none"}`,
    `key        ${key ?? (tenant === null ? "none" : "all of the tenant")}`,
    `state      ${finding.state}${finding.quiet_until === null ? "" : `, quiet until ${finding.quiet_until}`}`,
    ...(held.length === 0 ? [] : ["", "Throttled:", ...held]),
    "",
    finding.meaning,
    "",
    "What can be done:",
    ...(held.length === 0 ? [] : [`  zygentrust abuse lift ${id}`]),
    `  zygentrust abuse dismiss ${id}`,
    ...(subject === null || held.length > 0
      ? []
      : [`  zygentrust abuse throttle ${subject} --rate 1 --for 24h`]),
    ...(key === null ? [] : [`  zygentrust keys show ${key}`, `  zygentrust keys disable ${key}`]),
    ...(key === null && tenant !== null ? [`  zygentrust usage --tenant ${tenant} --by key`] : []),
  ]
}

function number(option: string, text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw wrongUsage(`--${option} takes a whole number from 1 to ${max}, not '${text}'`)
}

function keys(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`
}
