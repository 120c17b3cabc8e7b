/** K6: a test key reaches nothing live, over every route that the OpenAPI document names. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Lab } from "../../lab/lab.ts"
import { startLab } from "../../lab/lab.ts"
import { readConfig } from "../../src/config.ts"
import { withClient } from "../../src/db/connection.ts"
import { platformPackage } from "../../src/db/embedded/binaries.ts"
import { openEmbedded } from "../../src/db/embedded/embedded.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { Program } from "../program.ts"
import { startProgram } from "../program.ts"

const DOMAINS = [
  "approve.test",
  "review.test",
  "reject.test",
  "unreachable.test",
  "rate-limited.test",
  "error.test",
  // Two that the lab has: a test key must not go and look.
  "lindenshop.test",
  "harbourbank.test",
]

describe("a test key", () => {
  let lab: Lab
  let program: Program
  before(async () => {
    lab = await startLab()
    program = await startProgram({ environment: lab.settings })
  })
  after(async () => {
    await program.stop()
    await lab.close()
  })

  it("changes no live row and sends nothing to anybody", async () => {
    const key = program.keys?.test ?? ""
    const { paths } = (await program.ask("/v1/openapi.json")).json
    const rows = await liveRows(program)
    assert.equal(rows["api_key"], 1, "the count sees live rows: the first live key")
    for (const path of Object.keys(paths)) {
      const targets =
        path === "/v1/analyze"
          ? DOMAINS.flatMap((domain) => [
              `${path}?domain=${domain}`,
              `${path}?domain=${domain}&fresh=true`,
            ])
          : [path]
      for (const target of targets) {
        const { status } = await program.ask(target, { key })
        assert.notEqual(status, 404, target)
      }
    }
    assert.deepEqual(await liveRows(program), rows)
    assert.deepEqual(questions(lab), [])
    assert.deepEqual([...lab.requests.connections], [])
  })

  it("while a live key does both", async () => {
    const key = program.keys?.live ?? ""
    const rows = await liveRows(program)
    assert.equal((await program.ask("/v1/analyze?domain=lindenshop.test", { key })).status, 200)
    const after = await liveRows(program)
    assert.deepEqual(after, {
      ...rows,
      account: 1,
      analysis: 1,
      batch: 2, // its admission and its outcome
      slice: 1,
      usage: 1,
    })
    assert.ok(lab.requests.connections.size > 0)
    assert.ok(questions(lab).includes("lindenshop.test A"))
  })
})

/** @returns How many rows each table of the schema `live` has. */
async function liveRows({ dataDir }: Program): Promise<Record<string, number>> {
  const { dataDir: folder } = readConfig({ ZT_DATA_DIR: dataDir })
  const server = await openEmbedded(folder, fileSecrets(folder), platformPackage())
  try {
    return await withClient(server.address(EMBEDDED_DATABASE), server.superuser, async (client) => {
      const tables = await client.query<{ name: string }>(
        "select relname as name from pg_class where relnamespace = 'live'::regnamespace and relkind in ('r', 'p')",
      )
      const counts: Record<string, number> = {}
      for (const { name } of tables.rows) {
        const { rows } = await client.query(`select count(*)::int as n from live.${name}`)
        counts[name] = rows[0].n
      }
      return counts
    })
  } finally {
    await server.close()
  }
}

/** @returns What was asked of DNS. Health asks for the root, which is nobody's domain. */
function questions({ requests }: Lab): string[] {
  return [...requests.questions.keys()].filter((question) => question !== ". NS")
}
