/**
 * What tenants with few units were answered, and whether the database charged just that.
 *
 * Owns: the comparison. Not: who asks (quota-run.ts).
 */
import type pg from "pg"
import { decodeId } from "../../src/core/ids.ts"

export interface Charged {
  readonly tenantId: string
  readonly requestId: string
  readonly status: number
  /** Its instance was killed so soon afterwards that it could not take a batch back. */
  readonly orphaned: boolean
}

export interface Budget {
  readonly tenantId: string
  /** Units of the month; they were asked for until there were none. */
  readonly units: number
}

/** @returns What does not add up, in words. */
export async function chargeFaults(
  client: pg.ClientBase,
  budgets: readonly Budget[],
  answers: readonly Charged[],
): Promise<string[]> {
  const of = (wanted: (status: number) => boolean) =>
    answers.filter(({ status, orphaned }) => wanted(status) && !orphaned)
  const ids = (list: readonly Charged[]) =>
    list.map(({ requestId }) => decodeId("req", requestId) ?? "")
  const { rows } = await client.query<{ fault: string }>(FAULTS, [
    budgets.map(({ tenantId }) => tenantId),
    budgets.map(({ units }) => units),
    ids(of((status) => status === 200)),
    ids(of((status) => status >= 400)),
  ])
  const overServed = budgets.flatMap(({ tenantId, units }) => {
    const served = answers.filter((one) => one.tenantId === tenantId && one.status === 200).length
    return served > units ? [`tenant ${tenantId} was served ${served} of ${units} units`] : []
  })
  return [...overServed, ...rows.map(({ fault }) => fault)]
}

const FAULTS = `
  with budget as (
    select * from unnest($1::uuid[], $2::bigint[]) b(tenant_id, units)
  ), charge as (
    select b.tenant_id, b.units as budget,
      (select coalesce(sum(u.units), 0) from live.usage u where u.tenant_id = b.tenant_id) as rows,
      (select coalesce(sum(c.units), 0) from live.charge c where c.tenant_id = b.tenant_id) as counted
    from budget b
  )
  select 'tenant ' || tenant_id || ': ' || counted || ' units are counted, its rows have ' || rows
      as fault
    from charge where counted <> rows
  union all
  select 'tenant ' || tenant_id || ': ' || counted || ' units are counted of ' || budget
    from charge where counted <> budget
  union all
  select count(u.*) || ' rows with a unit for request ' || a.id || ', answered 200'
    from unnest($3::uuid[]) a(id)
    left join live.usage u on u.request_id = a.id and u.status = 200 and u.units = 1
    group by a.id having count(u.*) <> 1
  union all
  select 'request ' || a.id || ', refused, was charged; its row has ' || coalesce(u.status::text, 'no status')
    from unnest($4::uuid[]) a(id) join live.usage u on u.request_id = a.id and u.units <> 0
  union all
  select count(*) || ' rows for request ' || u.request_id
    from live.usage u group by u.request_id having count(*) > 1`
