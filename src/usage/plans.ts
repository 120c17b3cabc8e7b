/**
 * Plans: what tenants may use. Made, changed and removed by operators; a change holds from the next
 * request, since the admission statement reads the plan itself.
 *
 * Owns: the rows and their audit entries. Not: holding tenants to them (admission/).
 */
import { append } from "../audit/append.ts"
import { decodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import { sqlState } from "../db/errors.ts"

/** Null: no limit. */
export interface Plan {
  readonly name: string
  /** Of a calendar month in UTC. */
  readonly units_per_month: number | null
  /** Past the units, requests are served and counted all the same. */
  readonly soft: boolean
  readonly requests_per_second: number | null
  /** Requests at once, before the rate counts. */
  readonly burst: number | null
  /** Requests that may run at once; those answered from memory do not count. */
  readonly concurrency: number | null
  readonly max_keys: number | null
  /** Domains in one batch. */
  readonly batch_size: number
  readonly retention_days: number
  readonly self_service: boolean
  /** Whether owners are told at 80 and 100 % of the units. */
  readonly alerts: boolean
  /** What becomes of a key that a secret scanner found: disabled, or its owner only told. */
  readonly on_leak: "disable" | "notify"
}

/** A plan with how many tenants are on it. */
export interface ListedPlan extends Plan {
  readonly tenants: number
}

export type PlanChange = Partial<Omit<Plan, "name">>

const FOREIGN_KEY = "23503"
const CHECK = "23514"
const COLUMNS = [
  "units_per_month",
  "soft",
  "requests_per_second",
  "burst",
  "concurrency",
  "max_keys",
  "batch_size",
  "retention_days",
  "self_service",
  "alerts",
  "on_leak",
] as const satisfies readonly (keyof PlanChange)[]

/** @returns Every plan, by name. */
export async function listPlans(tx: Tx): Promise<ListedPlan[]> {
  const rows = await tx.query<ListedPlan & { units_per_month: string | null }>(
    `select name, ${COLUMNS.join(", ")},
        (select count(*)::integer from platform.tenant t where t.plan = p.name) as tenants
      from platform.plan p order by name`,
  )
  return rows.map((row) => ({
    ...row,
    units_per_month: row.units_per_month === null ? null : Number(row.units_per_month),
  }))
}

/**
 * Makes a plan of that name, or changes the one there is; what is not given stays.
 * @throws Problem `INVALID_REQUEST` for values out of range, or a rate without a burst.
 */
export async function savePlan(
  tx: Tx,
  name: string,
  change: PlanChange,
  actor: string,
): Promise<{ plan: Plan; made: boolean }> {
  const columns = COLUMNS.filter((column) => change[column] !== undefined)
  const values = columns.map((column) => change[column])
  const [before] = await tx.query("select from platform.plan where name = $1", [name])
  try {
    if (before === undefined) {
      const list = ["name", ...columns]
      await tx.query(
        `insert into platform.plan (${list}) values (${list.map((_, n) => `$${n + 1}`)})`,
        [name, ...values],
      )
    } else if (columns.length > 0) {
      const set = columns.map((column, n) => `${column} = $${n + 2}`)
      await tx.query(`update platform.plan set ${set} where name = $1`, [name, ...values])
    }
  } catch (error) {
    if (sqlState(error) !== CHECK) throw error
    throw new Problem("INVALID_REQUEST", {
      message: `That is no plan. A name is lower-case letters, digits and hyphens, 40 at most, and begins with a letter; a rate needs a burst and the other way round; rates are 1 to 1,000,000 a second, requests at once 1 to 100,000, batches 1 to 10,000 domains, retention 1 to 3,650 days.`,
    })
  }
  const plan = (await listPlans(tx)).find((one) => one.name === name)
  if (plan === undefined) throw new Problem("INTERNAL")
  const { tenants: _, ...saved } = plan
  const { name: __, ...details } = saved
  await append(tx, { actor, action: "plan.saved", subject: name, details })
  return { plan: saved, made: before === undefined }
}

/** @throws Problem `NOT_FOUND`, or `CONFLICT` while tenants are on it. */
export async function removePlan(tx: Tx, name: string, actor: string): Promise<void> {
  try {
    const [gone] = await tx.query("delete from platform.plan where name = $1 returning name", [
      name,
    ])
    if (gone === undefined) throw unknown(name)
  } catch (error) {
    if (sqlState(error) !== FOREIGN_KEY) throw error
    throw new Problem("CONFLICT", {
      message: `Tenants are on the plan '${name}': move them first, with 'tenants plan ID PLAN'.`,
    })
  }
  await append(tx, { actor, action: "plan.removed", subject: name })
}

/**
 * Puts a tenant on a plan, from its next request. What it has used of the month stays used.
 * @throws Problem `NOT_FOUND` for a tenant or a plan that is not there.
 */
export async function assignPlan(tx: Tx, id: string, plan: string, actor: string): Promise<void> {
  const tenantId = decodeId("ten", id)
  try {
    const [row] = await tx.query(
      "update platform.tenant set plan = $2 where id = $1 returning id",
      [tenantId ?? null, plan],
    )
    if (tenantId === undefined || row === undefined) {
      throw new Problem("NOT_FOUND", { message: `There is no tenant ${id}.` })
    }
  } catch (error) {
    if (sqlState(error) !== FOREIGN_KEY) throw error
    throw unknown(plan)
  }
  await append(tx, {
    actor,
    action: "tenant.plan_changed",
    tenantId,
    subject: id,
    details: { plan },
  })
}

function unknown(name: string): Problem {
  return new Problem("NOT_FOUND", {
    message: `There is no plan '${name}'; 'plans list' shows all.`,
  })
}
