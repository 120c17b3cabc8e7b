/** A GET and the redirects after it, each fetched through the guard like the first. */
import type { Exchange, Known, Visit } from "../types.ts"
import type { Fetched, Fetcher } from "./fetch.ts"
import { redirectOf } from "./fetch.ts"

export interface Visited {
  /** Unknown when not even the first answer came. */
  readonly visit: Known<Visit>
  /** The answer where it ended, if that is no redirect. */
  readonly last: Known<Fetched>
}

const MAX_REDIRECTS = 5

/** Never rejects. */
export async function visit(fetcher: Fetcher, from: URL): Promise<Visited> {
  const hops: Exchange[] = []
  let url = from
  for (;;) {
    const fetched = await fetcher.get(url)
    if ("unknown" in fetched) {
      if (hops.length === 0) return { visit: fetched, last: fetched }
      const why = fetched.unknown
      const end: Visit =
        why === "blocked" ? { hops, stopped: why } : { hops, stopped: "unreachable", why }
      return { visit: { value: end }, last: fetched }
    }
    const { exchange } = fetched.value
    hops.push(exchange)
    const location = redirectOf(exchange.status, exchange.headers)
    if (location === undefined) return { visit: { value: { hops } }, last: fetched }
    const next = URL.parse(location, url)
    const stopped = whyStop(next, hops)
    if (next === null || stopped !== undefined) {
      const visit: Visit = { hops, stopped: stopped ?? "bad_location" }
      return { visit: { value: visit }, last: { unknown: "malformed" } }
    }
    url = next
  }
}

function whyStop(next: URL | null, hops: readonly Exchange[]): Visit["stopped"] {
  if (next === null || !/^https?:$/.test(next.protocol)) return "bad_location"
  next.hash = next.username = next.password = ""
  if (hops.some(({ url }) => url === next.href)) return "redirect_loop"
  if (hops.length > MAX_REDIRECTS) return "too_many_redirects"
  return undefined
}
