/** Checks of this machine and installation. Nothing is changed by looking. */
import { once } from "node:events"
import { access, constants, lstat, statfs } from "node:fs/promises"
import { dirname } from "node:path"
import type { Config } from "../config.ts"
import { startProgram } from "../db/embedded/programs.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"
import { PINNED_NODE } from "./runtime.ts"

const MIB = 1_048_576
const LOW_SPACE_BYTES = 1_024 * MIB
const NO_SPACE_BYTES = 200 * MIB
const DAY_MS = 86_400_000
/** Short-lived certificates and signatures are refused by a clock that is off by much less. */
const LATEST_YEAR = 2100

/** @param running - The version of this Node. */
export function checkNode(running: string, missing: readonly string[]): Diagnosis[] {
  const node =
    running === PINNED_NODE
      ? ok("runtime", `Node ${running}, as pinned`)
      : warn(
          "runtime",
          `Node ${running}, and ${PINNED_NODE} is pinned`,
          "Start it as bin/zygentrust, and run 'npm ci' after an update.",
        )
  const packages =
    missing.length === 0
      ? ok("packages", "the pinned Node and PostgreSQL are installed")
      : fail(
          "packages",
          `not installed: ${missing.join(", ")}`,
          "Run 'npm ci' in the checkout, without --omit=optional.",
        )
  return [node, packages]
}

/** Can the embedded PostgreSQL run here at all? */
export async function checkPlatform(config: Config): Promise<Diagnosis> {
  const platform = `${process.platform} on ${process.arch}`
  if (config.databaseUrl !== undefined) return ok("platform", platform)
  if (process.platform === "linux" && glibcVersion() === undefined) {
    return fail(
      "platform",
      `${platform} without glibc: the embedded PostgreSQL does not run here`,
      "Set ZT_DATABASE_URL to a PostgreSQL of your own.",
    )
  }
  if (process.getuid?.() !== 0) return ok("platform", platform)
  const child = startProgram("/bin/true", [], "ignore")
  const [code] = await once(child, "close").catch(() => [1])
  return code === 0
    ? ok("platform", `${platform}; as root, so PostgreSQL runs in a user namespace`)
    : fail(
        "platform",
        "this is root, and PostgreSQL refuses to run as root where user namespaces are barred",
        "Run this as an ordinary user, or set ZT_DATABASE_URL.",
      )
}

function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime
}

export async function checkDataFolder({ dataDir }: Config): Promise<Diagnosis> {
  const found = await nearest(dataDir)
  const writable = await access(found.path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!found.isFolder) {
    return fail("data folder", `${found.path} is a file`, "Move it away, or set ZT_DATA_DIR.")
  }
  if (!writable) {
    return fail(
      "data folder",
      `this user may not write in ${found.path}`,
      "Change its owner, or set ZT_DATA_DIR to a folder of your own.",
    )
  }
  if (found.path !== dataDir) return ok("data folder", `${dataDir}, made by the first start`)
  if (found.uid !== process.getuid?.()) {
    return fail(
      "data folder",
      `${dataDir} belongs to another user (uid ${found.uid})`,
      "Run this as that user, or set ZT_DATA_DIR to a folder of your own.",
    )
  }
  if ((found.mode & 0o077) !== 0) {
    return warn(
      "data folder",
      `others may look into ${dataDir} (mode ${(found.mode & 0o777).toString(8)})`,
      `Run: chmod 700 '${dataDir}'`,
    )
  }
  return ok("data folder", dataDir)
}

export async function checkSpace({ dataDir }: Config): Promise<Diagnosis> {
  const { path } = await nearest(dataDir)
  const { bavail, bsize } = await statfs(path)
  return judgeSpace(bavail * bsize)
}

export function judgeSpace(bytes: number): Diagnosis {
  const message = `${(bytes / MIB / 1_024).toFixed(1)} GiB free for the data folder`
  if (bytes < NO_SPACE_BYTES) return fail("disk space", message, "Free at least 200 MiB.")
  if (bytes < LOW_SPACE_BYTES) return warn("disk space", message, "Free some, 1 GiB at least.")
  return ok("disk space", message)
}

/** The folder, or what of its path is there already. */
async function nearest(path: string) {
  for (let at = path; ; at = dirname(at)) {
    try {
      const found = await lstat(at)
      return { path: at, isFolder: !found.isFile(), uid: found.uid, mode: found.mode }
    } catch (error) {
      if (dirname(at) === at) throw error
    }
  }
}

/**
 * @param knownPast - Some time that is over for certain: when this release was made.
 */
export function checkClock(now: Date, knownPast: Date): Diagnosis {
  const time = now.toISOString()
  if (now.getTime() < knownPast.getTime() - DAY_MS || now.getUTCFullYear() >= LATEST_YEAR) {
    return fail(
      "clock",
      `${time} cannot be now`,
      "Set the clock (timedatectl, NTP): certificates, ages and expiry are judged by it.",
    )
  }
  return ok("clock", time)
}
