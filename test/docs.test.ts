/** Documents are true to the checkout: generated ones unchanged, links and paths alive. */
import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import manifest from "../package.json" with { type: "json" }
import { BORDERS } from "./borders.ts"
import {
  brokenLinks,
  deadPaths,
  deadReferences,
  packagesListed,
  scriptsNamed,
} from "./documents.ts"
import { GENERATED } from "./generated.ts"
import { closeServers } from "./postgres-servers.ts"

const ROOT = join(import.meta.dirname, "..")
const exists = (path: string) => existsSync(join(ROOT, path))
const read = (path: string) => readFileSync(join(ROOT, path), "utf8")

const DOCUMENTS = globSync(["*.md", "docs/**/*.md"], { cwd: ROOT })
const CODE = globSync("{src,lab,test,bench}/**/*.{ts,sql}", { cwd: ROOT })

after(closeServers)

describe("the documents", () => {
  for (const [path, make] of Object.entries(GENERATED)) {
    it(`${path} is what the code says; else: npm run docs`, async () => {
      assert.equal(read(path), await make())
    })
  }
  for (const path of DOCUMENTS) {
    it(`${path} has only links and paths that lead somewhere`, () => {
      const markdown = read(path)
      assert.deepEqual(brokenLinks(path, markdown, exists), [])
      assert.deepEqual(deadPaths(markdown, exists), [])
      const known = Object.keys(manifest.scripts)
      assert.deepEqual(
        scriptsNamed(markdown).filter((name) => !known.includes(name)),
        [],
      )
    })
  }
  it("that code names are there", () => {
    const dead = CODE.filter((path) => !path.endsWith(".test.ts")).flatMap((path) =>
      deadReferences(read(path), exists).map((name) => `${path}: ${name}`),
    )
    assert.deepEqual(dead, [])
  })
  it("list every dependency and no other", () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest
    const installed = { ...dependencies, ...optionalDependencies, ...devDependencies }
    assert.deepEqual(
      packagesListed(read("docs/dependencies.md")).sort(),
      Object.keys(installed).sort(),
    )
  })
  it("list every decision", () => {
    const decisions = globSync("*.md", { cwd: join(ROOT, "docs/adr") })
    const architecture = read("docs/architecture.md")
    assert.deepEqual(
      decisions.filter((file) => !architecture.includes(`(adr/${file})`)),
      [],
    )
  })
  it("tell of every room", () => {
    const architecture = read("docs/architecture.md")
    const rooms = Object.keys(BORDERS).filter((room) => room.startsWith("src/"))
    assert.deepEqual(
      rooms.filter((room) => !architecture.includes(`\`${room}\``)),
      [],
    )
  })
})

describe("the reading of documents", () => {
  const some = (path: string) => ["docs/a.md", "src/a.ts", "docs"].includes(path)
  for (const [markdown, broken] of [
    ["see [a](a.md)", []],
    ["see [a](a.md#part)", []],
    ["see [a](../src/a.ts)", []],
    ["see [a](https://example.com/a.md) and [b](#part)", []],
    ["see [a](b.md)", ["b.md"]],
    ["![a](a.svg)", ["a.svg"]],
    ["[a](a.md)\n```\n[b](b.md)\n```\n", []],
    ['[a](a.md "title") [b](b.md "title")', ["b.md"]],
  ] as const) {
    it(`finds ${broken.length} broken links in '${markdown}'`, () => {
      assert.deepEqual(brokenLinks("docs/b.md", markdown, some), broken)
    })
  }
  for (const [markdown, dead] of [
    ["`src/a.ts` and `docs/`", []],
    ["`src/b.ts`", ["src/b.ts"]],
    ["`src/*.ts`, `src/<name>.ts` and `src/NNNN_name.sql` with src/b.ts", ["src/NNNN_name.sql"]],
    ["`/v1/analyze`", []],
  ] as const) {
    it(`finds ${dead.length} dead paths in '${markdown}'`, () => {
      assert.deepEqual(deadPaths(markdown, some), dead)
    })
  }
  it("finds a document that code names", () => {
    assert.deepEqual(deadReferences("// See docs/a.md and docs/adr/1.md.", some), ["docs/adr/1.md"])
  })
  it("finds scripts", () => {
    assert.deepEqual(scriptsNamed("`npm run docs`, npm test and `npm ci`"), ["docs", "test"])
  })
  it("finds packages", () => {
    assert.deepEqual(packagesListed("| `a` | b |\n| c | `d` |\n`e`"), ["a"])
  })
})
