/**
 * A good site as an observation: what the sandbox's cases and the tests of the rules start from.
 * Invariant: the same name and time give the same observation.
 */
import { hash } from "node:crypto"
import type { DnsAnswer, Known, Name, Observation, Page, Why } from "./types.ts"

const DAY_MS = 86_400_000

/** An observation under construction. */
export type Draft<T> = { -readonly [K in keyof T]: Draft<T[K]> }

/** @param days - Before (negative) or after `now`. @returns RFC 3339, UTC. */
export function daysFrom(now: string, days: number): string {
  return new Date(Date.parse(now) + days * DAY_MS).toISOString()
}

/** An answer of these records (presentation form). */
export function records(...data: string[]): { value: Draft<DnsAnswer> } {
  return { value: { rcode: "NOERROR", records: data.map((text) => ({ data: text, ttl: 3_600 })) } }
}

/** An answer without records. */
export function none(rcode: DnsAnswer["rcode"] = "NOERROR"): { value: Draft<DnsAnswer> } {
  return { value: { rcode, records: [] } }
}

/** A page of some length. */
export function page(url: string, title: string, changes: Partial<Draft<Page>> = {}): Draft<Page> {
  const sentence = `${title}. We sell hand-made goods, ship within two days and answer every letter. `
  const text = sentence.repeat(5).trim()
  return {
    url,
    status: 200,
    title,
    favicon: true,
    text,
    textLength: text.length,
    links: [],
    resourceHosts: [],
    emails: [],
    organisations: [],
    ...changes,
  }
}

/** @param now - RFC 3339; every date in it is relative to that. */
export function goodSite(name: Name, now: string): Draft<Observation> {
  const { host, registrable } = name
  const home = `https://${host}/`
  const text = (url: string, body: string) => ({
    value: { url, status: 200, contentType: "text/plain", text: body },
  })
  return {
    format: 1,
    name: { ...name },
    observedAt: now,
    dns: goodZone(registrable),
    tls: {
      value: {
        protocol: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        certificate: {
          subject: `CN=${host}`,
          issuer: "CN=Sandbox Issuing CA",
          dnsNames: [host, `www.${host}`],
          notBefore: daysFrom(now, -40),
          notAfter: daysFrom(now, 50),
          selfSigned: false,
          sct: true,
          fingerprint: hash("sha256", host),
        },
        chainValid: true,
        hostnameMatch: true,
      },
    },
    http: {
      plain: {
        value: {
          hops: [
            { url: `http://${host}/`, status: 301, headers: { location: [home] } },
            { url: home, status: 200, headers: goodHeaders() },
          ],
        },
      },
      secure: { value: { hops: [{ url: home, status: 200, headers: goodHeaders() }] } },
      home: {
        value: page(home, "Home", {
          canonical: home,
          links: [
            { url: `${home}privacy`, text: "Privacy" },
            { url: "https://www.linkedin.com/company/sandbox", text: "LinkedIn" },
          ],
          emails: [`hello@${registrable}`],
          organisations: [{ name: registrable, url: home }],
        }),
      },
      privacy: { value: page(`${home}privacy`, "Privacy") },
      terms: { value: page(`${home}terms`, "Terms") },
      contact: { value: page(`${home}contact`, "Contact", { emails: [`hello@${registrable}`] }) },
      about: { value: page(`${home}about`, "About us") },
      imprint: { value: page(`${home}imprint`, "Imprint", { status: 404 }) },
      robotsTxt: text(`${home}robots.txt`, "User-agent: *\nDisallow:\n"),
      securityTxt: text(
        `${home}.well-known/security.txt`,
        `Contact: mailto:security@${registrable}\nExpires: ${daysFrom(now, 200)}\n`,
      ),
      mtaStsPolicy: text(
        `https://mta-sts.${registrable}/.well-known/mta-sts.txt`,
        "version: STSv1\nmode: enforce\nmx: aspmx.l.google.com\nmax_age: 604800\n",
      ),
    },
    registration: {
      value: {
        source: `https://rdap.example/domain/${registrable}`,
        registeredAt: daysFrom(now, -2_500),
        expiresAt: daysFrom(now, 500),
        changedAt: daysFrom(now, -300),
        statuses: ["client transfer prohibited"],
        registrar: "Sandbox Registrar",
      },
    },
  }
}

function goodZone(domain: string): Draft<Observation["dns"]> {
  const secured = { ...records("192.0.2.10").value, authenticated: true }
  const value = <T>(known: T): Known<T> => ({ value: known })
  return {
    a: value(secured),
    aaaa: records("2001:db8::10"),
    ns: records(`ns1.${domain}`, "ns2.dns.example"),
    mx: records("1 aspmx.l.google.com"),
    txt: records("v=spf1 include:_spf.google.com -all", "google-site-verification=7f3a9c"),
    caa: records('0 issue "ca.example"'),
    ds: records("2371 13 2 1f987cc6583e92df0890718c42f59f8f5a5ab6a5a8f0c9b2a1d5b0ce9fd1d5a4"),
    dnskey: records("257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+"),
    dmarc: records(`v=DMARC1; p=reject; rua=mailto:dmarc@${domain}`),
    mtaSts: records("v=STSv1; id=20260101T000000"),
    tlsRpt: records(`v=TLSRPTv1; rua=mailto:tls@${domain}`),
    bimi: records(`v=BIMI1; l=https://${domain}/logo.svg`),
    nsAddresses: value({ [`ns1.${domain}`]: ["192.0.2.53"], "ns2.dns.example": ["198.51.100.53"] }),
    bogus: value(false),
    spfLookups: value(4),
  }
}

function goodHeaders(): Record<string, string[]> {
  return {
    "strict-transport-security": ["max-age=63072000; includeSubDomains"],
    "content-security-policy": ["default-src 'self'; frame-ancestors 'none'"],
    "x-content-type-options": ["nosniff"],
  }
}

/** Nothing of the web was seen, for that reason. */
export function hideWeb(o: Draft<Observation>, why: Why): void {
  o.tls = { unknown: why }
  for (const part of Object.keys(o.http) as (keyof Observation["http"])[]) {
    o.http[part] = { unknown: why }
  }
}
