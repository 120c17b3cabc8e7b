/**
 * What passes between the engine's parts: a name → an observation (facts, nothing judged) →
 * findings (one rule, one evidence code) → a verdict. All plain JSON, so that an observation
 * can be stored, replayed and digested. No I/O here.
 */

/** Why something could not be seen. Never the same as "seen to be absent". */
export type Why =
  | "timeout" // a peer did not answer in its time
  | "deadline" // the whole observation's time was over
  | "refused" // connection refused or reset
  | "unreachable" // no address, no route
  | "servfail" // the resolver failed
  | "blocked" // the guard let no connection through
  | "challenge" // a bot challenge or a 401/403/429 stood in the way
  | "malformed" // an answer that does not parse
  | "too_large" // more than the cap
  | "server_error" // 5xx
  | "tls_failed" // no HTTPS connection, so nothing behind it
  | "not_offered" // nobody serves this (no RDAP server for the suffix)
  | "platform" // describes the shared platform, not this name
  | "not_observed" // not asked for, or answered only by one whose word does not count

/** A fact that was seen (also when what was seen is "none"), or why it was not. */
export type Known<T> = { readonly value: T } | { readonly unknown: Why }

/** The name under question, normalised. */
export interface Name {
  /** ASCII (A-label) host, lower case, no trailing dot, `www.` removed. */
  readonly host: string
  /** The same in Unicode. */
  readonly unicode: string
  /** One label below the ICANN public suffix; for a shared suffix, below the private one. */
  readonly registrable: string
  /** The public suffix that `registrable` is one label below. */
  readonly suffix: string
  /** True under a private public suffix (`github.io`): DNS and registration are the platform's. */
  readonly shared: boolean
}

export interface DnsRecord {
  /** Presentation form of the RDATA; TXT strings joined, names lower case without trailing dot. */
  readonly data: string
  readonly ttl: number
}

export interface DnsAnswer {
  /** Of the asked name itself: where it is an alias, its target may not exist (RFC 6604). */
  readonly rcode: "NOERROR" | "NXDOMAIN"
  /** Records of the asked type, after CNAMEs. Empty with NOERROR: no data. */
  readonly records: readonly DnsRecord[]
  /** The AD bit, `undefined` when the resolver is not one whose word counts. */
  readonly authenticated?: boolean
}

/**
 * Address records are of `host`, or of `www.` before it where that alone has addresses; all else
 * is of `registrable`.
 */
export interface DnsObservation {
  readonly a: Known<DnsAnswer>
  readonly aaaa: Known<DnsAnswer>
  readonly ns: Known<DnsAnswer>
  readonly mx: Known<DnsAnswer>
  readonly txt: Known<DnsAnswer>
  readonly caa: Known<DnsAnswer>
  readonly ds: Known<DnsAnswer>
  readonly dnskey: Known<DnsAnswer>
  readonly dmarc: Known<DnsAnswer>
  /** At `host`, where that is not `registrable`; comes first (RFC 7489 §6.6.3). */
  readonly dmarcOfHost?: Known<DnsAnswer>
  readonly mtaSts: Known<DnsAnswer>
  readonly tlsRpt: Known<DnsAnswer>
  readonly bimi: Known<DnsAnswer>
  /** Addresses of each name server, by its name. */
  readonly nsAddresses: Known<Readonly<Record<string, readonly string[]>>>
  /** SERVFAIL of any of these that clears with the CD bit (RFC 4035 §3.2.2): bad signatures. */
  readonly bogus: Known<boolean>
  /** DNS-querying terms that evaluating the SPF record takes (RFC 7208 §4.6.4); 0 without one. */
  readonly spfLookups: Known<number>
}

export interface CertificateFacts {
  readonly subject: string
  /** Subject organizationName, if there is one. */
  readonly organisation?: string
  readonly issuer: string
  readonly dnsNames: readonly string[]
  /** RFC 3339, UTC. */
  readonly notBefore: string
  readonly notAfter: string
  readonly selfSigned: boolean
  /** Embedded signed certificate timestamps (RFC 6962 §3.3) are there. */
  readonly sct: boolean
  /** SHA-256 of the DER, hex. */
  readonly fingerprint: string
}

export interface TlsObservation {
  readonly protocol: string
  readonly cipher: string
  readonly certificate: CertificateFacts
  /** Leads to a trusted root, names and dates aside. */
  readonly chainValid: boolean
  readonly hostnameMatch: boolean
  /** Node's or OpenSSL's code when the chain is not valid. */
  readonly chainError?: string
}

/** One HTTP exchange; of its headers those listed in observe/headers.ts, names in lower case. */
export interface Exchange {
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, readonly string[]>>
}

/** A request and the redirects that followed it; the last exchange is where it ended. */
export interface Visit {
  readonly hops: readonly Exchange[]
  /** Why it ended before an answer that is no redirect: too many, off to a blocked address… */
  readonly stopped?:
    | "redirect_loop"
    | "too_many_redirects"
    | "blocked"
    | "bad_location"
    | "unreachable" // the redirect's target did not answer
  /** Why the target could not be seen; there when `stopped` is "unreachable". */
  readonly why?: Why
}

/** What was read from one HTML page; all of it plain text from a stranger's server. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly title?: string
  readonly description?: string
  /** `<link rel=canonical>`, absolute. */
  readonly canonical?: string
  readonly favicon: boolean
  /** Visible text, whitespace folded, cut at 4,000 characters. */
  readonly text: string
  /** Visible characters in all, before the cut. */
  readonly textLength: number
  /** Absolute targets and texts of links, 200 at most. */
  readonly links: readonly { readonly url: string; readonly text: string }[]
  /** Hosts that scripts, frames and images are loaded from. */
  readonly resourceHosts: readonly string[]
  /** Addresses in mailto links. */
  readonly emails: readonly string[]
  /** Organisation names, urls and identifiers of JSON-LD (schema.org Organization and subtypes). */
  readonly organisations: readonly {
    readonly name?: string
    readonly url?: string
    readonly identifier?: string
  }[]
}

export interface TextFile {
  readonly url: string
  readonly status: number
  readonly contentType: string
  /** Cut at 64 KiB. */
  readonly text: string
}

export interface HttpObservation {
  /** From `http://host/`, with `www.` where addresses are. */
  readonly plain: Known<Visit>
  /** From `https://host/`, likewise. */
  readonly secure: Known<Visit>
  /** The page where `secure` ended, or `plain` where there is no HTTPS. */
  readonly home: Known<Page>
  readonly privacy: Known<Page>
  readonly terms: Known<Page>
  readonly contact: Known<Page>
  readonly about: Known<Page>
  readonly imprint: Known<Page>
  readonly robotsTxt: Known<TextFile>
  readonly securityTxt: Known<TextFile>
  readonly mtaStsPolicy: Known<TextFile>
}

export interface Registration {
  /** The RDAP URL that answered. */
  readonly source: string
  /** RFC 3339; absent when the server does not say. */
  readonly registeredAt?: string
  readonly expiresAt?: string
  readonly changedAt?: string
  readonly transferredAt?: string
  /** RDAP status values (RFC 8056 form), lower case. */
  readonly statuses: readonly string[]
  readonly registrar?: string
}

export interface Observation {
  readonly format: 1
  readonly name: Name
  /** RFC 3339, UTC, milliseconds: when it began. Rules take it for "now". */
  readonly observedAt: string
  readonly dns: DnsObservation
  /** A handshake on port 443 with the host (or `www.`) as SNI; certificates are judged, not enforced. */
  readonly tls: Known<TlsObservation>
  readonly http: HttpObservation
  /** `value: null`: the registry says that it is not registered. */
  readonly registration: Known<Registration | null>
}

export const CATEGORIES = [
  "dns",
  "email",
  "tls",
  "http",
  "content",
  "registration",
  "identity",
  "lexical",
  "reputation",
] as const
export type Category = (typeof CATEGORIES)[number]

/** True, false, or unknown with its reason; `seen` is what was seen, as plain text. */
export type Finding =
  | { readonly state: boolean; readonly seen?: string }
  | { readonly state: "unknown"; readonly because: Why }

/** One signal. Pure: no I/O, no clock, the same observation gives the same finding. */
export interface Rule {
  /** The evidence code, as in the signals list. */
  readonly code: string
  readonly category: Category
  /** What it says about the domain, one short sentence for each state. */
  readonly says: { readonly true: string; readonly false: string }
  readonly judge: (observation: Observation) => Finding
}

export type Severity = "positive" | "neutral" | "negative" | "unknown"

export interface Insight {
  readonly severity: Severity
  readonly category: Category | "score"
  readonly title: string
  /** Signal codes. */
  readonly evidence: readonly string[]
  /** Why it counts as it does. */
  readonly impact: string
  readonly points: number
}

/** The judgement of one observation under one ruleset. `base` + all points = `trust_score`. */
export interface Verdict {
  readonly trust_score: number
  readonly base: number
  readonly risk_level: "low" | "medium" | "high" | "critical"
  readonly recommended_action: "approve" | "review" | "reject"
  /** 0 to 1, two decimals: how much of what counts could be seen. */
  readonly confidence: number
  readonly summary: string
  readonly signals: Readonly<Record<Category, Readonly<Record<string, boolean | "unknown">>>>
  readonly insights: readonly Insight[]
  readonly next_steps: readonly string[]
  /** Version of rules and points. */
  readonly ruleset: string
  /** `sha256:` and hex, over the observation's canonical JSON (RFC 8785). */
  readonly observation_digest: string
}

/** Told while observing, for progress on a terminal. */
export type Progress = (step: {
  readonly part: string
  readonly done: number
  readonly of: number
}) => void

/** The engine's rim: everything that touches a stranger's machine. */
export interface Observer {
  /** Never rejects for what a stranger does: what could not be seen is unknown. */
  observe(name: Name, options?: { signal?: AbortSignal; progress?: Progress }): Promise<Observation>
}
