/**
 * The web part of an observation: the handshake, both front doors, and the pages behind them.
 *
 * Ordered for the fewest round trips one after the other: the handshake's connection carries the
 * first HTTPS request, what needs no home page does not wait for it, and the pages behind it find
 * connections that are open already.
 */
import type {
  DnsObservation,
  HttpObservation,
  Known,
  Name,
  Page,
  TextFile,
  TlsObservation,
} from "../types.ts"
import type { Connections } from "./connections.ts"
import { pageOf, textFileOf } from "./content.ts"
import type { Fetcher } from "./fetch.ts"
import type { PageKind } from "./pages.ts"
import { createPageFinder, isOf } from "./pages.ts"
import type { TrustStore } from "./tls.ts"
import { observeTls } from "./tls.ts"
import { visit } from "./visit.ts"

export interface SiteTools {
  readonly connections: Connections
  readonly fetcher: Fetcher
  readonly trust: TrustStore
}

export type SiteParts = { readonly tls: Promise<Known<TlsObservation>> } & {
  readonly [K in keyof HttpObservation]: Promise<HttpObservation[K]>
}

/** Each part is there as soon as it is known. Never rejects. */
export function observeSite(
  name: Name,
  mtaSts: Promise<DnsObservation["mtaSts"]>,
  { connections, fetcher, trust }: SiteTools,
): SiteParts {
  const door = (scheme: string) => new URL(`${scheme}://${name.host}/`)

  const tls = connections
    .begin(door("https"))
    .then((socket) => ("unknown" in socket ? socket : observeTls(socket.value, name.host, trust)))
  const plain = visit(fetcher, door("http"))
  const secure = visit(fetcher, door("https"))
  const front = secure.then((seen) => ("value" in seen.visit ? seen : plain))
  const site = front.then(({ visit, last }) => {
    const end = "value" in visit ? visit.value.hops.at(-1)?.url : undefined
    const url = URL.parse(end ?? "") ?? door("https")
    return {
      name,
      home: pageOf(last),
      base: isOf(name, url) ? url : door(url.protocol.slice(0, -1)),
    }
  })
  const finder = site.then((found) => createPageFinder(fetcher, found))
  const page = (kind: PageKind) => finder.then((find) => find(kind))
  const file = async (path: string) => {
    const { last } = await visit(fetcher, new URL(path, door("https")))
    if ("value" in (await tls)) return textFileOf(last)
    const { visit: front } = await plain
    if ("unknown" in front) return front
    return textFileOf((await visit(fetcher, new URL(path, door("http")))).last)
  }

  return {
    tls,
    plain: plain.then(({ visit }) => visit),
    secure: secure.then(({ visit }) => visit),
    home: site.then(({ home }) => withDefaultIcon(home, fetcher)),
    privacy: page("privacy"),
    terms: page("terms"),
    contact: page("contact"),
    about: page("about"),
    imprint: page("imprint"),
    robotsTxt: file("/robots.txt"),
    // RFC 9116 §3: the well-known path first. Asking for both at once saves three round trips.
    securityTxt: Promise.all([file("/.well-known/security.txt"), file("/security.txt")]).then(
      ([wellKnown, legacy]) => (isFound(wellKnown) || !isFound(legacy) ? wellKnown : legacy),
    ),
    mtaStsPolicy: mtaSts.then((record) => mtaStsPolicy(name, record, fetcher)),
  }
}

function isFound(file: Known<TextFile>): boolean {
  return "value" in file && file.value.status === 200
}

/** Browsers take `/favicon.ico` where a page names no icon. */
async function withDefaultIcon(home: Known<Page>, fetcher: Fetcher): Promise<Known<Page>> {
  if ("unknown" in home || home.value.favicon) return home
  const { last } = await visit(fetcher, new URL("/favicon.ico", home.value.url))
  const favicon =
    "value" in last &&
    last.value.exchange.status === 200 &&
    /^image\//i.test(last.value.exchange.headers["content-type"]?.[0] ?? "")
  return { value: { ...home.value, favicon } }
}

/** RFC 8461 §3.3: only with a record, only over an authentic connection, without redirects. */
async function mtaStsPolicy(
  { registrable }: Name,
  record: DnsObservation["mtaSts"],
  fetcher: Fetcher,
): Promise<HttpObservation["mtaStsPolicy"]> {
  if ("unknown" in record) return record
  if (!record.value.records.some(({ data }) => /^v=STSv1\b/i.test(data))) {
    return { unknown: "not_offered" }
  }
  const url = new URL(`https://mta-sts.${registrable}/.well-known/mta-sts.txt`)
  const fetched = await fetcher.get(url)
  if ("value" in fetched && !fetched.value.authentic) return { unknown: "tls_failed" }
  return textFileOf(fetched)
}
