/**
 * Partitions of usage, a day each: how far ahead they reach.
 *
 * Not: making and dropping them (the database's functions, at the maintenance's bidding). Any role may
 * ask that finds the schemas.
 */

/** Made by every look of the maintenance. */
export const DAYS_AHEAD = 7
/** Made by a start, which is not to take long. Fewer than this, and somebody should know. */
export const ENOUGH_DAYS_AHEAD = 2

/** One row of `days`: on how many days to come usage rows have a place; -1: not even today. */
export const READ_DAYS_AHEAD = `
  select coalesce(min(n) - 1, ${DAYS_AHEAD})::integer as days
    from generate_series(0, ${DAYS_AHEAD}) n, unnest(array['live', 'sandbox']) schema
    where to_regclass(schema || '.usage_'
      || to_char((clock_timestamp() at time zone 'UTC')::date + n, 'YYYYMMDD')) is null`

/** @returns What is wrong and what comes of it, where they do not reach far enough. */
export function tooFewAhead(days: number): string | undefined {
  if (days >= ENOUGH_DAYS_AHEAD) return undefined
  return days < 0
    ? "Usage rows of today have no partition, so that requests get 503."
    : `Usage rows have partitions until ${days === 0 ? "today" : "tomorrow"} alone; requests of later days would get 503.`
}
