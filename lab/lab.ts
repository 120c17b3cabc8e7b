/**
 * A small internet in one process on loopback: DNS, TLS, HTTP and RDAP servers of many
 * characters, under names and addresses that nobody else has.
 *
 * Owns the start and the end of it all. It listens on 127.0.0.1 alone, on ports that the kernel
 * gives; each character's addresses (of 198.18.0.0/15 and 2001:db8::/32, never routed) lead there
 * by the address map in `settings`. Invariant: after `close` nothing is left, neither a socket nor
 * a timer nor a file.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import type { Socket } from "node:net"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TlsOptions } from "node:tls"
import type { Character, Web } from "./character.ts"
import { CHARACTERS } from "./characters/all.ts"
import { createResolver } from "./dns/resolve.ts"
import { listenDns } from "./dns/server.ts"
import type { Addresses } from "./dns/zones.ts"
import { createZones, REGISTRAR_ADDRESS, REGISTRY_ADDRESS } from "./dns/zones.ts"
import { createLatency } from "./latency.ts"
import { bootstrapFile, REGISTRAR, REGISTRY, rdapServer } from "./rdap/answer.ts"
import type { Requests } from "./requests.ts"
import { createCounters } from "./requests.ts"
import type { Authority } from "./tls/authority.ts"
import { createAuthority } from "./tls/authority.ts"
import type { Answer, Stage } from "./web/answer.ts"
import { refused } from "./web/answer.ts"
import type { Tls } from "./web/listen.ts"
import { closeAll, listen, listenOn } from "./web/listen.ts"
import { holdRefusingPort } from "./web/refused.ts"

export interface LabOptions {
  /** Added to each round trip of DNS, TCP, TLS and HTTP (`latency.ts`); 0 unless told. */
  readonly delayMs?: number
  /** What registrations, certificates and signatures are relative to; the time of the call. */
  readonly now?: Date
  /** Further characters, beside the lab's own. */
  readonly characters?: readonly Character[]
}

export interface Lab {
  /** For `src/config.ts`: what leads a program into the lab. */
  readonly settings: Readonly<
    Record<"ZT_RESOLVERS" | "ZT_RDAP_BOOTSTRAP_FILE" | "ZT_CA_FILE" | "ZT_ADDRESS_MAP", string>
  >
  readonly characters: readonly (Character & Addresses)[]
  readonly requests: Requests
  close(): Promise<void>
}

interface Host extends Web {
  readonly domain: string
  readonly addresses: readonly string[]
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { delayMs = 0, now = new Date(), characters: more = [] } = options
  await using stack = new AsyncDisposableStack()
  const characters = [...CHARACTERS, ...more].map((one, i) => ({ ...one, ...addressesOf(i) }))
  const requests = createCounters()
  const latency = createLatency(delayMs)
  const owned = <T extends { close(): Promise<void> }>(part: T) =>
    stack.adopt(part, () => part.close())

  const trap = owned(await setTrap(() => requests.connection("trap")))
  const refusing = owned(await holdRefusingPort())
  const stage: Stage = { trapPort: trap.port, now }
  const authority = await createAuthority(now)
  const addressMap: string[] = []

  const serve = async (host: Host) => {
    const ends: [number, Answer, Tls | undefined][] = [
      [80, host.http, undefined],
      [443, host.https, tlsOf(host, authority)],
    ]
    for (const [port, answer, tls] of ends) {
      const keys = host.addresses.map((address) => endpointKey(address, port))
      let to = refusing.port
      if (answer.kind !== "refused") {
        const onConnection = () => requests.connection(keys[0] ?? "")
        const listener = await listen({ answer, stage, latency, onConnection, ...(tls && { tls }) })
        to = owned(listener).port
      }
      for (const key of keys) addressMap.push(`${key}=127.0.0.1:${to}`)
    }
  }
  await Promise.all([
    ...characters.map(({ domain, web, ipv4, ipv6 }) =>
      serve({ domain, ...web, addresses: [ipv4, ipv6] }),
    ),
    serve(rdapHost(REGISTRY, REGISTRY_ADDRESS, rdapServer("registry", characters, now))),
    serve(rdapHost(REGISTRAR, REGISTRAR_ADDRESS, rdapServer("registrar", characters, now))),
  ])

  const dns = owned(
    await listenDns({
      resolve: createResolver(createZones(characters, now)),
      latency,
      onQuestion: ({ name, type }) => requests.question(`${name.toLowerCase()} ${type}`),
      spoofed: new Set(
        characters.filter(({ zone }) => zone.trouble === "spoofed").map(({ domain }) => domain),
      ),
    }),
  )
  const folder = await mkdtemp(join(tmpdir(), "zygentrust-lab-"))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const caFile = join(folder, "ca.pem")
  const bootstrap = join(folder, "rdap-bootstrap.json")
  await Promise.all([
    writeFile(caFile, authority.rootPem),
    writeFile(bootstrap, bootstrapFile(now)),
  ])

  stack.defer(() => latency.stop()) // first of all, since the stack unwinds
  const everything = stack.move()
  return {
    settings: {
      ZT_RESOLVERS: `127.0.0.1:${dns.port}`,
      ZT_RDAP_BOOTSTRAP_FILE: bootstrap,
      ZT_CA_FILE: caFile,
      ZT_ADDRESS_MAP: addressMap.join(","),
    },
    characters,
    requests,
    close: () => everything.disposeAsync(),
  }
}

function addressesOf(index: number): Addresses {
  return { ipv4: `198.18.${index + 1}.1`, ipv6: `2001:db8:${index + 1}::1` }
}

function endpointKey(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
}

function rdapHost(domain: string, address: string, https: Answer): Host {
  return { domain, addresses: [address], http: refused, https }
}

const TLS_VERSIONS: Record<NonNullable<Web["tls"]>, TlsOptions> = {
  "1.2 only": { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
  "1.0 and 1.1": {
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0", // OpenSSL 3 serves these versions at no higher level
  },
}

function tlsOf({ domain, certificate = {}, tls }: Host, authority: Authority): Tls {
  return {
    versions: tls === undefined ? {} : TLS_VERSIONS[tls],
    credentials: () => authority.issue(domain, certificate),
  }
}

/** A listener that nobody must ever reach: it counts whoever does. */
async function setTrap(onConnection: () => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    onConnection()
    sockets.add(socket)
    socket.on("error", () => {})
    socket.end()
  })
  return { port: await listenOn(server), close: () => closeAll(server, sockets) }
}
