/**
 * The observer: a name → an observation. The only part of the program with sockets to strangers.
 *
 * Invariant: one deadline for everything; when it comes, what is there is kept and the rest is
 * unknown. Afterwards no socket and no timer is left.
 */
import { getServers } from "node:dns"
import { readFile } from "node:fs/promises"
import { isIP } from "node:net"
import type { Config } from "../../config.ts"
import { Problem } from "../../core/problem.ts"
import { VERSION } from "../../core/version.ts"
import type { Endpoint } from "../../setting-values.ts"
import type { Observer } from "../types.ts"
import type { RdapBootstrap } from "./bootstrap.ts"
import { parseBootstrap, shippedBootstrap } from "./bootstrap.ts"
import type { AddressMap } from "./dial.ts"
import { anyAnswers } from "./dns-client.ts"
import { observeUntil } from "./observation.ts"
import { createTrustStore } from "./tls.ts"

export interface ObserverOptions {
  readonly resolvers: readonly Endpoint[]
  /** Addresses of resolvers whose AD bit counts, besides those on loopback. */
  readonly trustedResolvers: readonly string[]
  readonly bootstrap: RdapBootstrap
  /** Certificate authorities (PEM) to trust besides the runtime's. */
  readonly extraCa?: string
  readonly addressMap: AddressMap
  /** For one whole observation, in milliseconds. */
  readonly deadlineMs: number
  /** Says who visits. */
  readonly userAgent: string
}

const PROBE_TIMEOUT_MS = 1000

/**
 * @returns An observer. Its `observe` rejects with the signal's reason when that fires, and for
 *   nothing else.
 * @throws Problem `INVALID_SETTING` when `extraCa` is not PEM.
 */
export function createObserver(options: ObserverOptions): Observer {
  const means = { ...options, trust: createTrustStore(options.extraCa) }
  return {
    async observe(name, { signal, progress = () => {} } = {}) {
      signal?.throwIfAborted()
      const stop = new AbortController()
      const onAbort = () => stop.abort()
      signal?.addEventListener("abort", onAbort)
      const deadline = setTimeout(onAbort, options.deadlineMs)
      try {
        const observation = await observeUntil(stop.signal, name, progress, means)
        signal?.throwIfAborted()
        return observation
      } finally {
        clearTimeout(deadline)
        signal?.removeEventListener("abort", onAbort)
        stop.abort()
      }
    },
  }
}

/**
 * Reads what the settings name.
 * @throws Problem `INVALID_SETTING` for a file that cannot be read or is not what it should be.
 */
export async function observerOptions(config: Config): Promise<ObserverOptions> {
  const { rdapBootstrapFile, caFile } = config
  const contact = config.contactUrl ?? `https://${config.host}:${config.httpsPort}/docs`
  return {
    resolvers: resolversOf(config),
    trustedResolvers: config.trustedResolvers,
    bootstrap:
      rdapBootstrapFile === undefined
        ? await shippedBootstrap()
        : parseBootstrap(await read("ZT_RDAP_BOOTSTRAP_FILE", rdapBootstrapFile)),
    ...(caFile === undefined ? {} : { extraCa: (await read("ZT_CA_FILE", caFile)).toString() }),
    addressMap: config.addressMap,
    deadlineMs: config.observeDeadlineMs,
    userAgent: `ZygenTrust/${VERSION} (+${contact})`,
  }
}

/** @returns Whether any resolver answers, and knows the root, within a second. Never rejects. */
export function resolverAnswers(config: Config): Promise<boolean> {
  return anyAnswers(resolversOf(config), PROBE_TIMEOUT_MS)
}

/** The settings' resolvers, or else the system's. */
function resolversOf({ resolvers }: Config): readonly Endpoint[] {
  return resolvers ?? getServers().flatMap(parseServer)
}

/** @param server - Node's form: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`. */
export function parseServer(server: string): Endpoint[] {
  if (isIP(server) !== 0) return [{ address: server, port: 53 }]
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d+)$/.exec(server) ?? []
  const address = six ?? four ?? ""
  return isIP(address) === 0 ? [] : [{ address, port: Number(port) }]
}

async function read(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new Problem("INVALID_SETTING", { message: `${setting}: cannot read ${file}`, cause })
  }
}
