import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import manifest from "../../package.json" with { type: "json" }

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")
const COMMANDS = [
  "start",
  "analyze",
  "keys",
  "plans",
  "tenants",
  "requests",
  "usage",
  "events",
  "abuse",
  "secrets",
  "migrate",
  "backup",
  "restore",
  "doctor",
  "lab",
]
const folder = mkdtempSync(join(tmpdir(), "zygentrust-cli-"))
after(() => rmSync(folder, { recursive: true }))

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the program as a person's shell would. */
function zygentrust(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve) => {
    const environment = { PATH: "/usr/bin:/bin", ZT_DATA_DIR: join(folder, "data"), ...env }
    execFile(PROGRAM, args, { env: environment }, (error, out, err) => {
      resolve({ code: Number(error?.code ?? 0), out, err })
    })
  })
}

describe("the command line", { concurrency: 2 }, () => {
  for (const [args, code, out, err, because] of [
    [["--version"], 0, manifest.version, "", "the version, and nothing else"],
    [["--version", "--json"], 0, `{"version":"${manifest.version}"}`, "", "as JSON too"],
    [["--help"], 0, /Usage: zygentrust COMMAND/, "", "help is a result"],
    [["help"], 0, /Usage: zygentrust COMMAND/, "", "however it is asked for"],
    [["help", "keys"], 0, /Usage: zygentrust keys/, "", "of a command too"],
    [[], 2, "", /Usage: zygentrust COMMAND/, "no command is wrong usage"],
    [["anlyze"], 2, "", /'anlyze'\. Did you mean 'analyze'\?/, "the nearest command is named"],
    [["help", "anlyze"], 2, "", /Did you mean 'analyze'\?/, "also when asking for help"],
    [["--nonsense"], 2, "", /'--nonsense'/, "an unknown option is named"],
    [["analyze", "--nonsense", "a.test"], 2, "", /'--nonsense'.*analyze --help/, "a command's too"],
    [["analyze"], 2, "", /takes a domain/, "a missing argument"],
    [["analyze", "a.test", "b.test"], 2, "", /one domain, and 'b\.test'/, "one too many"],
    [["analyze", "a b"], 1, "", /^zygentrust: .*/, "what is no domain is refused"],
    [["analyze", "--", "--json"], 1, "", /^zygentrust: .*/, "after -- everything is an argument"],
  ] as const) {
    it(`zygentrust ${args.join(" ")}: ${because}`, async () => {
      const result = await zygentrust(args)
      assert.equal(result.code, code, result.err)
      for (const [text, expected] of [
        [result.out, out],
        [result.err, err],
      ] as const) {
        if (typeof expected === "string") assert.equal(text.trimEnd(), expected)
        else assert.match(text, expected)
      }
    })
  }

  it("refuses in one JSON document with --json", async () => {
    const { code, out, err } = await zygentrust(["analyze", "localhost", "--json"])
    assert.equal(code, 1)
    assert.equal(out, "")
    const { error } = JSON.parse(err)
    assert.deepEqual([error.code, error.details], ["INVALID_DOMAIN", {}])
  })

  it("names a setting that is wrong", async () => {
    const { code, err } = await zygentrust(["doctor"], { ZT_HTTPS_PROT: "1" })
    assert.equal(code, 1)
    assert.match(err, /ZT_HTTPS_PROT is not a setting/)
  })

  it("gives help though a setting is wrong", async () => {
    const { code } = await zygentrust(["start", "--help"], { ZT_HTTPS_PORT: "x" })
    assert.equal(code, 0)
  })
})

describe("the help of every command", { concurrency: 2 }, () => {
  for (const command of COMMANDS) {
    it(`zygentrust ${command} --help teaches by an example, within 90 columns`, async () => {
      const { code, out, err } = await zygentrust([command, "--help"])
      assert.equal(code, 0, err)
      assert.match(out, new RegExp(`Usage: zygentrust ${command}`))
      assert.match(out, new RegExp(`Examples?\n[^]*zygentrust ${command}`))
      for (const line of out.split("\n")) assert.ok(line.length <= 90, line)
    })
  }

  it("lists no other command, and none is left out", async () => {
    const { out } = await zygentrust(["--help"])
    const [, list = ""] = /Commands\n([\s\S]*?)\n\n/.exec(out) ?? []
    assert.deepEqual(
      list.split("\n").map((line) => line.trim().split(" ", 1)[0]),
      COMMANDS.toSorted((a, b) => out.indexOf(`  ${a} `) - out.indexOf(`  ${b} `)),
    )
  })
})
