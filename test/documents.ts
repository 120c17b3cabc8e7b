/** What documents say of the checkout, to be compared with it. No I/O. */

/** Does a path from the checkout exist? */
export type Exists = (path: string) => boolean

const FOLDERS = "src|lab|test|bench|docs|bin|deploy|dashboard|\\.ci|\\.github"

/** Targets of links and pictures that lead nowhere. @param path - Of the document. */
export function brokenLinks(path: string, markdown: string, exists: Exists): string[] {
  const links = [...proseOf(markdown).matchAll(/\]\(([^)\s]+)(?:\s[^)]*)?\)/g)]
  return links
    .map(([, target = ""]) => target)
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .filter((target) => !exists(resolve(path, target.replace(/#.*$/, ""))))
}

/** Paths in backticks that are not there; patterns and placeholders are none. */
export function deadPaths(markdown: string, exists: Exists): string[] {
  const names = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, name = ""]) => name)
  return names
    .filter((name) => new RegExp(`^(${FOLDERS})/[\\w./-]+$`).test(name))
    .filter((name) => !exists(name.replace(/\/$/, "")))
}

/** Documents that code names and that are not there. */
export function deadReferences(code: string, exists: Exists): string[] {
  const names = [...code.matchAll(/(?<![\w/.])docs\/[\w/-]+\.(?:md|svg|json)/g)].map(
    ([name]) => name,
  )
  return names.filter((name) => !exists(name))
}

/** Scripts that a document tells people to run. */
export function scriptsNamed(markdown: string): string[] {
  return [...markdown.matchAll(/\bnpm (?:run ([\w-]+)|(test|start))\b/g)].map(
    ([, run, own]) => run ?? own ?? "",
  )
}

/** Packages in the first column of tables. */
export function packagesListed(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name)
}

function proseOf(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "")
}

function resolve(document: string, target: string): string {
  return new URL(target, `file:///${document}`).pathname.slice(1).replace(/\/$/, "")
}
