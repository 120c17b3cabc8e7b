/** S2: whatever the database or anybody throws, its values reach neither log nor caller nor terminal. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { LRUCache } from "lru-cache"
import { report } from "../../src/cli/main-error.ts"
import { Problem } from "../../src/core/problem.ts"
import { runStatement, withClient } from "../../src/db/connection.ts"
import { createApp } from "../../src/http/app.ts"
import type { Parts } from "../../src/http/parts.ts"
import { listed } from "../../src/log.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import { createSearch } from "./search.ts"
import { newWord } from "./secrets.ts"
import { freePort } from "./send.ts"

type Thrower = (secret: string) => unknown

describe("values in errors", () => {
  let database: TestDatabase
  before(async () => {
    database = await createDatabase()
  })
  after(() => database.drop())

  const statement =
    (sql: string): Thrower =>
    (secret) =>
      database.asSuperuser(async (client) => {
        await client.query("create temp table t (name text primary key check (length(name) < 30))")
        await runStatement(client, "insert into t values ($1)", [secret])
        return runStatement(client, sql, [secret])
      })
  const login = (url: (secret: string, port: number) => string): Thrower => {
    return async (secret) => {
      const address = { url: url(secret, await freePort()) }
      return withClient(address, { user: "admin", password: secret }, async () => {})
    }
  }

  const CASES: Readonly<Record<string, Thrower>> = {
    "a unique key that is taken": statement("insert into t values ($1)"),
    "a check that fails": statement("insert into t values ($1::text || ' too long for that')"),
    "a value of another type": statement("select $1::text::uuid"),
    "a number that is none": statement("select ('x' || $1::text)::int"),
    "a server that is not there": login((_, port) => `postgresql://127.0.0.1:${port}/x`),
    "a password in the address": login(
      (secret, port) => `postgresql://a:${secret}@127.0.0.1:${port}/x`,
    ),
    "a refused login": (secret) =>
      withClient({ url: database.url }, { user: "zt_admin", password: secret }, async () => {}),
    "a parser's error": (secret) => JSON.parse(`{"${secret}`),
    "an address that is none": (secret) => new URL(`//${secret}`),
    "an error of many parts": (secret) => {
      const cause = Object.assign(new Error(secret), { detail: secret, cause: secret })
      const all = new AggregateError([new Error(secret), cause], secret, { cause })
      throw Object.assign(all, { code: secret, name: secret, input: secret })
    },
    "what is no error": (secret) => Promise.reject({ message: secret, code: secret }),
    "a text": (secret) => Promise.reject(secret),
    "a Problem's cause": (secret) => {
      throw new Problem("UNAVAILABLE", { cause: new Error(secret) })
    },
    "a Problem for operators": (secret) => {
      throw new Problem("DATABASE", { cause: new Error(secret) })
    },
  }

  for (const [what, thrower] of Object.entries(CASES)) {
    it(`of ${what}`, async () => {
      const secret = newWord()
      const search = createSearch([{ name: what, secret }])
      const error = await thrownBy(() => thrower(secret))
      const written = {
        "the log": JSON.stringify(listed({ err: error })),
        "a terminal": printed(error, { json: false, debug: false }),
        "a terminal, debugging": printed(error, { json: false, debug: true }),
        "a JSON document": printed(error, { json: true, debug: true }),
        ...(await answered(error)),
      }
      for (const [where, text] of Object.entries(written)) {
        assert.ok(text.length > 0)
        assert.deepEqual(search(where, text), [], text)
      }
    })
  }

  it("and a caller is not told what is for operators", async () => {
    const message = "Run 'bin/zygentrust migrate' as zt_migrate."
    const { "an answer": answer = "" } = await answered(new Problem("DATABASE", { message }))
    assert.match(answer, /"INTERNAL"/)
    assert.doesNotMatch(answer, /zt_migrate/)
  })
})

async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: "nothing was thrown" })
}

function printed(error: unknown, how: { json: boolean; debug: boolean }): string {
  const lines: string[] = []
  report(error, { command: "keys", ...how }, (line) => lines.push(line))
  return lines.join("\n")
}

/** @returns What the application answers where a route throws that, and what it has logged. */
async function answered(error: unknown): Promise<Record<string, string>> {
  const logged: string[] = []
  const thrown = error instanceof Error ? error : new Error("no error", { cause: error })
  const parts = {
    health: {
      report: () => {
        throw thrown
      },
    },
    admissions: {},
    log: (requestId: `req_${string}`, err: unknown) =>
      logged.push(JSON.stringify(listed({ requestId, err }))),
  } as unknown as Parts
  const app = createApp(parts, new LRUCache({ max: 1 }))
  const accept = (type: string) => app.request("/v1/health", { headers: { accept: type } })
  const whole = async (answer: Response) =>
    JSON.stringify([...answer.headers]) + (await answer.text())
  return {
    "an answer": await whole(await accept("application/json")),
    "an answer with details": await whole(await accept("application/problem+json")),
    "the log of a request": logged.join("\n"),
  }
}
