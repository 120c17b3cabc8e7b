/** The runner of the tests, on planted tests: it must not call a run good that was not. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { after, describe, it } from "node:test"

const RUNNER = ["test/run.ts", "test/find.ts", "test/report.ts", "package.json"]
const GOOD = `import { it } from "node:test"\nit("holds", () => {})\n`

const folder = mkdtempSync(join(tmpdir(), "zt-"))
after(() => rmSync(folder, { recursive: true }))

/** @returns A checkout with the runner, no database, and the given tests. */
function plant(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(folder, "checkout-"))
  for (const file of RUNNER) cpSync(join(import.meta.dirname, "..", file), join(root, file))
  writeFileSync(
    join(root, "test/postgres-servers.ts"),
    "export const holdServers = async () => ({ environment: {}, close: async () => {} })",
  )
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(join(root, file, ".."), { recursive: true })
    writeFileSync(join(root, file), source)
  }
  mkdirSync(join(root, "temporary"))
  return root
}

function start(root: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
  const { NODE_TEST_CONTEXT: _, CI: __, ...own } = process.env
  const env = { ...own, TMPDIR: join(root, "temporary"), NO_COLOR: "1", ...environment }
  return spawn(process.execPath, [join(root, "test/run.ts"), ...args], { env })
}

async function runPlanted(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
) {
  const root = plant(files)
  const child = start(root, args, environment)
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ])
  assert.deepEqual(readdirSync(join(root, "temporary")), [], "nothing is left behind")
  return { code: code as number | null, out, err }
}

const skips = `import { describe, it } from "node:test"
it("holds", () => {})
it("alone", { skip: "no delv here" }, () => {})
describe("together", { skip: "no chromium here" }, () => { it("one", () => {}) })
`

describe("the runner", () => {
  for (const [because, files, code, said] of [
    ["a test that holds", { "src/a.test.ts": GOOD }, 0, /^# pass 1$/m],
    [
      "a test that fails",
      { "src/a.test.ts": `${GOOD}it("breaks", () => { throw new Error("planted") })` },
      1,
      /planted[\s\S]*: 1 failed\n {4}breaks \(line \d+\): Error: planted\n# files 1\n# tests 2\n# pass 1\n# fail 1\n/,
    ],
    [
      "a file that breaks at its load",
      { "src/a.test.ts": GOOD, "src/b.test.ts": `throw new Error("planted")` },
      1,
      /Error: planted[\s\S]*# fail 1\n/,
    ],
    [
      "a file without a test",
      { "src/a.test.ts": GOOD, "lab/b.test.ts": "export {}" },
      1,
      /There is no test in it/,
    ],
    [
      "a hook that fails",
      {
        "test/a.test.ts": `import { before, it } from "node:test"
before(() => { throw new Error("planted") })
it("holds", () => {})`,
      },
      1,
      /planted/,
    ],
    [
      "tests and suites that were skipped",
      { "src/a.test.ts": skips },
      0,
      /NOT RUN[\s\S]*no delv here\n.*alone\n[\s\S]*no chromium here\n.*together\n[\s\S]*# skipped 2$/m,
    ],
    [
      "a soak, which it leaves out",
      { "src/a.test.ts": GOOD, "test/b.long.test.ts": `throw new Error("planted")` },
      0,
      /npm test -- --long': test\/b\.long\.test\.ts/,
    ],
  ] as const) {
    it(`exits ${code} for ${because}`, async () => {
      const result = await runPlanted(files)
      assert.match(result.out, said)
      assert.equal(result.code, code)
    })
  }

  it("fails for a skipped test where nothing may be left out", async () => {
    const { code, out } = await runPlanted({ "src/a.test.ts": skips }, [], { CI: "true" })
    assert.match(out, /so this fails/)
    assert.equal(code, 1)
  })

  it("runs soaks with --long", async () => {
    const { out } = await runPlanted({ "src/a.long.test.ts": GOOD }, ["--long"])
    assert.match(out, /^# pass 1$/m)
  })

  it("runs only the files of a path", async () => {
    const files = { "src/engine/a.test.ts": GOOD, "src/keys/b.test.ts": "throw 1" }
    assert.equal((await runPlanted(files, ["src/engine"])).code, 0)
  })

  it("refuses a path without tests", async () => {
    const { code, err } = await runPlanted({ "src/a.test.ts": GOOD }, ["src/b"])
    assert.match(err, /No test file has src\/b in its path/)
    assert.equal(code, 2)
  })

  it("keeps settings of the shell from the tests", async () => {
    const source = `import assert from "node:assert"\nimport { it } from "node:test"
it("holds", () => assert.equal(process.env.ZT_HOST, undefined))`
    const { code } = await runPlanted({ "src/a.test.ts": source }, [], { ZT_HOST: "example.com" })
    assert.equal(code, 0)
  })

  it("stops everything on Ctrl-C and cleans up", async () => {
    const root = plant({
      "src/a.test.ts": `import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { it } from "node:test"
it("waits", async () => {
  mkdtempSync(tmpdir() + "/left-")
  process.ppid && process.kill(process.ppid, "SIGINT")
  await new Promise((resolve) => setTimeout(resolve, 600_000))
})`,
    })
    const child = start(root, [], {})
    child.stdout.resume()
    const [code] = await once(child, "exit")
    assert.equal(code, 130)
    assert.deepEqual(readdirSync(join(root, "temporary")), [])
  })
})
