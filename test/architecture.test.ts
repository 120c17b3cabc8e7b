/** The rules of the house on this checkout, and each of them on planted violations. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import manifest from "../package.json" with { type: "json" }
import {
  borderViolations,
  cycles,
  environmentViolations,
  formViolations,
  npmViolations,
  purityViolations,
  socketViolations,
  traces,
} from "./architecture.ts"
import type { Module } from "./source.ts"
import { readModule } from "./source.ts"

const ROOT = join(import.meta.dirname, "..")

function read(pattern: string | string[]) {
  return globSync(pattern, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      path: file.slice(ROOT.length + 1).replaceAll("\\", "/"),
      text: readFileSync(file, "utf8"),
    }))
}

const MODULES = read("{src,lab,test,bench}/**/*.ts").map(({ path, text }) => readModule(path, text))
const TEXTS = read(["{bin,src,lab,test,bench,docs,.ci,.github}/**/*", "*.{md,json}", ".*rc"])

const RULES = {
  "borders between rooms": borderViolations,
  "no cycles": cycles,
  "npm packages by the manifest": (modules: readonly Module[]) => npmViolations(modules, manifest),
  "a pure engine": purityViolations,
  "sockets behind the guard": socketViolations,
  "one reader of the environment": environmentViolations,
  "one idea a file, and its words": formViolations,
}
type Rule = keyof typeof RULES

describe("the house", () => {
  it("is read whole", () => {
    for (const path of ["src/main.ts", "src/core/problem.ts", "lab/character.ts"]) {
      assert.ok(
        MODULES.some((module) => module.path === path),
        path,
      )
    }
  })
  for (const [name, rule] of Object.entries(RULES)) {
    it(`keeps ${name}`, () => assert.deepEqual(rule(MODULES), []))
  }
  it("holds no trace of one machine", () => {
    const own = ["test/architecture.ts", "test/architecture.test.ts"]
    assert.deepEqual(traces(TEXTS.filter(({ path }) => !own.includes(path))), [])
  })
})

const PLANTED: readonly (readonly [Rule, string, string, string])[] = [
  [
    "borders between rooms",
    "core imports a noun",
    "src/core/a.ts",
    `import { b } from "../keys/b.ts"`,
  ],
  [
    "borders between rooms",
    "even a type",
    "src/core/a.ts",
    `import type { B } from "../config.ts"`,
  ],
  [
    "borders between rooms",
    "a noun imports a noun",
    "src/keys/a.ts",
    `import { b } from "../usage/b.ts"`,
  ],
  ["borders between rooms", "re-exported", "src/keys/a.ts", `export { b } from "../usage/b.ts"`],
  ["borders between rooms", "all of it", "src/keys/a.ts", `export * from "../usage/b.ts"`],
  ["borders between rooms", "at run time", "src/keys/a.ts", `await import("../usage/b.ts")`],
  [
    "borders between rooms",
    "a rule imports the eyes",
    "src/engine/rules/a.ts",
    `import { b } from "../observe/b.ts"`,
  ],
  [
    "borders between rooms",
    "the score imports the eyes",
    "src/engine/a.ts",
    `import { b } from "./observe/b.ts"`,
  ],
  [
    "borders between rooms",
    "the engine imports HTTP",
    "src/engine/a.ts",
    `import { b } from "../http/b.ts"`,
  ],
  [
    "borders between rooms",
    "the engine imports the database",
    "src/engine/observe/a.ts",
    `import { b } from "../../db/b.ts"`,
  ],
  [
    "borders between rooms",
    "HTTP imports the eyes",
    "src/http/a.ts",
    `import { b } from "../engine/observe/b.ts"`,
  ],
  [
    "borders between rooms",
    "the product imports the lab",
    "src/cli/a.ts",
    `import { b } from "../../lab/b.ts"`,
  ],
  [
    "borders between rooms",
    "the product imports a test",
    "src/main.ts",
    `import { b } from "../test/b.ts"`,
  ],
  [
    "borders between rooms",
    "the lab imports the product",
    "lab/a.ts",
    `import { b } from "../src/core/b.ts"`,
  ],
  [
    "borders between rooms",
    "a room that nobody knows",
    "src/attic/a.ts",
    `import { b } from "./b.ts"`,
  ],
  ["npm packages by the manifest", "a tool", "src/core/a.ts", `import fc from "fast-check"`],
  [
    "npm packages by the manifest",
    "a dependency's own",
    "src/core/a.ts",
    `import { x } from "pg-pool"`,
  ],
  [
    "npm packages by the manifest",
    "a scoped stranger",
    "test/a.ts",
    `import { x } from "@hono/other/deep"`,
  ],
  ["a pure engine", "files", "src/engine/rules/a.ts", `import { readFileSync } from "node:fs"`],
  ["a pure engine", "names", "src/engine/a.ts", `import { resolve } from "node:dns/promises"`],
  ["a pure engine", "the clock", "src/engine/rules/a.ts", "const a = Date.now()"],
  ["a pure engine", "the clock, in brackets", "src/engine/rules/a.ts", `const a = Date["now"]`],
  ["a pure engine", "today", "src/engine/a.ts", "const a = new Date()"],
  ["a pure engine", "chance", "src/engine/rules/a.ts", "const { random } = Math"],
  ["a pure engine", "the network", "src/core/a.ts", `fetch("https://example.com")`],
  ["sockets behind the guard", "TCP", "src/http/a.ts", `import { connect } from "node:net"`],
  [
    "sockets behind the guard",
    "all of a module",
    "src/http/a.ts",
    `import * as net from "node:net"`,
  ],
  ["sockets behind the guard", "a default", "src/cli/a.ts", `import https from "node:https"`],
  ["sockets behind the guard", "for its effects", "src/cli/a.ts", `import "node:tls"`],
  ["sockets behind the guard", "at run time", "src/cli/a.ts", `await import("node:https")`],
  [
    "sockets behind the guard",
    "fetch",
    "src/http/a.ts",
    `await globalThis.fetch("https://example.com")`,
  ],
  ["one reader of the environment", "plainly", "src/keys/a.ts", `process.env["ZT_HOST"]`],
  ["one reader of the environment", "taken apart", "src/keys/a.ts", "const { env } = process"],
  [
    "one reader of the environment",
    "imported",
    "src/keys/a.ts",
    `import { env } from "node:process"`,
  ],
  [
    "one idea a file, and its words",
    "default export",
    "src/core/a.ts",
    "/** A. */\nexport default 1",
  ],
  [
    "one idea a file, and its words",
    "default by name",
    "src/core/a.ts",
    "/** A. */\nconst a = 1\nexport { a as default }",
  ],
  ["one idea a file, and its words", "a barrel", "src/core/index.ts", "/** A. */"],
  ["one idea a file, and its words", "a drawer", "src/core/string-utils.ts", "/** A. */"],
  [
    "one idea a file, and its words",
    "nothing said",
    "src/core/a.ts",
    "export const a = 1 // not for readers",
  ],
]

const ALLOWED: readonly (readonly [string, string, string])[] = [
  ["a noun uses the database", "src/keys/a.ts", `import { b } from "../db/b.ts"`],
  ["a rule uses a list", "src/engine/rules/dns/a.ts", `import { b } from "../../lists/b.ts"`],
  [
    "a test beside its file uses a fake",
    "src/keys/a.test.ts",
    `import { b } from "../../test/b.ts"`,
  ],
  ["a type of the network", "src/http/a.ts", `import type { IncomingMessage } from "node:http"`],
  ["a look at an address", "src/engine/a.ts", `import { isIP } from "node:net"`],
  ["a date that is given", "src/engine/rules/a.ts", "const a = (at: string) => new Date(at)"],
  ["a word in a comment", "src/keys/a.ts", "// process.env and fetch() are not for us"],
]

describe("the architecture test", () => {
  for (const [rule, because, path, source] of PLANTED) {
    it(`'${rule}' refuses ${because}: ${source.split("\n").at(-1)}`, () => {
      assert.notDeepEqual(RULES[rule]([readModule(path, source)]), [])
    })
  }
  for (const [because, path, source] of ALLOWED) {
    it(`lets ${because} pass`, () => {
      const module = readModule(path, `/** A. */\n${source}`)
      assert.deepEqual(
        Object.values(RULES).flatMap((rule) => rule([module])),
        [],
      )
    })
  }
  it("finds a cycle over three files", () => {
    const way = [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
      ["d", "a"],
    ].map(([from, to]) => readModule(`src/core/${from}.ts`, `import type { X } from "./${to}.ts"`))
    assert.deepEqual(cycles(way), ["src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts"])
    assert.deepEqual(cycles(way.slice(1)), [])
  })
  for (const line of [
    `see /${"home"}/somebody/notes`,
    `C:\\${"Users"}\\somebody`,
    `// ${"TO"}DO: later`,
    `// @ts-${"ignore"}`,
  ]) {
    it(`sees the trace in '${line}'`, () => {
      assert.notDeepEqual(traces([{ path: "docs/a.md", text: `fine\n${line}` }]), [])
    })
  }
  it("lets an address with such a word pass", () => {
    assert.deepEqual(traces([{ path: "docs/a.md", text: "https://example.com/home/a" }]), [])
  })
})
