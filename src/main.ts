/**
 * The only wiring: a configuration → a running server.
 *
 * Starts what is needed side by side, since people wait for it; stops in the order of a request's
 * way, so that whatever was admitted is answered and recorded.
 */
import { Admission } from "./admission/admission.ts"
import { KnownKeys } from "./admission/known-keys.ts"
import { Analyst } from "./analyses/analyst.ts"
import { openBackups } from "./backup/open.ts"
import type { Config } from "./config.ts"
import { encodeId } from "./core/ids.ts"
import { VERSION } from "./core/version.ts"
import type { Server } from "./db/server.ts"
import type { LocalAuthority } from "./edge/authority.ts"
import { openAuthority } from "./edge/authority.ts"
import type { CertificateSource } from "./edge/certificates.ts"
import { certificateFiles } from "./edge/certificates.ts"
import { listen } from "./edge/listener.ts"
import { matcherOf } from "./edge/proxy-protocol.ts"
import { judge } from "./engine/judge.ts"
import { createObserver, observerOptions } from "./engine/observe/observer.ts"
import { sandboxObservation } from "./engine/sandbox.ts"
import { KeysInClear } from "./events/in-clear.ts"
import { EventsJob } from "./events/job.ts"
import { LeakPartners } from "./events/leak-partners.ts"
import { Connections } from "./floods/connections.ts"
import { Handshakes } from "./floods/handshakes.ts"
import { Strangers } from "./floods/strangers.ts"
import { createListener } from "./http/app.ts"
import { Health } from "./http/health.ts"
import { Metrics } from "./http/metrics.ts"
import type { Parts } from "./http/parts.ts"
import type { FirstKeys } from "./keys/first-keys.ts"
import { issueFirstKeys } from "./keys/first-keys.ts"
import { findKeys, readKey } from "./keys/format.ts"
import { LinkPost } from "./keys/link-post.ts"
import type { Log } from "./log.ts"
import { createMailer } from "./mail/mail.ts"
import { certificateProbe, databaseProbe, resolverProbe, storageProbe } from "./probes.ts"
import { followSecrets, openAttestor } from "./rotation.ts"
import { Keyring } from "./secrets/keyring.ts"
import type { SecretStore } from "./secrets/store.ts"
import { openAbuse } from "./usage/abuse/open.ts"
import { Maintenance } from "./usage/maintenance.ts"

const GRACE_MS = 30_000

export interface Running {
  /** `https://host:port`. */
  readonly url: string
  /** The authority to trust, where a local one signed the certificate. */
  readonly caFile: string | undefined
  /** At the very first start only: the first keys, to be shown once. */
  readonly firstKeys: FirstKeys | undefined
  /** Finishes what is under way, 30 s at most, then stops all that was started here. */
  stop(): Promise<void>
}

/**
 * @param opening - The database, which stays its opener's to close: making one takes longer than
 *   all else, so it is begun before this module is even loaded.
 * @throws Problem that says what stands in the way; nothing that was started here is left running.
 */
export async function serve(
  config: Config,
  secrets: SecretStore,
  opening: Promise<Server>,
  log: Log,
): Promise<Running> {
  await using stack = new AsyncDisposableStack()
  const [server, certificates, options, attestor, keyring, leakPartners] = await allOf(
    opening,
    openCertificates(config, secrets, log).then((opened) => {
      stack.defer(async () => opened.close())
      return opened
    }),
    observerOptions(config),
    openAttestor(secrets).then((opened) => {
      stack.defer(async () => opened.close())
      return opened
    }),
    Keyring.open(secrets),
    LeakPartners.open(config.leakPartnersFile, (err) =>
      log.warn({ err }, "ZT_LEAK_PARTNERS_FILE cannot be read; as it was before it holds"),
    ),
  )
  const reloads = [
    () => attestor.reload(),
    () => keyring.reload(),
    async () => certificates.reload?.(),
  ]
  const unfollow = followSecrets(secrets, reloads, (notice) => log.warn({ notice }, "secrets"))
  stack.defer(async () => unfollow())
  const database = server.database()
  stack.defer(() => database.close())
  await database.callAside("select 1") // an instance without requests is connected, too
  const observer = createObserver(options)
  const now = Date.now
  const admissions = {
    live: new Admission(database, "live"),
    test: new Admission(database, "test"),
  }
  const connections = new Connections(config.connectionsPerAddress)
  const handshakes = new Handshakes()
  const strangers = new Strangers(config.strangersPerSecond)
  const knownKeys = {
    live: new KnownKeys(database, "live"),
    test: new KnownKeys(database, "test"),
  }
  stack.defer(async () => {
    const counting = [...Object.values(admissions), ...Object.values(knownKeys)]
    await Promise.all(counting.map((one) => one.close()))
  })
  let origin = ""
  const mailer = createMailer(config)
  const backups = await openBackups(config, server, secrets, backupLog(log), now)
  stack.defer(() => backups.close())
  const maintenance = new Maintenance({
    database,
    now,
    failed: (err) => log.warn({ err }, "a task of the maintenance failed"),
  })
  stack.defer(() => maintenance.close())
  await maintenance.extend()
  const admin = server.admin()
  stack.defer(() => admin.close())
  const events = new EventsJob({
    database,
    admin,
    keyring,
    mailer,
    origin: () => origin,
    now,
    failed: (what, err) =>
      what === "mail"
        ? log.warn({ err }, "an owner could not be mailed")
        : log.warn({ err }, "events could not be looked for"),
  })
  stack.defer(() => events.close())
  const inClear = new KeysInClear({
    database,
    told: (index8) => log.warn({ index8 }, "an API key came over plain HTTP: rotate it"),
    failed: (err) => log.warn({ err }, "an owner could not be told of a key in clear yet"),
  })
  stack.defer(() => inClear.close())
  const abuse = openAbuse({
    database,
    keyring,
    now,
    everySeconds: config.abuseEverySeconds,
    throttle: config.abuseThrottle,
    found: (id) => log.warn({ finding: encodeId("fnd", id) }, "something suspicious was found"),
    failed: (err) => log.warn({ err }, "it was not looked for abuse"),
  })
  stack.defer(() => abuse.close())
  const health = new Health(
    VERSION,
    {
      database: databaseProbe(database, server, [admissions.live, admissions.test]),
      resolver: resolverProbe(config),
      certificate: certificateProbe(certificates, now),
      storage: storageProbe(config, now),
      backup: backups.probe,
      maintenance: () => maintenance.probe(),
      events: () => events.probe(),
      abuse: () => abuse.watcher.probe(),
    },
    now,
  )
  const linkPost = new LinkPost({
    database,
    keyring,
    send: (mail) => mailer.send(mail),
    origin: () => origin,
    now,
    failed: (err) => log.warn({ err }, "a link to a key could not be mailed; it is tried again"),
  })
  stack.defer(() => linkPost.close())
  const parts = {
    database,
    keyring,
    admissions,
    knownKeys,
    strangers,
    handshakes,
    networks: abuse.networks,
    analyst: new Analyst({
      database,
      keyring,
      observe: {
        live: (name) => observer.observe(name),
        test: async (name) => sandboxObservation(name, new Date(now())),
      },
      judge,
      now,
      concurrency: config.observeConcurrency,
      perMinute: config.observePerMinute,
    }),
    attestor,
    health,
    keyRequests: {
      most: config.keyRequests,
      perDay: config.keyRequestsPerDay,
      canMail: mailer.configured,
      kick: () => linkPost.kick(),
    },
    leakPartners,
    metrics: new Metrics({
      database,
      admissions,
      floods: { strangers, connections, handshakes },
      health,
      version: VERSION,
      now,
    }),
    version: VERSION,
    get origin() {
      return origin
    },
    now,
    log: problemLog(log),
  }
  const edge = await listen({
    bind: config.bind,
    httpsPort: config.httpsPort,
    httpPort: config.httpPort,
    host: config.host,
    certificates,
    handler: createListener(parts),
    findKeys,
    isBalancer: matcherOf(config.proxyProtocolFrom),
    enter: (address) => connections.enter(address),
    pace: (address, begin) => handshakes.enter(address, begin),
    onKeyInClear(text) {
      const key = readKey(text)
      if (key !== undefined) inClear.note(key)
    },
  })
  origin = `https://${config.host}${edge.httpsPort === 443 ? "" : `:${edge.httpsPort}`}`
  stack.defer(() => edge.close(GRACE_MS))
  stack.defer(() => edge.drain(config.drainSeconds * 1_000))
  stack.defer(async () => health.drain())

  backups.start()
  maintenance.start()
  if (mailer.configured) linkPost.start()
  events.start()
  inClear.start()
  abuse.start()
  const firstKeys = await issueFirstKeys(admin, keyring)
  const started = stack.move()
  return { url: origin, caFile: certificates.caFile, firstKeys, stop: () => started.disposeAsync() }
}

/** Logs Problems; UNAVAILABLE once a second, since it comes to every request at once. */
function problemLog(log: Log): Parts["log"] {
  let quietUntil = 0
  return (requestId, problem) => {
    if (problem.code === "UNAVAILABLE") {
      const now = performance.now()
      if (now < quietUntil) return
      quietUntil = now + 1_000
    }
    log.error({ requestId, err: problem }, problem.code)
  }
}

const BACKUP_FAILURES = {
  backup: "the backup failed",
  drill: "the restore drill failed",
  look: "it cannot be seen whether a backup is due",
} as const

function backupLog(log: Log) {
  return (task: keyof typeof BACKUP_FAILURES, err: unknown, notice: string) =>
    log.error({ err, notice }, BACKUP_FAILURES[task])
}

/** Waits for all, also when one fails, so that what was opened is known and can be closed. */
async function allOf<T extends readonly Promise<unknown>[]>(...promises: T) {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** The files of the configuration, else a local authority's. */
async function openCertificates(
  { tlsCertFile, tlsKeyFile, dataDir, host }: Config,
  secrets: SecretStore,
  log: Log,
): Promise<CertificateSource & Partial<LocalAuthority>> {
  const warn = (notice: string) => log.warn({ notice }, "certificate")
  return tlsCertFile !== undefined && tlsKeyFile !== undefined
    ? certificateFiles({ certFile: tlsCertFile, keyFile: tlsKeyFile, warn })
    : openAuthority({ dataDir, host, secrets, warn })
}
