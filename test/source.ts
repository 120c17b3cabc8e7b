/** Reads a TypeScript module into what the architecture test judges. No I/O. */
import type { Node } from "oxc-parser"
import { parseSync, Visitor } from "oxc-parser"

/** The specifier of an import that only running the code would tell. */
export const COMPUTED = "(computed)"

export interface Import {
  /** As written: `./x.ts`, `node:fs`, `pg`; or COMPUTED. */
  readonly specifier: string
  /** Nothing of it is left when types are stripped. */
  readonly isType: boolean
  /** What is imported by name; `*` and `default` too. */
  readonly names: readonly string[]
}

export interface Module {
  /** Relative to the checkout, `/` between folders. */
  readonly path: string
  readonly imports: readonly Import[]
  /** What the code reaches for: `process.env`, `Date.now()`, `new Date()`, `fetch()`. */
  readonly uses: ReadonlySet<string>
  readonly hasDefaultExport: boolean
  /** There is a documentation comment in it. */
  readonly isDocumented: boolean
}

/** @throws SyntaxError when it does not parse. */
export function readModule(path: string, source: string): Module {
  const { program, module, comments, errors } = parseSync(path, source)
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0]?.message}`)

  const imports: Import[] = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    isType: entries.length > 0 && entries.every((entry) => entry.isType),
    names: entries.map(({ importName }) => importName.name ?? importName.kind),
  }))
  for (const { moduleRequest, isType, importName } of exported(module)) {
    if (moduleRequest === null) continue
    const names = [importName.name ?? "*"]
    imports.push({ specifier: moduleRequest.value, isType, names })
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const text = source.slice(moduleRequest.start, moduleRequest.end)
    const specifier = /^(["'`])([^"'`$]+)\1$/.exec(text)?.[2] ?? COMPUTED
    imports.push({ specifier, isType: false, names: ["*"] })
  }

  return {
    path,
    imports,
    uses: usesOf(program),
    hasDefaultExport: exported(module).some(
      ({ exportName: { kind, name } }) => kind === "Default" || name === "default",
    ),
    isDocumented: comments.some(({ type, value }) => type === "Block" && value.startsWith("*")),
  }
}

type EcmaScriptModule = ReturnType<typeof parseSync>["module"]

function exported(module: EcmaScriptModule) {
  return module.staticExports.flatMap(({ entries }) => entries)
}

function usesOf(program: ReturnType<typeof parseSync>["program"]): ReadonlySet<string> {
  const uses = new Set<string>()
  new Visitor({
    MemberExpression(node) {
      uses.add(dotted(node))
    },
    CallExpression(node) {
      uses.add(`${dotted(node.callee)}()`)
    },
    NewExpression(node) {
      uses.add(`new ${dotted(node.callee)}(${node.arguments.length > 0 ? "…" : ""})`)
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== "ObjectPattern" || init === null) return
      for (const property of id.properties) {
        if (property.type === "Property") uses.add(`${dotted(init)}.${dotted(property.key)}`)
      }
    },
  }).visit(program)
  return uses
}

/** `a.b`, and `a["b"]` as the same; what is neither a name nor a member is `…`. */
function dotted(node: Node): string {
  if (node.type === "Identifier") return node.name
  if (node.type === "Literal") return String(node.value)
  if (node.type !== "MemberExpression") return "…"
  return `${dotted(node.object)}.${dotted(node.property)}`.replace(/^globalThis\./, "")
}
