/** Everywhere that a program leaves bytes: files and their names, and what the system shows of a process. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join, relative } from "node:path"

export interface Place {
  readonly name: string
  readonly bytes: Uint8Array | string
}

/**
 * @param folder - Read whole, also while it is written; what goes away meanwhile is left out.
 * @param label - What names begin with, in place of the folder's own path.
 * @returns Each file's contents, and each path, also of sockets, folders and links.
 */
export function* filesIn(folder: string, label: string): Generator<Place> {
  const paths: string[] = []
  const waiting = [folder]
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    for (const name of attempt(() => readdirSync(here as string)) ?? []) {
      const path = join(here, name)
      const kind = attempt(() => lstatSync(path))
      const shown = `${label}/${relative(folder, path)}`
      paths.push(relative(folder, path))
      if (kind?.isDirectory()) waiting.push(path)
      if (kind?.isSymbolicLink()) paths.push(attempt(() => readlinkSync(path)) ?? "")
      const bytes = kind?.isFile() ? attempt(() => readFileSync(path)) : undefined
      if (bytes !== undefined) yield { name: shown, bytes }
    }
  }
  yield { name: `${label}: names`, bytes: paths.join("\n") }
}

/** @returns What any process of the same user can read of a process and its descendants (Linux). */
export function* processPlaces(pid: number, label: string): Generator<Place> {
  for (const one of [pid, ...descendants(pid)]) {
    for (const file of ["cmdline", "environ", "comm"]) {
      const bytes = attempt(() => readFileSync(`/proc/${one}/${file}`))
      if (bytes !== undefined) yield { name: `${label}: ${file} of a process`, bytes }
    }
    const open = attempt(() => readdirSync(`/proc/${one}/fd`)) ?? []
    const links = open.map((fd) => attempt(() => readlinkSync(`/proc/${one}/fd/${fd}`)))
    yield { name: `${label}: open files of a process`, bytes: links.join("\n") }
  }
}

function descendants(pid: number): number[] {
  const text = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")) ?? ""
  const children = text.split(" ").filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined // gone, or somebody else's
  }
}
