/**
 * The rules of the house that a compiler does not know: borders between rooms, purity of the
 * rules, who may read the clock, the environment and the network. Each gives its violations in words.
 */
import { dirname, posix } from "node:path"
import { mayImport, roomOf } from "./borders.ts"
import type { Import, Module } from "./source.ts"
import { COMPUTED } from "./source.ts"

/** What is written about or shown, and must hold no trace of one machine. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

const isTest = ({ path }: Module) => path.endsWith(".test.ts")
const isProduct = (module: Module) => module.path.startsWith("src/") && !isTest(module)
const lies = (path: string, folders: readonly string[]) =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`))

/** Where a relative import leads, as a path from the checkout. */
function target(module: Module, { specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? posix.join(dirname(module.path), specifier) : undefined
}

export function borderViolations(modules: readonly Module[]): string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((one) => {
      const to = target(module, one)
      const beside = module.path.replace(/\.test\.ts$/, ".ts")
      if (roomOf(beside) === undefined) return [`${module.path} lies in no room`]
      return to === undefined || mayImport(module.path, to) ? [] : [`${module.path} imports ${to}`]
    }),
  )
}

/** No module needs itself by way of others, not even for a type. */
export function cycles(modules: readonly Module[]): string[] {
  const edges = new Map(
    modules.map((module) => [
      module.path,
      module.imports.flatMap((one) => target(module, one) ?? []),
    ]),
  )
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]) => {
    const start = way.indexOf(path)
    if (start >= 0) found.push([...way.slice(start), path].join(" → "))
    if (start >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}

/** The product imports what the manifest calls a dependency, tests also the tools. */
export function npmViolations(
  modules: readonly Module[],
  manifest: { readonly dependencies: object; readonly devDependencies: object },
): string[] {
  const tools = new Set(Object.keys(manifest.devDependencies))
  const dependencies = new Set(Object.keys(manifest.dependencies))
  return modules.flatMap((module) =>
    module.imports.flatMap(({ specifier, isType }) => {
      if (/^(\.|node:)/.test(specifier)) return []
      if (specifier === COMPUTED && !isProduct(module)) return []
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
      const known = dependencies.has(name) || (tools.has(name) && (!isProduct(module) || isType))
      return known ? [] : [`${module.path} imports ${specifier}, no dependency`]
    }),
  )
}

const CLOCKS = ["Date.now", "new Date()", "Math.random", "performance.now", "process.hrtime"]
/** In the pure rooms: what computes, and neither reads nor waits. */
const PURE_NODE_MODULES = ["node:crypto", "node:url"]
const PURE = ["src/core", "src/engine"]
const EFFECTS = ["src/engine/observe"]

/** The engine but for its eyes: no I/O, no clock, no chance; `core` likewise, but for new ids. */
export function purityViolations(modules: readonly Module[]): string[] {
  return modules
    .filter((module) => isProduct(module) && lies(module.path, PURE) && !lies(module.path, EFFECTS))
    .flatMap((module) => [
      ...module.imports
        .filter(({ specifier }) => specifier.startsWith("node:"))
        .filter((one) => !PURE_NODE_MODULES.includes(one.specifier) && !isHarmless(one))
        .map(({ specifier }) => `${module.path} imports ${specifier}`),
      ...[...CLOCKS, "process.env", "fetch()"]
        .filter((use) => module.uses.has(use))
        .map((use) => `${module.path} uses ${use}`),
    ])
}

const SOCKETS = /^(node:(net|tls|dns|dns\/promises|http|https|http2|dgram)|undici|nodemailer)$/
/** Of those modules, what opens nothing. */
const HARMLESS = ["isIP", "isIPv4", "isIPv6", "STATUS_CODES", "METHODS"]

/** `doctor-edge.ts` asks the program's own server; all strangers are met behind the guard. */
const MAY_OPEN_SOCKETS = [
  "src/engine/observe",
  "src/edge",
  "src/db",
  "src/mail",
  "src/cli/doctor-edge.ts",
]

function isHarmless({ isType, names }: Import): boolean {
  return isType || (names.length > 0 && names.every((name) => HARMLESS.includes(name)))
}

export function socketViolations(modules: readonly Module[]): string[] {
  return modules
    .filter((module) => isProduct(module) && !lies(module.path, MAY_OPEN_SOCKETS))
    .flatMap((module) => [
      ...module.imports
        .filter((one) => SOCKETS.test(one.specifier) && !isHarmless(one))
        .map(({ specifier }) => `${module.path} imports ${specifier}`),
      ...["fetch()", "new WebSocket(…)", "new EventSource(…)"]
        .filter((use) => module.uses.has(use))
        .map((use) => `${module.path} uses ${use}`),
    ])
}

/** One reader of the environment, which others see as a Config. */
export function environmentViolations(modules: readonly Module[]): string[] {
  return modules
    .filter((module) => isProduct(module) && module.path !== "src/environment.ts")
    .filter(
      ({ uses, imports }) =>
        uses.has("process.env") || imports.some(({ specifier }) => specifier === "node:process"),
    )
    .map(({ path }) => `${path} reads the environment`)
}

/** No default exports, no barrels, no drawers for odds and ends; each file says what it is. */
export function formViolations(modules: readonly Module[]): string[] {
  return modules.flatMap((module) => {
    const { path } = module
    const wrong: string[] = []
    if (module.hasDefaultExport) wrong.push(`${path} has a default export`)
    if (!module.isDocumented && !isTest(module)) wrong.push(`${path} does not say what it is`)
    if (path.endsWith("/index.ts")) wrong.push(`${path} is a barrel`)
    if (/(^|[/-])(utils?|helpers?|misc|common)([/.-]|$)/.test(path)) {
      wrong.push(`${path} is a drawer for odds and ends`)
    }
    return wrong
  })
}

const TRACES: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.-])\/(home|Users)\/[\w-]/, "a folder of one machine"],
  [/\b[A-Z]:\\Users\\/, "a folder of one machine"],
  [/\b(TO[D]O|FIX[M]E)\b/, "work that is not done"],
  [/@ts-(ignore|nocheck)/, "a compiler that is told to look away"],
]

export function traces(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, at) =>
        TRACES.filter(([pattern]) => pattern.test(line)).map(
          ([, what]) => `${path}:${at + 1} holds ${what}`,
        ),
      ),
  )
}
