/**
 * The name under question: whatever a person pastes → one host that can be looked up.
 *
 * Owns: which part of an address is the name, UTS #46, what is refused and how that is told.
 * Invariant: normalising what it returns returns the same; nothing is thrown but `INVALID_DOMAIN`.
 */
import { isIP } from "node:net"
import { domainToASCII, domainToUnicode } from "node:url"
import { parse } from "tldts"
import { Problem } from "../core/problem.ts"
import type { Name } from "./types.ts"

const MAX_INPUT_LENGTH = 2_000
const MAX_NAME_LENGTH = 253
const MAX_LABEL_LENGTH = 63

/** Names that the DNS does not answer for (IANA, Special-Use Domain Names), but for examples. */
const SPECIAL_USE: ReadonlySet<string> = new Set([
  "alt",
  "arpa",
  "internal",
  "invalid",
  "local",
  "localhost",
  "onion",
])

/**
 * Reads a domain, a host or an http(s) URL.
 * @returns The name; `www.` is removed where something registrable is left.
 * @throws Problem `INVALID_DOMAIN`, whose message says what is wrong and what would be right.
 */
export function normalizeName(input: string): Name {
  if (input.length > MAX_INPUT_LENGTH) {
    throw invalid(`The domain is longer than ${MAX_INPUT_LENGTH} characters: send the name alone.`)
  }
  const text = input.trim()
  if (text === "") throw invalid("The domain is empty: send a name such as 'example.com'.")
  if (/\p{Cc}/u.test(text)) {
    throw invalid("The domain contains control characters: send the name alone.")
  }
  const asked = toAscii(hostOf(text))
  const parts = divide(asked)
  if (parts === undefined) {
    throw invalid(
      `'${asked}' is a public suffix, under which others register: send a name below it, such as 'example.${asked}'.`,
    )
  }
  const { host, registrable, suffix, shared } = withoutWww(asked, parts)
  return { host, unicode: domainToUnicode(host), registrable, suffix, shared }
}

/** Takes the host out of an address as browsers do: `\` ends it as `/` does (WHATWG URL). */
function hostOf(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw invalid(
      `Addresses of '${scheme}:' are not analysed: send a domain or an http(s) address.`,
    )
  }
  const authority = text.replace(/^([a-z]+:)?\/\//i, "").split(/[/\\?#]/, 1)[0] ?? ""
  const host = authority.slice(authority.lastIndexOf("@") + 1)
  if (host.startsWith("[") || isIP(host) !== 0) throw ipAddress()
  return host.replace(/:\d*$/, "")
}

/** UTS #46 (non-transitional), and then the host name rules that it leaves open (RFC 1123 §2.1). */
function toAscii(host: string): string {
  if (host.includes("%")) throw invalid("The domain contains '%': send it without escapes.")
  const numeric = /^(\d+|0x[0-9a-f]*)$/i
  const last =
    host
      .normalize("NFKC")
      .replace(/[.。]$/u, "")
      .split(/[.。]/u)
      .at(-1) ?? ""
  if (numeric.test(last)) throw ipAddress()
  const ascii = domainToASCII(host).replace(/\.$/, "")
  if (isIP(ascii) !== 0) throw ipAddress()
  if (ascii === "") {
    throw invalid(
      `'${shown(host)}' contains characters that a domain cannot have: send a name such as 'example.com'.`,
    )
  }
  const labels = ascii.split(".")
  for (const label of labels) checkLabel(label)
  if (ascii.length > MAX_NAME_LENGTH) {
    throw invalid(`The domain is longer than ${MAX_NAME_LENGTH} characters.`)
  }
  if (domainToASCII(domainToUnicode(ascii)) !== ascii || labels.some(isBrokenPunycode)) {
    throw invalid(`'${shown(ascii)}' is not valid punycode: send the name in its own letters.`)
  }
  const top = labels.at(-1) ?? ""
  if (SPECIAL_USE.has(top)) {
    throw invalid(`Names under '.${top}' are not in the public DNS: send a public domain.`)
  }
  if (labels.length === 1) {
    throw invalid(`'${shown(ascii)}' is a single label: send a whole domain such as '${top}.com'.`)
  }
  return ascii
}

function checkLabel(label: string): void {
  if (label === "") throw invalid("The domain has an empty label: two dots, or one in front.")
  if (label.length > MAX_LABEL_LENGTH) {
    throw invalid(`A label of the domain is longer than ${MAX_LABEL_LENGTH} characters.`)
  }
  if (label.startsWith("-") || label.endsWith("-")) {
    throw invalid(`The label '${shown(label)}' begins or ends with a hyphen.`)
  }
  if (!/^[a-z0-9-]+$/.test(label)) {
    throw invalid(
      `The label '${shown(label)}' may hold letters, digits and hyphens only: send a name such as 'example.com'.`,
    )
  }
}

/** An A-label that stands for nothing, or for what is written without punycode. */
function isBrokenPunycode(label: string): boolean {
  return label.startsWith("xn--") && /^[ -~]*$/.test(domainToUnicode(label))
}

type Parts = Pick<Name, "registrable" | "suffix" | "shared">

/**
 * Splits at the Public Suffix List. The home of a private suffix itself (`github.io`) is an
 * ordinary name under its ICANN suffix.
 * @returns undefined for a bare ICANN suffix.
 */
function divide(host: string): Parts | undefined {
  for (const allowPrivateDomains of [true, false]) {
    const { domain, publicSuffix, isPrivate } = parse(host, { allowPrivateDomains })
    if (domain !== null && publicSuffix !== null) {
      return { registrable: domain, suffix: publicSuffix, shared: isPrivate === true }
    }
  }
  return undefined
}

function withoutWww(asked: string, parts: Parts): Parts & { readonly host: string } {
  let found = { host: asked, ...parts }
  while (found.host.startsWith("www.")) {
    const host = found.host.slice("www.".length)
    const rest = divide(host)
    if (rest === undefined || !host.includes(".")) break
    found = { host, ...rest }
  }
  return found
}

/** What may be repeated to the caller: nothing invisible, and not much. */
function shown(text: string): string {
  return text
    .replace(/[\p{C}\p{Z}']/gu, " ")
    .slice(0, 80)
    .toWellFormed()
}

function ipAddress(): Problem {
  return invalid("That is an IP address: send a domain name such as 'example.com'.")
}

function invalid(message: string): Problem {
  return new Problem("INVALID_DOMAIN", { message })
}
