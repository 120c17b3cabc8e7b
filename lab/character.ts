/**
 * What a character of the lab is: one small declarative entry that says who it is, what the
 * verdict must be and why, and how its zone, its web servers and its registration behave.
 *
 * Owns the shapes only. Characters lie in `characters/`, one file an idea.
 */
import type { Answer } from "./web/answer.ts"

export interface Character {
  /** Short, in kebab-case, unique. */
  readonly name: string
  /** What is asked about: an A-label host. */
  readonly domain: string
  /** Who this is, in one sentence. */
  readonly story: string
  readonly expect: Expectation
  /** Why the verdict must be so. */
  readonly because: string
  readonly zone: Zone
  readonly web: Web
  readonly registration: Registration
}

/** What must hold of the verdict; signals that are not named here are free. */
export interface Expectation {
  readonly action: "approve" | "review" | "reject"
  readonly risk?: readonly ("low" | "medium" | "high" | "critical")[]
  /** Signal codes that must be true. */
  readonly evidence: readonly string[]
  /** Signal codes that must be false. */
  readonly absent?: readonly string[]
  /** Signal codes that must be unknown. */
  readonly unknown?: readonly string[]
}

export interface Zone {
  /** The apex, where it is not the domain. */
  readonly origin?: string
  /**
   * Lines `owner type data` as in a master file (RFC 1035 §5.1), one record a line. `@` is the
   * apex, `{ipv4}` and `{ipv6}` are the character's addresses. SOA is added, and two name servers
   * where there is no NS line.
   */
  readonly records: readonly string[]
  /** `bogus`: signatures that do not verify. */
  readonly signed?: "valid" | "bogus"
  readonly trouble?: DnsTrouble
}

export type DnsTrouble =
  | "no_such_name" // the zone does not exist
  | "servfail"
  | "silent" // never answers
  | "malformed" // answers that do not parse
  | "spoofed" // a forged answer with another id before the true one
  | "rebinding" // the first address is public, every next one is not

export interface Web {
  /** Port 80. */
  readonly http: Answer
  /** Port 443. */
  readonly https: Answer
  readonly certificate?: Certificate
  /** TLS versions offered; 1.2 and 1.3 unless told. */
  readonly tls?: "1.2 only" | "1.0 and 1.1"
}

export interface Certificate {
  /** Who signed it; the lab's intermediate unless told. */
  readonly issuer?: "self" | "unknown authority"
  /** Relative to now, in days; 40 before and 50 after unless told. */
  readonly fromDays?: number
  readonly untilDays?: number
  /** Names in it; the domain, its `www.` and its `mta-sts.` unless told. */
  readonly names?: readonly string[]
  /** Organisation-validated, for this one. */
  readonly organisation?: string
  /** The server sends it without its intermediate. */
  readonly incompleteChain?: boolean
}

/** What the registry says of the name; times in days relative to now. */
export type Registration = Registered | RegistryTrouble

export interface Registered {
  readonly registeredDaysAgo: number
  readonly expiresInDays: number
  readonly transferredDaysAgo?: number
  /** RDAP status values (RFC 8056); `client transfer prohibited` unless told. */
  readonly statuses?: readonly string[]
  /** The registry redirects to the registrar's server. */
  readonly redirected?: boolean
}

export type RegistryTrouble =
  | "not_found"
  | "no_server" // the suffix is not in the bootstrap file
  | "server_error"
  | "silent"
  | "not_json"
  | "redirect_private"
