/**
 * The edge's certificate from files that somebody else renews (an ACME client, a secret volume).
 *
 * Invariant: `current()` is a pair that TLS accepts; what is on disk half-written or mismatched is
 * reported and not used. Connections are not touched by a change.
 */

import { createPrivateKey, X509Certificate } from "node:crypto"
import type { FSWatcher } from "node:fs"
import { readFileSync, watch } from "node:fs"
import { dirname } from "node:path"
import { createSecureContext } from "node:tls"
import { Problem } from "../core/problem.ts"

/** PEM: the chain, leaf first, and its private key. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

export interface CertificateSource {
  current(): CertificatePair
  /** @param listener - Told of each new pair; one at a time, a later one replaces it. */
  onChange(listener: (pair: CertificatePair) => void): void
  /** Stops watching. */
  close(): void
}

export interface CertificateFilesOptions {
  readonly certFile: string
  readonly keyFile: string
  /** Told once when what is there cannot be used; again only after something could. */
  readonly warn: (message: string) => void
  /** How often to look where the system tells of no change (network file systems). */
  readonly pollMs?: number
}

const POLL_MS = 60_000
/** A renewal writes two files: look when it has come to rest. */
const SETTLE_MS = 200

/** @throws Problem `INVALID_SETTING` when there is no usable pair to begin with. */
export function certificateFiles(options: CertificateFilesOptions): CertificateSource {
  const { certFile, keyFile, warn, pollMs = POLL_MS } = options
  const read = () => readPair(certFile, keyFile)
  let pair: CertificatePair
  try {
    pair = read()
  } catch (cause) {
    const message = `ZT_TLS_CERT_FILE and ZT_TLS_KEY_FILE: ${(cause as Error).message}`
    throw new Problem("INVALID_SETTING", { message, cause })
  }
  let listener = (_: CertificatePair) => {}
  let lastWarning = ""

  function reload(): void {
    try {
      const next = read()
      lastWarning = ""
      if (next.cert === pair.cert && next.key === pair.key) return
      pair = next
      listener(pair)
    } catch (error) {
      const warning = `The TLS certificate changed but cannot be used, so the old one stays: ${(error as Error).message}`
      if (warning !== lastWarning) warn(warning)
      lastWarning = warning
    }
  }

  let settling: NodeJS.Timeout | undefined
  function settle(): void {
    clearTimeout(settling)
    settling = setTimeout(reload, SETTLE_MS).unref()
  }
  const watchers = watchFolders(new Set([dirname(certFile), dirname(keyFile)]), settle)
  const poll = setInterval(reload, pollMs).unref()

  return {
    current: () => pair,
    onChange: (next) => {
      listener = next
    },
    close: () => {
      clearTimeout(settling)
      clearInterval(poll)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Folders, not files: a renewal by rename or by symlink leaves a watched file behind. */
function watchFolders(folders: ReadonlySet<string>, changed: () => void): FSWatcher[] {
  return [...folders].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, changed)
      watcher.on("error", () => watcher.close()) // polling goes on
      return [watcher]
    } catch {
      return []
    }
  })
}

/** @throws Error whose message names the file or says that the two do not belong together. */
function readPair(certFile: string, keyFile: string): CertificatePair {
  const pair = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") }
  const misfit = `${certFile} and ${keyFile} are no certificate with its key`
  try {
    createSecureContext(pair) // reads the whole chain, but takes an empty file for no key
    if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair
  } catch (cause) {
    throw new Error(misfit, { cause })
  }
  throw new Error(misfit)
}
