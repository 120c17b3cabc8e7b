/**
 * What admission adds to a request at low load, one at a time, against a durable insert of one row by
 * the same driver on the same PostgreSQL, which syncs.
 *
 * `bin/node bench/low-load.ts [--calls 1500]`. By turns, one call each, over connections that stay open:
 * a repeated `GET /v1/analyze` (admitted, charged, recorded); the same bytes from a bare `node:https`,
 * which stands for the answer without admission, and counts all else that we do as admission's; the
 * program's own `/v1/health/live`, for comparison; the insert, in a transaction of its own.
 */
import { readFileSync } from "node:fs"
import { Agent } from "node:https"
import { parseArgs } from "node:util"
import { newUuid } from "../src/core/ids.ts"
import { runStatement } from "../src/db/connection.ts"
import { askOver } from "../test/program.ts"
import { startBare } from "./bare.ts"
import { openDeployment, TARGET } from "./deployment.ts"
import { medians } from "./scratch.ts"
import { opened, tidily } from "./tidy.ts"

const LIMIT = 1.5
const LIVE = "/v1/health/live"

const { values } = parseArgs({ options: { calls: { type: "string", default: "1500" } } })

await tidily(async (stack) => {
  const { programs, dataDir, keys, connect } = await openDeployment(stack)
  const [program] = programs
  const [key] = await keys(1)
  if (program === undefined || key === undefined) throw new Error("nothing started")
  const answer = await program.ask(TARGET, { key })
  const bare = await opened(
    stack,
    () => startBare(dataDir, answer),
    (one) => one.close(),
  )
  const agent = new Agent({ ca: readFileSync(bare.ca), keepAlive: true })
  stack.defer(async () => agent.destroy())
  const client = await connect()
  // Of a usage row's size, and with a key as it has one.
  await client.query("create table public.one (id uuid primary key, at timestamptz, what text)")

  const found = await medians(
    {
      ours: () => program.ask(TARGET, { key }),
      bare: () => askOver(agent, bare.url, TARGET, { key }),
      live: () => program.ask(LIVE),
      insert: () =>
        runStatement(client, "insert into public.one values ($1, now(), $2)", [
          newUuid(),
          "of a usage row's size, which is about a hundred bytes of payload: so much",
        ]),
    },
    Number(values.calls),
  )
  const row = (name: string, micros: number) =>
    console.log(`${name.padEnd(44)} ${micros.toFixed(0).padStart(6)} µs`)
  console.log(`one at a time, keep-alive, medians of ${values.calls}:`)
  row("GET /v1/analyze, admitted, from memory", found.ours)
  row("the same bytes from a bare node:https", found.bare)
  row(`GET ${LIVE}`, found.live)
  row("a durable insert of one row", found.insert)
  const added = (without: number) => ((found.ours - without) / found.insert).toFixed(2)
  console.log(
    `admission adds ${added(found.bare)} inserts over bare node:https (at most ${LIMIT}), ${added(found.live)} over ${LIVE}`,
  )
})
