/** `zygentrust plans list | set | remove`: what tenants may use. */
import { parseArgs } from "node:util"
import type { ListedPlan, Plan, PlanChange } from "../usage/plans.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust plans list
       zygentrust plans set NAME [--units N|none] [--limit soft|hard]
                         [--rate N|none --burst N|none] [--concurrency N|none]
                         [--keys N|none] [--batch N] [--retention DAYS]
                         [--self-service yes|no]
                         [--alerts yes|no] [--on-leak disable|notify]
       zygentrust plans remove NAME

list     Shows every plan and how many tenants are on it.
set      Makes a plan, or changes one; what is not given stays. A change holds from
         the next request of every tenant on it.
remove   Removes a plan that no tenant is on.

--units         Answers a calendar month (UTC), at most; those of 400 and above cost
                nothing. Past a hard limit requests get 429, past a soft one they are
                served and counted.
--rate, --burst Requests a second in the long run, and how many at once before that
                counts; of a tenant, over all instances.
--concurrency   Requests that may run at once, over all instances; what is answered
                from memory does not count. Those past it get 429.
--keys          Keys that a tenant may have, of live and of test each.
--batch         Domains in one batch.
--retention     Days that what a tenant asked is kept.
--self-service  Whether people may issue themselves a key on this plan.
--alerts        Whether owners are told when 80 and 100 % of the units are used.
--on-leak       A key that a secret scanner found is disabled, or its owner only told.

A tenant is put on a plan by: zygentrust tenants plan ID NAME

Example
  zygentrust plans set trial --units 1000 --rate 5 --burst 20 --keys 2`

const OPTIONS = {
  units: { type: "string" },
  limit: { type: "string" },
  rate: { type: "string" },
  burst: { type: "string" },
  concurrency: { type: "string" },
  keys: { type: "string" },
  batch: { type: "string" },
  retention: { type: "string" },
  "self-service": { type: "string" },
  alerts: { type: "string" },
  "on-leak": { type: "string" },
} as const

type Values = { readonly [K in keyof typeof OPTIONS]?: string }

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action, name, ...rest] = positionals
  const [option] = Object.keys(values)
  if (action !== "set" && option !== undefined) throw wrongUsage(`--${option} belongs to plans set`)
  if (action === "list" && name === undefined) return list(cli)
  if (action === "set" && name !== undefined && rest.length === 0) return set(name, values, cli)
  if (action === "remove" && name !== undefined && rest.length === 0) return remove(name, cli)
  throw wrongUsage(
    action === "set" || action === "remove"
      ? `plans ${action} takes one plan's name`
      : `plans takes list, set NAME or remove NAME`,
  )
}

async function list(cli: Cli): Promise<ExitCode> {
  const { listPlans } = await import("../usage/plans.ts")
  const plans = await asOperator(cli, listPlans)
  if (cli.json) cli.out(JSON.stringify({ plans }))
  else for (const row of table(plans)) cli.out(row)
  return 0
}

async function set(name: string, values: Values, cli: Cli): Promise<ExitCode> {
  const change = readChange(values)
  const [{ savePlan }, { commandActor }] = await Promise.all([
    import("../usage/plans.ts"),
    import("../keys/keys.ts"),
  ])
  const { plan, made } = await asOperator(cli, (tx) => savePlan(tx, name, change, commandActor()))
  if (cli.json) cli.out(JSON.stringify(plan))
  else cli.out(`${name} is ${made ? "made" : "changed"}: ${describePlan(plan)}.`)
  return 0
}

async function remove(name: string, cli: Cli): Promise<ExitCode> {
  const [{ removePlan }, { commandActor }] = await Promise.all([
    import("../usage/plans.ts"),
    import("../keys/keys.ts"),
  ])
  await asOperator(cli, (tx) => removePlan(tx, name, commandActor()))
  cli.out(cli.json ? JSON.stringify({ name, removed: true }) : `${name} is removed.`)
  return 0
}

/** @throws Problem `WRONG_USAGE` that names the option. */
function readChange(values: Values): PlanChange {
  const limit = choose(values, "limit", { soft: true, hard: false })
  const selfService = choose(values, "self-service", { yes: true, no: false })
  const alerts = choose(values, "alerts", { yes: true, no: false })
  const onLeak = choose(values, "on-leak", { disable: "disable", notify: "notify" } as const)
  const numbers = {
    units_per_month: count(values, "units", true),
    requests_per_second: count(values, "rate", true),
    burst: count(values, "burst", true),
    concurrency: count(values, "concurrency", true),
    max_keys: count(values, "keys", true),
    batch_size: count(values, "batch", false),
    retention_days: count(values, "retention", false),
  }
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(given) as PlanChange),
    ...(limit !== undefined && { soft: limit }),
    ...(selfService !== undefined && { self_service: selfService }),
    ...(alerts !== undefined && { alerts }),
    ...(onLeak !== undefined && { on_leak: onLeak }),
  }
}

function count(values: Values, name: keyof Values, none: boolean): number | null | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  if (none && text === "none") return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw wrongUsage(`--${name} takes a whole number${none ? ", or none" : ""}, not '${text}'`)
}

function choose<T>(values: Values, name: keyof Values, of: Readonly<Record<string, T>>) {
  const text = values[name]
  if (text === undefined) return undefined
  if (Object.hasOwn(of, text)) return of[text]
  throw wrongUsage(`--${name} takes ${Object.keys(of).join(" or ")}, not '${text}'`)
}

function describePlan(plan: Plan): string {
  const units = plan.units_per_month === null ? "any number of" : number(plan.units_per_month)
  const rate =
    plan.requests_per_second === null
      ? "at any rate"
      : `${number(plan.requests_per_second)} a second, ${number(plan.burst ?? 0)} at once`
  return `${units} units a month${plan.soft ? " (soft)" : ""}, ${rate}`
}

function table(plans: readonly ListedPlan[]): string[] {
  const head = ["plan", "units/month", "limit", "rate/s", "burst", "at once", "keys", "tenants"]
  const rows = plans.map((plan) => [
    plan.name,
    any(plan.units_per_month),
    plan.units_per_month === null ? "" : plan.soft ? "soft" : "hard",
    any(plan.requests_per_second),
    any(plan.burst),
    any(plan.concurrency),
    any(plan.max_keys),
    number(plan.tenants),
  ])
  const widths = head.map((_, n) => Math.max(...[head, ...rows].map((row) => row[n]?.length ?? 0)))
  return [head, ...rows].map((row) =>
    row
      .map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
      .join("  "),
  )
}

function any(value: number | null): string {
  return value === null ? "any" : number(value)
}

function number(value: number): string {
  return value.toLocaleString("en")
}
