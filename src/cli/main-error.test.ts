import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import { generateKey } from "../keys/format.ts"
import { keyInArguments, report, unknownCommand } from "./main-error.ts"

const COMMANDS = ["start", "analyze", "keys", "migrate", "doctor", "lab"]

function printed(error: unknown, context = {}): { code: number; lines: string[] } {
  const lines: string[] = []
  const all = { command: "keys", json: false, debug: false, ...context }
  return { code: report(error, all, (line) => lines.push(line)), lines }
}

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: "nothing was thrown" })
}

describe("an unknown command", () => {
  for (const [typed, message, because] of [
    ["anlyze", /Did you mean 'analyze'\?/, "a letter is missing"],
    ["kyes", /Did you mean 'keys'\?/, "two letters are swapped"],
    ["docter", /Did you mean 'doctor'\?/, "a letter is wrong"],
    ["serve", /There are start, analyze, keys/, "nothing is near, so all are named"],
    ["__proto__", /there is no command '__proto__'/, "no object's own members are commands"],
  ] as const) {
    it(`${because}: ${typed}`, () => {
      const problem = unknownCommand(typed, COMMANDS)
      assert.equal(problem.code, "WRONG_USAGE")
      assert.match(problem.message, message)
    })
  }
})

describe("a key among the arguments", () => {
  const key = generateKey("live")
  for (const [argv, because] of [
    [["keys", "revoke", key], "in place of its id"],
    [[key], "in place of a command"],
    [["keys", `--${key}`], "as an option's name"],
    [["analyze", `https://shop.test/?key=${key}`], "inside a word"],
    [["keys", "list", "--", key], "after the end of options"],
  ] as const) {
    it(`${because} is refused without being shown`, () => {
      const problem = keyInArguments(argv)
      assert.equal(problem?.code, "WRONG_USAGE")
      assert.ok(!problem.message.includes(key.slice(0, 16)))
    })
  }
  it("a name that only begins like one is none", () => {
    assert.equal(keyInArguments(["keys", "issue", "--tenant", "zt_live_shop"]), undefined)
  })
})

describe("what is printed of a failure", () => {
  it("is a Problem's message, and exit 1", () => {
    const problem = new Problem("NOT_FOUND", { message: "no such key", cause: new Error("secret") })
    assert.deepEqual(printed(problem), { code: 1, lines: ["zygentrust: no such key"] })
  })

  it("is one document with --json, without the cause", () => {
    const problem = new Problem("CONFLICT", { details: { id: 7 }, cause: new Error("secret") })
    const { code, lines } = printed(problem, { json: true })
    assert.equal(code, 1)
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ error: { code: "CONFLICT", message: problem.message, details: { id: 7 } } }],
    )
  })

  it("names an unknown option, and exit 2", () => {
    const error = thrownBy(() => parseArgs({ args: ["--colour"], options: {} }))
    assert.deepEqual(printed(error), {
      code: 2,
      lines: ["zygentrust: Unknown option '--colour'. See 'zygentrust keys --help'."],
    })
  })

  it("is one line of what nobody expected, and how to see more", () => {
    const { code, lines } = printed(new TypeError("secret", { cause: new Error("secret") }))
    assert.equal(code, 1)
    assert.deepEqual(lines, [
      "zygentrust: Something unexpected went wrong (TypeError). ZT_LOG_LEVEL=debug shows where.",
    ])
  })

  it("is the system's own words, which hold a path and no value", () => {
    const { lines } = printed(thrownBy(() => readFileSync("no/such/file")))
    assert.match(lines[0] ?? "", /\(ENOENT: no such file or directory, open 'no\/such\/file'\)/)
  })

  it("shows where, with the causes, when debugging, and never what a message says", () => {
    const cause = Object.assign(new Error("what it said"), {
      code: "23505",
      detail: "what it said",
    })
    const { lines } = printed(new Error("what it said", { cause }), { debug: true })
    assert.match(lines.join("\n"), /main-error\.test\.ts[\s\S]*caused by Error 23505\n at /)
    assert.doesNotMatch(lines.join("\n"), /what it said/)
  })

  it("holds no escape sequence of what was typed", () => {
    const { lines } = printed(unknownCommand("\u001b[31m\u001b]0;x\u0007evil\n\r", COMMANDS))
    assert.deepEqual(lines.join("").match(/\p{Cc}/gu), null)
    assert.match(lines.join(""), /'evil /)
  })
})
