/**
 * A client generated from the OpenAPI document: it compiles, it holds what uses it to the
 * contract, and it reads real answers.
 */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { pathToFileURL } from "node:url"
import { generateSource } from "oazapfts"
import { bareApp, contractDocument } from "./document.ts"

const ORIGIN = "https://localhost:8443"
const MODULES = join(import.meta.dirname, "../../node_modules")

/** Strict, but for `exactOptionalPropertyTypes`, which the generator's own code for bodies is not. */
const COMPILER_OPTIONS = {
  target: "esnext",
  module: "nodenext",
  lib: ["esnext", "dom"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
}

const USAGE = `import { analyzeDomain, defaults, getUsage, issueKey } from "./client.ts"

defaults.headers = { authorization: "Bearer zt_test_…" }

export async function mayEnter(domain: string): Promise<boolean> {
  const answer = await analyzeDomain(domain, { fresh: "true" })
  if (answer.status === 200) {
    const { recommended_action, insights, signals } = answer.data
    const sum = insights.reduce((total, { points }) => total + points, answer.data.base)
    if (sum !== answer.data.trust_score || signals.tls["uses_https"] === "unknown") return false
    return recommended_action === "approve"
  }
  if (answer.status === 429) return false
  throw new Error(answer.data.error.code + ": " + answer.data.error.message)
}

export async function newKey(): Promise<string | undefined> {
  const answer = await issueKey({ name: "till", scopes: ["analyze"] }, { idempotencyKey: "till-1" })
  if (answer.status === 201) return answer.data.key
  throw new Error(answer.data.error.code)
}

export async function servedToday(): Promise<number> {
  const answer = await getUsage({ month: "2026-11" })
  return answer.status === 200 ? (answer.data.by_day.at(-1)?.served ?? 0) : 0
}
`

const WRONG: readonly (readonly [because: string, line: string, told: RegExp])[] = [
  ["a parameter is missing", "analyzeDomain()", /TS2554/],
  [
    "a field that is not in the answer",
    "{ const a = await analyzeDomain('a.test'); a.status === 200 && a.data.score }",
    /TS2339/,
  ],
  [
    "a code that is not in the list",
    "{ const a = await getHealth(); a.status === 400 && a.data.error.code === 'BAD' }",
    /TS2367/,
  ],
  ["a refusal taken for an answer", "(await getUsage()).data.by_day", /TS2339/],
]

describe("a generated client", () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "client-"))
    await symlink(MODULES, join(folder, "node_modules"))
    await writeFile(join(folder, "package.json"), '{ "type": "module" }')
    await writeFile(join(folder, "openapi.json"), JSON.stringify(contractDocument(ORIGIN)))
    await writeFile(join(folder, "client.ts"), await generateSource(join(folder, "openapi.json")))
  })
  after(() => rm(folder, { recursive: true }))

  /** @returns What the compiler says of one file that uses the client; nothing when it is content. */
  async function compile(name: string, source: string): Promise<string> {
    await writeFile(join(folder, `${name}.ts`), source)
    const config = join(folder, `${name}.json`)
    await writeFile(
      config,
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: [`${name}.ts`] }),
    )
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(MODULES, "typescript/bin/tsc"), "-p", config],
        (error, out, err) => resolve(error ? out + err || error.message : ""),
      )
    })
  }

  it("compiles with a program that uses it, strictly", async () => {
    assert.equal(await compile("usage", USAGE), "")
  })

  for (const [i, [because, line, told]] of WRONG.entries()) {
    it(`does not let pass: ${because}`, async () => {
      const source = `import { analyzeDomain, getHealth, getUsage } from "./client.ts"\n${line}\nvoid [analyzeDomain, getHealth, getUsage]\n`
      assert.match(await compile(`wrong-${i}`, source), told)
    })
  }

  it("reads an answer and a refusal of the application", async () => {
    const app = bareApp(ORIGIN)
    const client = await import(pathToFileURL(join(folder, "client.ts")).href)
    client.defaults.fetch = (address: string, init: RequestInit) =>
      app.fetch(new Request(address, init), { requestUuid: "" })

    const contract = await client.getContract()
    assert.equal(contract.status, 200)
    assert.equal(contract.data.servers[0].url, ORIGIN)

    const refused = await client.analyzeDomain("example.com")
    assert.equal(refused.status, 401)
    assert.equal(refused.data.error.code, "MISSING_KEY")
  })
})
