/**
 * The fixed pages of a site: which are looked for, where, and which answers are no pages.
 *
 * A page is where the home page links to, in words of several languages, or else at its usual
 * path. A site that answers 200 to any path would seem to have all of them, so a usual path that
 * nobody links to counts only when a path that cannot exist is answered differently.
 */
import { createHash } from "node:crypto"
import type { Known, Name, Page } from "../types.ts"
import { pageOf } from "./content.ts"
import type { Fetcher } from "./fetch.ts"
import { visit } from "./visit.ts"

export type PageKind = "privacy" | "terms" | "contact" | "about" | "imprint"

/** Words of a link's text or path, and the path to try when no link has them. */
const PAGE_KINDS: Readonly<Record<PageKind, { words: RegExp; path: string }>> = {
  privacy: {
    words:
      /privacy|datenschutz|privacidad|confidentialit|vie-privee|vie privée|privacidade|riservatezza|gegevensbescherming|prywatno|integritetspolicy|personvern|tietosuoja|gizlilik|конфиденциальност|プライバシー|隐私|隱私|개인정보/iu,
    path: "/privacy",
  },
  terms: {
    words:
      /terms|conditions|\bagb\b|geschäftsbedingungen|nutzungsbedingungen|términos|terminos|\bcgv\b|\bcgu\b|condizioni|condições|voorwaarden|regulamin|villkor|vilkår|käyttöehdot|şartlar|условия|利用規約|条款|條款|이용약관/iu,
    path: "/terms",
  },
  contact: {
    words:
      /contact|kontakt|contatt|contato|iletişim|yhteystiedot|контакт|お問い合わせ|联系|聯絡|문의/iu,
    path: "/contact",
  },
  about: {
    words:
      /about|über[- ]uns|ueber-uns|sobre|quienes-somos|quiénes somos|à propos|a-propos|qui-sommes|chi siamo|chi-siamo|over ons|over-ons|o nas|o-nas|om oss|om-oss|meistä|hakkımızda|о нас|о компании|会社概要|关于|關於|회사소개/iu,
    path: "/about",
  },
  imprint: {
    words:
      /imprint|impressum|legal[- ]notice|aviso[- ]legal|mentions[- ]l[ée]gales|note legali|note-legali|colofon|特定商取引/iu,
    path: "/imprint",
  },
}

/** Where a site is, once that is known. */
export interface Site {
  readonly name: Name
  /** Where the home page was found, or would have been. */
  readonly base: URL
  readonly home: Known<Page>
}

/**
 * @returns How to find a page of each kind. One that only seems to be there has the status 404,
 *   whatever its server says.
 */
export function createPageFinder(fetcher: Fetcher, { name, base, home }: Site) {
  let nowhere: Promise<Known<Page>> | undefined
  const get = async (url: URL) => pageOf((await visit(fetcher, url)).last)
  const links = "value" in home ? home.value.links : []

  return async (kind: PageKind): Promise<Known<Page>> => {
    // A home page too large to read does not keep the others from being there.
    if ("unknown" in home && home.unknown !== "too_large") return home
    const { words, path } = PAGE_KINDS[kind]
    const link = links.find((each) => isAbout(words, each) && isOf(name, new URL(each.url)))
    if (link !== undefined) return get(new URL(link.url))
    const page = await get(new URL(path, base))
    if ("unknown" in page || page.value.status >= 300) return page
    nowhere ??= get(new URL(pathToNowhere(name.host), base))
    const elsewhere = await nowhere
    if ("unknown" in elsewhere) return elsewhere
    const others = "value" in home ? [elsewhere.value, home.value] : [elsewhere.value]
    const isReal = !others.some((other) => isSamePage(page.value, other))
    return isReal ? page : { value: { ...page.value, status: 404 } }
  }
}

/** @returns A path that no site has: the same for the same host, so that observations repeat. */
function pathToNowhere(host: string): string {
  return `/${createHash("sha256").update(host).digest("hex").slice(0, 24)}`
}

function isSamePage(page: Page, other: Page): boolean {
  if (other.status >= 300) return false
  const isSameTitle = page.title !== undefined && page.title === other.title
  return isSameTitle || page.text === other.text
}

function isAbout(words: RegExp, link: { url: string; text: string }): boolean {
  return words.test(link.text) || words.test(readablePath(new URL(link.url)))
}

function readablePath(url: URL): string {
  try {
    return decodeURIComponent(url.pathname)
  } catch {
    return url.pathname
  }
}

/** @returns Whether a URL is on the domain under question or below it. */
export function isOf({ registrable }: Name, { hostname }: URL): boolean {
  return hostname === registrable || hostname.endsWith(`.${registrable}`)
}
