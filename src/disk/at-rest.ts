/**
 * What is known of encryption under this deployment's data, in words.
 *
 * Owns: which places are looked at, and what is said of them. Invariant: `found` was seen,
 * `declared` was said by the operator; neither is ever assumed.
 */
import { join } from "node:path"
import { folderSight } from "./folder.ts"
import type { Machine } from "./machine.ts"
import type { Sight } from "./sight.ts"
import { unknown, weakest } from "./sight.ts"
import { swapSight } from "./swap.ts"

/** What the operator says of the disks under the database. */
export interface Declaration {
  /** `2026-11-24`. */
  readonly date: string
  readonly what: string
}

export interface AtRest {
  readonly place: "database" | "data folder" | "swap"
  readonly state: Sight["state"] | "declared"
  readonly message: string
  /** What to do, where there is something. */
  readonly advice?: string
}

export interface Looked {
  readonly folder: Sight
  /** Undefined where nothing is swapped to a disk. */
  readonly swap: Sight | undefined
}

const DAY_MS = 86_400_000
const DECLARED_DAYS = 400

/** Looks at the disks under a data folder, or under what of its path is there, and at swap. */
export async function look(machine: Machine, dataDir: string): Promise<Looked> {
  const [folder, swap] = await Promise.all([
    placesOf(machine, dataDir).then(async (places) =>
      weakest(await Promise.all(places.map((place) => folderSight(machine, place)))),
    ),
    swapSight(machine),
  ])
  return { folder, swap }
}

/** The folder, and what of the database may have been moved to other disks by links. */
async function placesOf(machine: Machine, dataDir: string): Promise<string[]> {
  let path = dataDir
  while ((await machine.real(path)) === undefined && path !== "/") path = join(path, "..")
  const cluster = join(dataDir, "postgres/data")
  const spaces = await machine.names(join(cluster, "pg_tblspc"))
  const moved = [
    cluster,
    join(cluster, "pg_wal"),
    ...spaces.map((n) => join(cluster, "pg_tblspc", n)),
  ]
  const there = await Promise.all(moved.map((place) => machine.real(place)))
  return [path, ...there.filter((place) => place !== undefined)]
}

export interface Circumstances {
  /** The database is one's own server, whose disks are not seen from here. */
  readonly ownServer: boolean
  readonly declared: Declaration | undefined
  readonly now: Date
}

/** @returns What to say of each place, the database's first. */
export function assess({ folder, swap }: Looked, circumstances: Circumstances): AtRest[] {
  const { ownServer } = circumstances
  const server = unknown("the disks of ZT_DATABASE_URL's server cannot be seen from here")
  const about = [
    ownServer
      ? withDeclaration("database", server, circumstances)
      : withDeclaration("data folder", folder, circumstances),
  ]
  if (ownServer) about.push(say("data folder", folder, ENCRYPT_FOLDER))
  if (swap !== undefined) about.push(say("swap", swap, ENCRYPT_SWAP))
  return about
}

const ENCRYPT_FOLDER =
  "Put it on an encrypted disk (LUKS, fscrypt, ZFS, FileVault). What customers gave is sealed either way; docs/threat-model.md says what is not."
const ENCRYPT_SWAP = "Encrypt it (crypttab with a random key), or turn it off: swapoff -a."
const DECLARE =
  "Where something below encrypts it, say so: ZT_DISK_ENCRYPTION_DECLARED='<date> <what>'."

function withDeclaration(
  place: AtRest["place"],
  sight: Sight,
  { declared, now }: Circumstances,
): AtRest {
  if (sight.state === "found" || declared === undefined) {
    return say(place, sight, sight.state === "unknown" ? DECLARE : `${ENCRYPT_FOLDER} ${DECLARE}`)
  }
  const { date, what } = declared
  const days = Math.floor((now.getTime() - Date.parse(date)) / DAY_MS)
  const message = `declared by the operator on ${date}: ${what} (${sight.by})`
  if (days < -1) {
    const advice = "Correct its date in ZT_DISK_ENCRYPTION_DECLARED."
    return {
      place,
      state: "unknown",
      message: `what was declared lies in the future: ${date}`,
      advice,
    }
  }
  if (days <= DECLARED_DAYS) return { place, state: "declared", message }
  return {
    place,
    state: "unknown",
    message: `${message}, ${days} days ago`,
    advice: "Make sure that it is still so, and declare it anew with today's date.",
  }
}

function say(place: AtRest["place"], { state, by }: Sight, advice: string): AtRest {
  if (state === "found") return { place, state, message: `encrypted: found ${by}` }
  const message = state === "absent" ? `not encrypted: ${by}` : `not known whether encrypted: ${by}`
  return { place, state, message, advice }
}

/**
 * For `/v1/health`, which everybody may ask: states and the day of a declaration, no device, no
 * path, no words of the operator's.
 */
export function summary(about: readonly AtRest[], declared: Declaration | undefined): string {
  const said = about.map(({ place, state }) =>
    state === "declared" ? `${place}: declared on ${declared?.date}` : `${place}: ${state}`,
  )
  const more = about.every(({ advice }) => advice === undefined)
    ? ""
    : "; 'zygentrust doctor' says more"
  return `disk encryption under the ${said.join(", ")}${more}`
}
