/** How values of settings are read: text of the environment → what the program works with, or why not. */
import { isIP } from "node:net"
import { resolve } from "node:path"
import { z } from "zod"
import { isMailAddress } from "./core/mail-address.ts"

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "is not a whole number")
    .transform(Number)
    .refine((n) => n >= min && n <= max, `is not between ${min} and ${max}`)

export const path = z
  .string()
  .min(1, "is empty")
  .refine(
    (text) => !/\n|-----BEGIN|:\/\//.test(text),
    "is no path: is it what the file is to hold?",
  )
  .transform((text) => resolve(text))

export const hostName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i,
    "is not a host name",
  )
  .transform((text) => text.toLowerCase())

export const ipAddress = z.string().refine((text) => isIP(text) !== 0, "is not an IP address")

/** An address, or a network like `10.0.0.0/8`. */
export const network = z.string().transform((text, context) => {
  const [address = "", prefix, ...more] = text.split("/")
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  if (bits === 0 || !isPrefix || more.length > 0) {
    context.addIssue("is not a list of addresses and networks like 10.0.0.0/8")
    return z.NEVER
  }
  return {
    address,
    prefix: prefix === undefined ? bits : Number(prefix),
    family: bits === 32 ? "ipv4" : "ipv6",
  } as const
})

/** Reads `192.0.2.1:53` or `[2001:db8::1]:53`. */
export const endpoint = z.string().transform((text, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const address = match?.[1] ?? match?.[2] ?? ""
  const port = Number(match?.[3])
  if (isIP(address) === 0 || port < 1 || port > 65_535 || !match) {
    context.addIssue(`is not an address and port like 192.0.2.1:53 or [2001:db8::1]:53`)
    return z.NEVER
  }
  return { address, port }
})

/** `address:port`, IPv6 in brackets. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** @returns The form that the address map is keyed by. */
export function endpointKey(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`
}

export const list = <T extends z.ZodType<unknown, string>>(item: T) =>
  z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item))

export const addressMap = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((pair) => pair.trim().split("="))
      .filter(([key]) => key),
  )
  .pipe(z.array(z.tuple([endpoint, endpoint], "is not a list of address:port=address:port")))
  .transform(
    (pairs) =>
      new Map<string, Endpoint>(
        pairs.map(([from, to]) => [endpointKey(from.address, from.port), to]),
      ),
  )

/** `2026-11-24 RDS, KMS key 1234`: since when somebody knows, and what. */
export const declaration = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2} (?=\S)\P{C}{1,200}$/u,
    "is not a date and what encrypts, like '2026-11-24 RDS, KMS key alias/data'",
  )
  .transform((text) => ({ date: text.slice(0, 10), what: text.slice(11) }))
  .refine(({ date }) => {
    const time = Date.parse(date)
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
  }, "does not begin with a day of the calendar, like 2026-11-24")

export const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, "is not a postgresql:// address")

/** User and password percent-encoded, as in any address (RFC 3986 §3.2.1). */
export const smtpUrl = z.string().refine((text) => {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return false
  const rest = text.slice(text.indexOf("//") + 2).replace(/^.*@/, "")
  if (/[/?#]/.test(rest.replace(/\/$/, ""))) return false
  try {
    decodeURIComponent(url.username + url.password)
  } catch {
    return false
  }
  return (url.username === "") === (url.password === "")
}, "is not like smtps://user:password@host or smtp://host:port, user and password percent-encoded")

/** `post@example.com`, or `ZygenTrust <post@example.com>`. */
export const mailFrom = z.string().transform((text, context) => {
  const [, name = "", address = text] = /^([^<>"\p{C}]{1,80}) <([^<>]+)>$/u.exec(text) ?? []
  if (isMailAddress(address)) return { name, address }
  context.addIssue("is not a mail address, or a name and <one>")
  return z.NEVER
})
