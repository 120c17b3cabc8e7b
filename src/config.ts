/**
 * Settings: the environment → one frozen Config.
 *
 * `docs/configuration.md` is generated from this table. A variable that begins with `ZT_` and is
 * not here, or a value that does not parse, stops the start by name.
 */
import { readFileSync, statSync } from "node:fs"
import { isIP } from "node:net"
import { dirname, resolve } from "node:path"
import { z } from "zod"
import { isMailAddress } from "./core/mail-address.ts"
import { Problem } from "./core/problem.ts"
import { codeOf } from "./core/thrown.ts"
import type { Environment } from "./environment.ts"
import { readEnvironment } from "./environment.ts"

/** The checkout: where `package.json` lies. */
export const ROOT = dirname(import.meta.dirname)

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "is not a whole number")
    .transform(Number)
    .refine((n) => n >= min && n <= max, `is not between ${min} and ${max}`)

const path = z
  .string()
  .min(1, "is empty")
  .refine(
    (text) => !/\n|-----BEGIN|:\/\//.test(text),
    "is no path: is it what the file is to hold?",
  )
  .transform((text) => resolve(text))

const hostName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i,
    "is not a host name",
  )
  .transform((text) => text.toLowerCase())

const ipAddress = z.string().refine((text) => isIP(text) !== 0, "is not an IP address")

/** Reads `192.0.2.1:53` or `[2001:db8::1]:53`. */
const endpoint = z.string().transform((text, context) => {
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

const list = <T extends z.ZodType<unknown, string>>(item: T) =>
  z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item))

const addressMap = z
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
const declaration = z
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

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, "is not a postgresql:// address")

/** User and password percent-encoded, as in any address (RFC 3986 §3.2.1). */
const smtpUrl = z.string().refine((text) => {
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
const mailFrom = z.string().transform((text, context) => {
  const [, name = "", address = text] = /^([^<>"\p{C}]{1,80}) <([^<>]+)>$/u.exec(text) ?? []
  if (isMailAddress(address)) return { name, address }
  context.addIssue("is not a mail address, or a name and <one>")
  return z.NEVER
})

const setting = <T extends z.ZodType>(
  name: string,
  schema: T,
  text: string,
  fallback?: string,
) => ({
  name,
  schema,
  text,
  fallback,
})

/** A setting that may also come from a file, named by the same variable with `_FILE`. */
const secret = <T extends z.ZodType>(name: string, schema: T, text: string) => ({
  ...setting(name, schema.optional(), text),
  file: true,
})

/** Every setting: its variable, how its value is read, and what it does. */
export const SETTINGS = {
  dataDir: setting(
    "ZT_DATA_DIR",
    path,
    "Folder for the embedded database, the local authority and the secrets. Made with mode 0700.",
    resolve(ROOT, "data"),
  ),
  host: setting(
    "ZT_HOST",
    hostName,
    "The name under which people reach this server; redirects lead to it, and the local authority's certificate holds it.",
    "localhost",
  ),
  bind: setting(
    "ZT_BIND",
    ipAddress,
    "Address to listen on. `::` or `0.0.0.0` opens the server to the network.",
    "127.0.0.1",
  ),
  httpsPort: setting(
    "ZT_HTTPS_PORT",
    integer(0, 65_535),
    "Port for HTTPS; 0 takes a free one.",
    "8443",
  ),
  httpPort: setting(
    "ZT_HTTP_PORT",
    integer(0, 65_535),
    "Port for plain HTTP, which only redirects; 0 takes a free one.",
    "8080",
  ),
  drainSeconds: setting(
    "ZT_DRAIN_SECONDS",
    integer(0, 600),
    "How long a server that was asked to stop still takes requests, while `/v1/health/ready` says no and each answer asks its client to go elsewhere. Behind a load balancer: longer than it takes to notice.",
    "0",
  ),
  tlsCertFile: setting(
    "ZT_TLS_CERT_FILE",
    path.optional(),
    "Certificate chain (PEM). Read again when it changes. Without it, a local authority issues one.",
  ),
  tlsKeyFile: setting("ZT_TLS_KEY_FILE", path.optional(), "The certificate's private key (PEM)."),
  databaseUrl: secret(
    "ZT_DATABASE_URL",
    postgresUrl,
    "A PostgreSQL (15 or later) to use in place of the embedded one: host and database; of several hosts, comma-separated, the one that takes writes; roles and passwords come from the data folder's secrets.",
  ),
  adminDatabaseUrl: secret(
    "ZT_ADMIN_DATABASE_URL",
    postgresUrl,
    "Address with an administrator's name and password, used by `migrate --bootstrap`, `migrate --drop` and `restore` alone.",
  ),
  databasePoolSize: setting(
    "ZT_DATABASE_POOL_SIZE",
    integer(5, 200),
    "Connections to the database, at most.",
    "10",
  ),
  resolvers: setting(
    "ZT_RESOLVERS",
    list(endpoint).optional(),
    "DNS resolvers to ask, as `address:port` (port 53 too), comma-separated. Without it: the system's.",
  ),
  trustedResolvers: setting(
    "ZT_TRUSTED_RESOLVERS",
    list(ipAddress),
    "Resolvers whose word on DNSSEC counts, besides those on loopback; comma-separated addresses.",
    "",
  ),
  rdapBootstrapFile: setting(
    "ZT_RDAP_BOOTSTRAP_FILE",
    path.optional(),
    "RDAP bootstrap file (RFC 9224). Without it: the copy of IANA's in the program.",
  ),
  caFile: setting(
    "ZT_CA_FILE",
    path.optional(),
    "Certificate authorities (PEM) to trust when judging others' certificates, besides the runtime's own.",
  ),
  addressMap: setting(
    "ZT_ADDRESS_MAP",
    addressMap,
    "Connections that go elsewhere when observing, as `address:port=address:port`, comma-separated: how a lab on loopback is reached. What is not in it goes where it says, through the guard.",
    "",
  ),
  observeDeadlineMs: setting(
    "ZT_OBSERVE_DEADLINE_MS",
    integer(100, 120_000),
    "Time for one whole observation, in milliseconds; what is not seen by then is unknown.",
    "10000",
  ),
  observeConcurrency: setting(
    "ZT_OBSERVE_CONCURRENCY",
    integer(1, 10_000),
    "Observations at the same time, at most; further ones wait.",
    "1000",
  ),
  observePerMinute: setting(
    "ZT_OBSERVE_PER_MINUTE",
    integer(1, 10_000),
    "Fresh observations under the same registrable domain a minute, at most, over all tenants of an instance.",
    "30",
  ),
  strangersPerSecond: setting(
    "ZT_STRANGERS_PER_SECOND",
    integer(10, 1_000_000),
    "Requests without a good key that one instance answers a second, at most; an address has a tenth of it, then 429. No good key is refused for it. Raise it where all clients come from one address, such as a TCP balancer's.",
    "100",
  ),
  contactUrl: setting(
    "ZT_CONTACT_URL",
    z.url({ protocol: /^https$/, error: "is not an https:// address" }).optional(),
    "A page that tells owners of observed domains who visits; named in the User-Agent. Without it: the server's own `/docs`.",
  ),
  smtpUrl: secret(
    "ZT_SMTP_URL",
    smtpUrl,
    "The server that takes outgoing mail, as `smtps://user:password@host` (port 465) or `smtp://user:password@host` (port 587, STARTTLS required unless it is on loopback). Without it, operators are shown the text to send themselves.",
  ),
  smtpCaFile: setting(
    "ZT_SMTP_CA_FILE",
    path.optional(),
    "Certificate authorities (PEM) that may vouch for the mail server, besides the runtime's own.",
  ),
  mailFrom: setting(
    "ZT_MAIL_FROM",
    mailFrom.optional(),
    "Whom mail comes from: an address, or `Name <address>`. Goes with `ZT_SMTP_URL`.",
  ),
  keyRequests: setting(
    "ZT_KEY_REQUESTS",
    integer(0, 100_000),
    "Requests for keys that may wait for an answer, at most, over all instances. 0: nobody can ask for a key, and `/request-a-key` is not there.",
    "1000",
  ),
  keyRequestsPerDay: setting(
    "ZT_KEY_REQUESTS_PER_DAY",
    integer(1, 1_000_000),
    "Requests for keys that one address may make a day, on each instance. Raise it where all people come from one address, such as a TCP balancer's.",
    "10",
  ),
  leakPartnersFile: setting(
    "ZT_LEAK_PARTNERS_FILE",
    path.optional(),
    "Public keys of secret scanners that may report leaked keys at `POST /v1/leaked-keys` (JSON, see docs/leaked-keys.md). Read again when it changes. Without it, nobody may.",
  ),
  identityFile: setting(
    "ZT_IDENTITY_FILE",
    path.optional(),
    "The age identity that opens the secrets and the backups, as `age-keygen` writes it or encrypted under a passphrase. Without it: the systemd credential `zygentrust-identity`, else `identity.txt` in the data folder, made by the first start.",
  ),
  passphrase: secret(
    "ZT_PASSPHRASE",
    z.string().min(1, "is empty"),
    "Opens an identity file that is encrypted under a passphrase.",
  ),
  credentialsDirectory: setting(
    "CREDENTIALS_DIRECTORY",
    path.optional(),
    "Where systemd puts a unit's credentials; it sets this itself.",
  ),
  logLevel: setting(
    "ZT_LOG_LEVEL",
    z.enum(
      ["debug", "info", "warn", "error", "silent"],
      "is not debug, info, warn, error or silent",
    ),
    "What the log on standard error holds, at least.",
    "warn",
  ),
  diskEncryptionDeclared: setting(
    "ZT_DISK_ENCRYPTION_DECLARED",
    declaration.optional(),
    "What encrypts the disks under the database where the program cannot see it (a managed service, a host, a disk by itself): the day on which you made sure, then what, as `2026-11-24 RDS, KMS key alias/data`. Told by `doctor` and, with the date alone, by `/v1/health`; for 400 days.",
  ),
  abuseEverySeconds: setting(
    "ZT_ABUSE_EVERY_SECONDS",
    integer(1, 3_600),
    "How often the running server looks for abuse (docs/abuse.md); of several instances one does.",
    "60",
  ),
  abuseThrottle: setting(
    "ZT_ABUSE_THROTTLE",
    z.enum(["yes", "no"], "is not yes or no").transform((text) => text === "yes"),
    "Whether a key is held to a lower rate for a while where a rule says so; with `no`, owner and operator are told alone.",
    "yes",
  ),
  backupDir: setting(
    "ZT_BACKUP_DIR",
    path.optional(),
    "Folder for backups, made by the running server and by `backup`; it must exist, on another disk best. Without it, the server makes none.",
  ),
  backupEveryHours: setting(
    "ZT_BACKUP_EVERY_HOURS",
    integer(1, 8_760),
    "How often the running server makes a backup.",
    "24",
  ),
  backupKeep: setting(
    "ZT_BACKUP_KEEP",
    integer(1, 10_000),
    "How many backups stay in the folder; the oldest beyond go after each new one.",
    "14",
  ),
  backupDrillDays: setting(
    "ZT_BACKUP_DRILL_DAYS",
    integer(0, 365),
    "How often the running server restores its newest backup into a scratch database, to see that it can be; 0 for never.",
    "7",
  ),
  backupRecipients: setting(
    "ZT_BACKUP_RECIPIENTS",
    list(z.string().regex(/^age1[0-9a-z]+$/, "is not an age recipient (age1…)")),
    "Further age recipients that can open backups, comma-separated: such as a key kept elsewhere.",
    "",
  ),
} as const

export type Config = {
  readonly [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]["schema"]>
}

/**
 * Reads and checks every setting.
 * @throws Problem `INVALID_SETTING` that names the variable.
 */
export function readConfig(environment: Environment = readEnvironment()): Config {
  const names = new Set<string>()
  const config: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(SETTINGS)) {
    names.add(entry.name)
    let text = environment[entry.name]
    if ("file" in entry) {
      names.add(`${entry.name}_FILE`)
      text ??= readSecretFile(`${entry.name}_FILE`, environment[`${entry.name}_FILE`])
    }
    const result = entry.schema.safeParse(text ?? entry.fallback)
    if (!result.success)
      throw invalid(entry.name, result.error.issues[0]?.message ?? "is not valid")
    config[key] = result.data
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith("ZT_") && !names.has(name)) {
      throw invalid(name, "is not a setting; docs/configuration.md lists them")
    }
  }
  if ((config["tlsCertFile"] === undefined) !== (config["tlsKeyFile"] === undefined)) {
    throw invalid("ZT_TLS_CERT_FILE", "and ZT_TLS_KEY_FILE go together: set both or neither")
  }
  if ((config["smtpUrl"] === undefined) !== (config["mailFrom"] === undefined)) {
    const [there, missing] =
      config["smtpUrl"] === undefined
        ? ["ZT_MAIL_FROM", "ZT_SMTP_URL"]
        : ["ZT_SMTP_URL", "ZT_MAIL_FROM"]
    throw invalid(there, `and ${missing} go together: set both or neither`)
  }
  return Object.freeze(config) as Config
}

/**
 * @param settings - Values by variable name, such as a lab's.
 * @returns The configuration with these in place of its own.
 * @throws Problem `INVALID_SETTING` that names the variable.
 */
export function withSettings(config: Config, settings: Environment): Config {
  const given = readConfig(settings)
  const replaced = Object.entries(SETTINGS)
    .filter(([, { name }]) => settings[name] !== undefined)
    .map(([key]) => [key, given[key as keyof Config]])
  return Object.freeze({ ...config, ...Object.fromEntries(replaced) })
}

/** @returns One sentence for each `_FILE` that others than its reader may read. */
export function exposedFiles(environment: Environment = readEnvironment()): string[] {
  return Object.values(SETTINGS).flatMap((entry) => {
    const name = `${entry.name}_FILE`
    const file = "file" in entry ? environment[name] : undefined
    const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
    if (found === undefined) return []
    // Whose file it is not reads it by its group, as a container's or systemd's.
    const others = found.uid === process.getuid?.() ? 0o077 : 0o007
    if ((found.mode & others) === 0) return []
    const mode = (found.mode & 0o777).toString(8)
    return [`${name} names a file that others may read (mode ${mode}): run 'chmod 600' on it.`]
  })
}

function readSecretFile(name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, "utf8").trim()
  } catch (cause) {
    // Not the path itself: a secret put there by mistake would be shown.
    throw invalid(name, `names no file that can be read (${codeOf(cause) ?? "unknown"})`, cause)
  }
}

function invalid(name: string, what: string, cause?: unknown): Problem {
  return new Problem("INVALID_SETTING", { message: `${name} ${what}`, cause })
}
