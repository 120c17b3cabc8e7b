/**
 * Which room may import which: the table that `docs/architecture.md` describes in words.
 *
 * A room is a folder or a file; a path lies in the longest that it begins with. A room may import
 * itself and the rooms listed, where `src/` is every room below. Tests beside their file are free.
 */

const NOUN = ["src/core", "src/db", "src/audit", "src/secrets"]
const ENGINE_PARTS = ["src/core", "src/engine/types.ts", "src/engine/lists", "src/engine/rules"]

export const BORDERS: Readonly<Record<string, readonly string[]>> = {
  "src/core": ["package.json"],
  "src/environment.ts": ["src/core"],
  "src/setting-values.ts": ["src/core"],
  "src/settings.ts": ["src/core", "src/setting-values.ts"],
  "src/config.ts": ["src/core", "src/environment.ts", "src/settings.ts"],
  "src/log.ts": ["src/core", "src/config.ts"],
  "src/disk": ["src/core"],
  "src/secrets": ["src/core"],
  "src/db": ["src/core", "src/config.ts", "src/secrets"],
  "src/audit": ["src/core", "src/db"],

  // The configuration: where backups go, how often, who may open them.
  "src/backup": [...NOUN, "src/config.ts"],
  // The configuration: which server takes mail.
  "src/mail": ["src/core", "src/config.ts"],
  "src/keys": NOUN,
  "src/admission": NOUN,
  "src/usage": NOUN,
  // Mail: what goes to owners goes through the one mailer.
  "src/events": [...NOUN, "src/mail"],
  "src/analyses": [...NOUN, "src/engine/types.ts"],

  "src/engine/types.ts": [],
  "src/engine/lists": [],
  "src/engine/rules": ["src/core", "src/engine/types.ts", "src/engine/lists"],
  "src/engine/observe": [
    "src/core",
    "src/config.ts",
    "src/setting-values.ts",
    "src/engine/types.ts",
  ],
  "src/engine": ENGINE_PARTS,

  "src/controls": ["src/core", "src/db"],

  "src/edge": ["src/core", "src/secrets"],
  "src/floods": [], // random bytes and arithmetic
  "src/http": [
    "src/core",
    "src/db",
    "src/admission",
    "src/analyses",
    "src/edge",
    "src/floods",
    "src/engine",
    "src/engine/types.ts",
    "src/events",
    "src/keys",
    "src/mail", // a Mailer, which main.ts made
    "src/usage",
    "src/secrets", // passed on to what opens tenants' names
    "package.json",
  ],
  "src/cli": ["src/", "package.json"],
  "src/main.ts": ["src/"],
  "src/probes.ts": ["src/"],
  "src/rotation.ts": ["src/"],

  lab: [],
  test: ["src/", "lab", "package.json"],
  bench: ["src/", "lab", "test"],
  "package.json": [],
}

/** @returns The room that a path lies in; undefined for none. */
export function roomOf(path: string): string | undefined {
  return Object.keys(BORDERS)
    .filter((room) => lies(path, room))
    .sort((a, b) => b.length - a.length)[0]
}

/** May a file at `from` import the file at `to`? Both relative to the checkout. */
export function mayImport(from: string, to: string): boolean {
  if (from.endsWith(".test.ts")) return true
  const room = roomOf(from)
  if (room === undefined) return false
  const target = roomOf(to)
  return (
    target === room ||
    (BORDERS[room] ?? []).some((allowed) =>
      allowed.endsWith("/") ? to.startsWith(allowed) : allowed === target,
    )
  )
}

function lies(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`)
}
