/** A database that benches fill and throw away, migrated, on a server of its own that does not sync. */
import { setTimeout as sleep } from "node:timers/promises"
import pg from "pg"
import { clientConfig } from "../src/db/connection.ts"
import { EMBEDDED_DATABASE } from "../src/db/setup.ts"
import { asSuperuser, closeServers, sharedServer } from "../test/postgres-servers.ts"
import { interrupted, opened } from "./tidy.ts"

export interface Scratch {
  /** Logs in as superuser. */
  connect(database: string): Promise<pg.Client>
  /** Makes a migrated database of that name. */
  create(name: string): Promise<void>
}

export async function openScratch(stack: AsyncDisposableStack): Promise<Scratch> {
  const { server } = await opened(stack, () => sharedServer(18), closeServers)
  return {
    async connect(database) {
      const client = new pg.Client(clientConfig(server.address(database), server.superuser))
      client.on("error", () => {}) // whatever is under way fails as well
      stack.defer(async () => {
        const ending = client.end().catch(() => {})
        if (!interrupted.aborted) await ending // else it may fill a table for minutes
      })
      await client.connect()
      return client
    },
    create: (name) =>
      asSuperuser(server, "postgres", async (client) => {
        await client.query(`create database ${name} template ${EMBEDDED_DATABASE}`)
      }),
  }
}

/** In SQL: a place for usage rows of other days than those that are made ahead. */
export const usageDays = (from: string, days: number): string => `do $$ begin
    if to_regprocedure('live.add_usage_day(date)') is not null then
      perform live.add_usage_day(${from} + n) from generate_series(0, ${days - 1}) n;
    end if;
  end $$`

/**
 * Times several works by turns, one call each, so that what disturbs one disturbs all.
 * @returns Medians in microseconds.
 */
export async function medians<Name extends string>(
  works: Readonly<Record<Name, (n: number) => Promise<unknown>>>,
  calls: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(works) as [Name, (n: number) => Promise<unknown>][]
  const times = new Map(entries.map(([name]) => [name, [] as number[]]))
  const warm = Math.ceil(calls / 10)
  for (let n = 0; n < calls + warm; n++) {
    if (n % 500 === 0) await sleep(1)
    for (const [name, work] of n % 2 === 0 ? entries : entries.toReversed()) {
      const began = performance.now()
      await work(n)
      if (n >= warm) times.get(name)?.push((performance.now() - began) * 1_000)
    }
  }
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)])) as Record<
    Name,
    number
  >
}
