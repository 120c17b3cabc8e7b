/**
 * HTML from a stranger → the few things that rules read. Bounded in time, depth and counts,
 * whatever the bytes; never throws.
 */
import { Parser } from "htmlparser2"
import type { Page } from "../types.ts"
import { decodeText } from "./charset.ts"
import { organisationsIn } from "./json-ld.ts"
import { cut, plainText } from "./text.ts"

const MAX_TEXT = 4000
const MAX_LINKS = 200
const MAX_HOSTS = 100
const MAX_EMAILS = 50
const MAX_ORGANISATIONS = 20
const MAX_URL = 2048
const MAX_URLS = 5000
const MAX_WORDS = 2000
const MAX_JSON_LD = 256 * 1024
/** The parser searches its stack of open elements, so depth is what could cost time. */
const MAX_DEPTH = 512
const SLICE = 16 * 1024

const INVISIBLE: ReadonlySet<string> = new Set(
  "noscript script style svg template title".split(" "),
)
/** All other elements are taken to stand apart from the words around them. */
const INLINE: ReadonlySet<string> = new Set(
  "a abbr b bdi bdo cite code em font i kbd mark q s small span strong sub sup u".split(" "),
)

/**
 * @param bytes - The decoded body; what is no text by its content type is taken for empty.
 * @param contentType - The header's value; `""` when there was none, which counts as HTML.
 */
export function readPage(
  { url, status, contentType }: { url: string; status: number; contentType: string },
  bytes: Uint8Array,
): Page {
  const isText = /^\s*($|text\/|application\/xhtml)/i.test(contentType)
  return { url, status, ...readHtml(isText ? decodeText(bytes, contentType) : "", url) }
}

/** @param url - Where the page is from; relative links are resolved against it. */
export function readHtml(html: string, url: string): Omit<Page, "url" | "status"> {
  let base = url
  let depth = 0
  let hidden = 0
  let urls = 0
  let title: string | undefined
  let inTitle = false
  let description: string | undefined
  let canonical: string | undefined
  let favicon = false
  let link: { url: string; text: string } | undefined
  let jsonLd: string | undefined
  const visible = new VisibleText()
  const links: { url: string; text: string }[] = []
  const resourceHosts = new Set<string>()
  const emails = new Set<string>()
  const organisations: Page["organisations"][number][] = []

  const absolute = (href: string | undefined): URL | undefined => {
    if (href === undefined || href.length > MAX_URL || urls++ > MAX_URLS) return undefined
    const target = URL.parse(href.trim(), base)
    return target !== null && /^https?:$/.test(target.protocol) ? target : undefined
  }
  const endLink = () => {
    if (link !== undefined && links.length < MAX_LINKS) {
      links.push({ url: link.url, text: plainText(link.text, 200) })
    }
    link = undefined
  }

  /** What an element says by its attributes. */
  const onElement: Readonly<Record<string, (attributes: Attributes) => void>> = {
    base({ href }) {
      if (base === url) base = absolute(href)?.href ?? base
    },
    meta({ name, property, content }) {
      const key = (name ?? property ?? "").toLowerCase()
      if (key === "description") description ??= plainText(content ?? "", 500)
    },
    link({ rel, href }) {
      const kinds = (rel ?? "").toLowerCase().split(/\s+/)
      if (kinds.includes("canonical")) canonical ??= absolute(href)?.href
      if (kinds.includes("icon") || kinds.includes("apple-touch-icon")) favicon = true
    },
    a({ href }) {
      endLink()
      const email = /^\s*mailto:([^?\s]{3,254})/i.exec(href ?? "")?.[1]
      if (email?.includes("@") && emails.size < MAX_EMAILS) emails.add(plainText(email, 254))
      const target = absolute(href)
      if (target !== undefined) link = { url: target.href, text: "" }
    },
    script({ src, type }) {
      addHost(src)
      if (type?.trim().toLowerCase() === "application/ld+json") jsonLd = ""
    },
    iframe: ({ src }) => addHost(src),
    frame: ({ src }) => addHost(src),
    img: ({ src }) => addHost(src),
  }
  function addHost(src: string | undefined) {
    const host = absolute(src)?.hostname
    if (host !== undefined && resourceHosts.size < MAX_HOSTS) resourceHosts.add(host)
  }

  const parser = new Parser({
    onopentag(name, attributes) {
      depth++
      if (name === "title" && hidden === 0 && title === undefined) {
        inTitle = true
        title = ""
      }
      if (INVISIBLE.has(name)) hidden++
      else if (!INLINE.has(name)) visible.addSpace()
      if (Object.hasOwn(onElement, name)) onElement[name]?.(attributes)
    },
    onclosetag(name) {
      depth--
      if (INVISIBLE.has(name)) hidden--
      else if (!INLINE.has(name)) visible.addSpace()
      if (name === "title") inTitle = false
      if (name === "a") endLink()
      if (name === "script" && jsonLd !== undefined) {
        organisations.push(...organisationsIn(jsonLd))
        jsonLd = undefined
      }
    },
    ontext(text) {
      if (jsonLd !== undefined) {
        if (jsonLd.length + text.length <= MAX_JSON_LD) jsonLd += text
      } else if (inTitle && title !== undefined) title = append(title, text)
      else if (hidden === 0) {
        visible.add(text)
        if (link !== undefined) link.text = append(link.text, text)
      }
    },
  })
  for (let at = 0; at < html.length && depth <= MAX_DEPTH; at += SLICE) {
    parser.write(html.slice(at, at + SLICE))
  }
  if (depth <= MAX_DEPTH) parser.end()
  endLink()

  const name = plainText(title ?? "", 500)
  return {
    ...(name === "" ? {} : { title: name }),
    ...(description === undefined || description === "" ? {} : { description }),
    ...(canonical === undefined ? {} : { canonical }),
    favicon,
    text: cut(visible.text, MAX_TEXT),
    textLength: visible.length,
    links,
    resourceHosts: [...resourceHosts],
    emails: [...emails],
    organisations: organisations.slice(0, MAX_ORGANISATIONS),
  }
}

function append(text: string, more: string): string {
  return text.length < MAX_WORDS ? cut(text + more, MAX_WORDS) : text
}

type Attributes = Readonly<Record<string, string | undefined>>

/** Collects text as a reader sees it: whitespace folded, the beginning kept, all of it counted. */
class VisibleText {
  text = ""
  length = 0
  #space = false

  addSpace() {
    this.#space = true
  }

  add(text: string) {
    const folded = text.replace(/[\s\p{Cc}]+/gu, " ")
    if (folded.startsWith(" ")) this.#space = true
    const words = folded.trim()
    if (words === "") return
    const piece = this.#space && this.length > 0 ? ` ${words}` : words
    this.length += piece.length
    if (this.text.length < MAX_TEXT) this.text += piece
    this.#space = folded.endsWith(" ")
  }
}
