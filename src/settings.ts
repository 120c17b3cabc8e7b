/**
 * Every setting: its variable, how its value is read, and what it does. `docs/configuration.md` is
 * generated from this table.
 */
import { dirname, resolve } from "node:path"
import { z } from "zod"
import {
  addressMap,
  declaration,
  endpoint,
  hostName,
  integer,
  ipAddress,
  list,
  mailFrom,
  network,
  path,
  postgresUrl,
  smtpUrl,
} from "./setting-values.ts"

/** The checkout: where `package.json` lies. */
export const ROOT = dirname(import.meta.dirname)

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
    "Requests without a good key that one instance answers a second, at most; an address has a tenth of it, then 429. No good key is refused for it. Raise it where all clients come from one address, such as that of a TCP balancer without the PROXY protocol.",
    "100",
  ),
  proxyProtocolFrom: setting(
    "ZT_PROXY_PROTOCOL_FROM",
    list(network),
    "TCP balancers that say who connected to them by the PROXY protocol (version 1 or 2): addresses and networks, comma-separated. Each connection from there, on both ports, must begin with its header, and whoever can connect from there can name any address: name balancers alone.",
    "",
  ),
  connectionsPerAddress: setting(
    "ZT_CONNECTIONS_PER_ADDRESS",
    integer(1, 10_000),
    "Open connections of one address (IPv6: a /64) to one instance, at most; further ones are closed without an answer. Good keys are no exception. Raise it where all clients come from one address, such as that of a TCP balancer without the PROXY protocol; with 10000 no address has a limit of its own.",
    "1000",
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
    "Requests for keys that one address may make a day, on each instance. Raise it where all people come from one address, such as that of a TCP balancer without the PROXY protocol.",
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
