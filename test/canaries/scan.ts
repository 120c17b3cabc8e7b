/**
 * Scans a repository for secrets (rules.ts): files that git knows or would take, and every object
 * of the history that is here, whatever branch it is on: blobs, commits and tags with their messages.
 */
import { spawn } from "node:child_process"
import { hash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { secretsIn } from "./rules.ts"
import { expansions } from "./search.ts"

export interface Finding {
  readonly rule: string
  /** SHA-256 of the secret's text, which itself is never shown. */
  readonly sha256: string
  /** A path, or an object of the history with the path that it had. */
  readonly where: string
}

export interface Scan {
  readonly findings: readonly Finding[]
  readonly files: number
  readonly objects: number
  /** The clone holds no whole history. */
  readonly shallow: boolean
}

interface Text {
  readonly where: string
  readonly bytes: Buffer
}

/** @throws Error where `root` is no checkout of git's. */
export async function scanRepository(root: string): Promise<Scan> {
  const paths = (await git(root, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))
    .toString()
    .split("\0")
    .filter((path) => path !== "")
  const files = [...new Set(paths)].flatMap((path): Text[] => {
    const bytes = attempt(() => readFileSync(join(root, path)))
    return bytes === undefined ? [] : [{ where: path, bytes }]
  })
  const objects = await readObjects(root)
  const texts = [
    ...new Map([...objects, ...files].map((text) => [digest(text.bytes), text])).values(),
  ]
  const secrets = await secretsIn(texts.map(({ bytes }) => readable(bytes)))
  const findings = new Map<string, Finding>()
  for (const [i, { where }] of texts.entries()) {
    for (const { rule, text } of secrets[i] ?? []) {
      findings.set(`${rule}:${text}`, { rule, sha256: digest(text), where })
    }
  }
  const shallow = (await git(root, ["rev-parse", "--is-shallow-repository"])).toString().trim()
  return {
    findings: [...findings.values()],
    files: files.length,
    objects: objects.length,
    shallow: shallow === "true",
  }
}

/** All objects but trees, whose names are those of the blobs' paths. */
async function readObjects(root: string): Promise<Text[]> {
  const list = (await git(root, ["rev-list", "--objects", "--all"])).toString()
  const pathOf = new Map(
    list
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.slice(0, 40), line.slice(41)]),
  )
  const all = await git(root, ["cat-file", "--batch"], [...pathOf.keys()].join("\n"))
  const texts: Text[] = []
  for (let at = 0; at < all.length; ) {
    const end = all.indexOf("\n", at)
    const [id = "", type = "", size] = all.toString("latin1", at, end).split(" ")
    at = end + 1
    const length = Number(size ?? Number.NaN)
    if (Number.isNaN(length)) continue // missing: the clone is partial
    const path = pathOf.get(id) ?? ""
    const where = `${type} ${id.slice(0, 10)} ${path}`.trim()
    if (type !== "tree") texts.push({ where, bytes: all.subarray(at, at + length) })
    at += length + 1
  }
  return texts
}

/** What is compressed is read as well. */
function readable(bytes: Buffer): string {
  return [bytes, ...expansions(bytes).map(([, inner]) => inner)]
    .map((part) => part.toString("latin1"))
    .join("\n")
}

function digest(bytes: Buffer | string): string {
  return hash("sha256", bytes, "hex")
}

async function git(root: string, args: readonly string[], input = ""): Promise<Buffer> {
  const child = spawn("git", ["-C", root, ...args], { stdio: ["pipe", "pipe", "pipe"] })
  child.stdin.on("error", () => {}) // most commands do not read it
  child.stdin.end(input)
  const [output, errors, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise((resolve) => child.on("close", resolve)),
  ])
  if (code !== 0) throw new Error(`git ${args[0]}: ${errors.toString().trim()}`)
  return output
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined // deleted, or a link to a folder
  }
}
