/**
 * The RDAP bootstrap (RFC 9224): which server knows the registrations below a suffix.
 *
 * The program carries a copy of IANA's file, with its date and hash beside it in
 * `rdap-bootstrap.provenance.json`; it is refused when its bytes are not those.
 */
import { hash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Problem } from "../../core/problem.ts"

const FILE = join(import.meta.dirname, "rdap-bootstrap.json")
const PROVENANCE = join(import.meta.dirname, "rdap-bootstrap.provenance.json")

const bootstrapSchema = z.object({
  version: z.string(),
  publication: z.string(),
  services: z.array(z.tuple([z.array(z.string()), z.array(z.string())]).rest(z.unknown())),
})
const provenanceSchema = z.object({ publication: z.string(), sha256: z.string() })

export interface RdapBootstrap {
  /** RFC 3339: how old the file is. */
  readonly publication: string
  /** SHA-256 of the file, hex. */
  readonly sha256: string
  /** @returns The base URL, with its final slash, for a domain; undefined when nobody serves it. */
  serverFor(domain: string): URL | undefined
}

/** @returns The copy that comes with the program. @throws Problem `INVALID_SETTING` when altered. */
export async function shippedBootstrap(): Promise<RdapBootstrap> {
  const [bytes, provenance] = await Promise.all([readFile(FILE), readFile(PROVENANCE, "utf8")])
  return verifiedBootstrap(bytes, provenanceSchema.parse(JSON.parse(provenance)).sha256)
}

/** @throws Problem `INVALID_SETTING` when the file is not the one with that SHA-256 (hex). */
export function verifiedBootstrap(bytes: Uint8Array, sha256: string): RdapBootstrap {
  const bootstrap = parseBootstrap(bytes)
  if (bootstrap.sha256 !== sha256) {
    throw new Problem("INVALID_SETTING", { message: `${FILE} has been altered` })
  }
  return bootstrap
}

/**
 * @param bytes - A bootstrap file for domains.
 * @throws Problem `INVALID_SETTING` when it is none.
 */
export function parseBootstrap(bytes: Uint8Array): RdapBootstrap {
  let file: z.output<typeof bootstrapSchema>
  try {
    file = bootstrapSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")))
  } catch (cause) {
    throw new Problem("INVALID_SETTING", {
      message: "ZT_RDAP_BOOTSTRAP_FILE does not name an RDAP bootstrap file (RFC 9224)",
      cause,
    })
  }
  const servers = new Map<string, URL>()
  for (const [suffixes, urls] of file.services) {
    const server = preferredServer(urls)
    if (server === undefined) continue
    for (const suffix of suffixes) servers.set(suffix.toLowerCase(), server)
  }
  return {
    publication: file.publication,
    sha256: hash("sha256", bytes, "hex"),
    serverFor(domain) {
      // The longest match wins (RFC 9224 §4); the empty entry would stand for the root.
      const labels = domain.split(".")
      for (let from = 0; from < labels.length; from++) {
        const server = servers.get(labels.slice(from).join("."))
        if (server !== undefined) return server
      }
      return undefined
    },
  }
}

/** HTTPS where there is a choice (RFC 9224 §3). */
function preferredServer(urls: readonly string[]): URL | undefined {
  const parsed = urls.flatMap((text) => URL.parse(text.endsWith("/") ? text : `${text}/`) ?? [])
  return parsed.find(({ protocol }) => protocol === "https:") ?? parsed[0]
}
