/** What `/v1/health` asks each component. */
import { X509Certificate } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { Admission } from "./admission/admission.ts"
import type { Config } from "./config.ts"
import type { Database } from "./db/database.ts"
import type { Server } from "./db/server.ts"
import type { StandbyRow } from "./db/standby.ts"
import { STANDBY, STANDBY_WORDS, standbyOf } from "./db/standby.ts"
import { assess, look, summary } from "./disk/at-rest.ts"
import { thisMachine } from "./disk/machine.ts"
import type { CertificateSource } from "./edge/certificates.ts"
import { resolverAnswers } from "./engine/observe/observer.ts"
import type { Probe } from "./http/health.ts"

const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** How long a failed admission counts: then requests are let in again, and show how it is. */
const FAILURE_COUNTS_MS = 10_000

export function databaseProbe(
  database: Database,
  { embedded, version }: Server,
  admissions: readonly Pick<Admission, "failedAt">[],
) {
  const standby = standbyWords(database)
  return async (): Promise<Probe> => {
    const since = performance.now() - FAILURE_COUNTS_MS
    if (admissions.some(({ failedAt = since }) => failedAt > since)) {
      return {
        state: "down",
        message:
          "PostgreSQL does not take what requests have to write: they get 503. Is its disk full? The log has the cause.",
      }
    }
    try {
      await database.call("select")
      if (embedded) return { state: "ok", message: `PostgreSQL ${version}, the embedded one` }
      return { state: "ok", message: `PostgreSQL ${version}, its own server; ${await standby()}` }
    } catch {
      return {
        state: "down",
        message: "PostgreSQL does not answer. Requests get 503 until it does; see its log.",
      }
    }
  }
}

/** Tenants' connections may all be taken, and that is no fault of the database: it is not waited for. */
function standbyWords(database: Database): () => Promise<string> {
  let words = "standby not known yet"
  return async () => {
    const looking = database
      .asHealth((tx) => tx.query<StandbyRow>(STANDBY))
      .then(([row]) => {
        if (row !== undefined) words = STANDBY_WORDS[standbyOf(row)].message
      })
    await Promise.race([looking.catch(() => {}), sleep(LOOK_WAIT_MS, undefined, { ref: false })])
    return words
  }
}

export function resolverProbe(config: Config) {
  return async (): Promise<Probe> =>
    (await resolverAnswers(config))
      ? { state: "ok", message: "a DNS resolver answers" }
      : {
          state: "degraded",
          message:
            "No DNS resolver answers: live answers know next to nothing. Check ZT_RESOLVERS or the system's resolvers.",
        }
}

export function certificateProbe(certificates: CertificateSource, now: () => number) {
  return async (): Promise<Probe> => {
    const { validToDate } = new X509Certificate(certificates.current().cert)
    const days = Math.floor((validToDate.getTime() - now()) / DAY_MS)
    if (days < 0) {
      return { state: "degraded", message: "The certificate has expired: put a new one in place." }
    }
    return days < SOON_DAYS
      ? { state: "degraded", message: `The certificate expires in ${days} days: renew it.` }
      : { state: "ok", message: `the certificate is good for ${days} more days` }
  }
}

/** Mounts and swap change seldom, and looking may start programs. */
const LOOKED_MS = 600_000
/** Well under what health waits for; a look that hangs (a pool without its disks) is not waited for. */
const LOOK_WAIT_MS = 300

/** Never more than words: whatever the disks do, requests are answered. */
export function storageProbe(config: Config, now: () => number, machine = thisMachine) {
  const declared = config.diskEncryptionDeclared
  const ownServer = config.databaseUrl !== undefined
  let message = "disk encryption: not known yet"
  let due = Number.NEGATIVE_INFINITY
  return async (): Promise<Probe> => {
    if (now() >= due) {
      due = now() + LOOKED_MS
      const looking = look(machine, config.dataDir).then((looked) => {
        const about = assess(looked, { ownServer, declared, now: new Date(now()) })
        message = summary(about, declared)
      })
      await Promise.race([looking.catch(() => {}), sleep(LOOK_WAIT_MS, undefined, { ref: false })])
    }
    return { state: "ok", message }
  }
}
