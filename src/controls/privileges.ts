/**
 * Claim A2: each role's privileges, read from the catalog, equal the documented matrix.
 *
 * Owns: the comparison of a running deployment with docs/privileges.md. Any difference is a
 * finding, whoever made it. Run as any role: the catalog is open to all.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type pg from "pg"
import type { Catalog } from "./catalog.ts"
import { readCatalog } from "./catalog.ts"
import type { Finding } from "./finding.ts"
import { BUILT_INS, GLANCE, NONE, privilegesDocument } from "./privileges-document.ts"

const DOCUMENT = join(import.meta.dirname, "../../docs/privileges.md")

/** @throws Problem `UNAVAILABLE` */
export async function checkPrivileges(client: pg.ClientBase): Promise<Finding[]> {
  return findUndocumented(await readCatalog(client))
}

/** @returns Where a catalog is not what the document says. */
export async function findUndocumented(catalog: Catalog): Promise<Finding[]> {
  const documented = await readFile(DOCUMENT, "utf8")
  const administrators = catalog.outsiders.filter(({ isAdministrator }) => isAdministrator)
  return compareDocuments(documented, privilegesDocument(catalog)).map((finding) => ({
    ...finding,
    isWeakness:
      !catalog.database.ownerIsSuperuser &&
      (finding.subject === BUILT_INS ||
        administrators.some(({ name }) => finding.message.startsWith(`${name} `))),
  }))
}

/** @returns A finding for each line that one has and the other has not; two of one thing are one. */
export function compareDocuments(documented: string, actual: string): Finding[] {
  const expected = facts(documented)
  const present = facts(actual)
  const added = without(present, expected)
  const lacking = without(expected, present)
  const isOf = (one: Fact) => (other: Fact) =>
    one.place === other.place && one.about === other.about
  const found: readonly (readonly [Fact, string])[] = [
    ...added.map((fact) => {
      const was = lacking.find(isOf(fact))
      return [fact, was === undefined ? "not documented" : `documented: ${plain(was)}`] as const
    }),
    ...lacking
      .filter((fact) => !added.some(isOf(fact)))
      .map((fact) => [fact, "documented, and not so"] as const),
  ]
  return found
    .toSorted(([a], [b]) => Number(a.place === GLANCE) - Number(b.place === GLANCE))
    .map(([fact, what]) => ({
      subject: fact.place,
      message: `${plain(fact)} (${what})`,
      isWeakness: false,
    }))
}

function plain({ line }: Fact): string {
  return line
    .replaceAll("`", "")
    .replace(/^(\| |- )|[ |]+$/g, "")
    .trim()
}

interface Fact {
  /** The heading it stands under. */
  readonly place: string
  readonly line: string
  /** A row's first cell; else the whole line. */
  readonly about: string
}

function facts(markdown: string): Fact[] {
  let place = ""
  return markdown.split("\n").flatMap((line) => {
    if (line.startsWith("#")) place = line.replace(/^#+ /, "")
    if (line.trim() === "" || line === NONE) return []
    return [{ place, line, about: /^\| ([^|]+) \|/.exec(line)?.[1] ?? line }]
  })
}

function without(facts: readonly Fact[], others: readonly Fact[]): Fact[] {
  const known = new Set(others.map(({ place, line }) => `${place}\n${line}`))
  return facts.filter(({ place, line }) => !known.has(`${place}\n${line}`))
}
