/** Partitions of usage for days that no start makes, so that tests can have rows of other times. */
import type pg from "pg"

/** @param from - Days back from today, like `to`; the days between too. */
export async function addUsageDays(client: pg.ClientBase, from: number, to = 0): Promise<void> {
  await client.query(
    `select live.add_usage_day(day), sandbox.add_usage_day(day)
      from (select (now() at time zone 'UTC')::date - n as day from generate_series($1::int, $2) n) days`,
    [to, from],
  )
}
