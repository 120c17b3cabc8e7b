/** Checks of what clients meet: the certificate and the ports. */
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { request } from "node:https"
import { createServer } from "node:net"
import { join } from "node:path"
import type { Config } from "../config.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"

const DAY_MS = 86_400_000
const SOON_DAYS = 14
const ASK_MS = 2_000

export async function checkCertificate(config: Config, now: Date): Promise<Diagnosis> {
  const { tlsCertFile, dataDir } = config
  const file = tlsCertFile ?? join(dataDir, "leaf.pem")
  let pem: string
  try {
    pem = await readFile(file, "utf8")
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (tlsCertFile === undefined && code === "ENOENT") {
      return ok("certificate", "none yet: the first start makes a local authority and one by it")
    }
    return fail("certificate", `${file} cannot be read (${code})`, "See ZT_TLS_CERT_FILE.")
  }
  return judgeCertificate(pem, file, now, tlsCertFile === undefined)
}

/** @param renewedHere - The local authority's own, which a running server renews. */
export function judgeCertificate(
  pem: string,
  file: string,
  now: Date,
  renewedHere: boolean,
): Diagnosis {
  let validTo: Date
  try {
    validTo = new X509Certificate(pem).validToDate
  } catch {
    return fail("certificate", `${file} is not a certificate (PEM)`, "Put the chain there again.")
  }
  const days = Math.floor((validTo.getTime() - now.getTime()) / DAY_MS)
  const by = renewedHere ? "the local authority's" : file
  if (renewedHere && days < SOON_DAYS) return ok("certificate", `${by}, renewed by the next start`)
  if (days < 0) return fail("certificate", `${file} has expired`, "Renew it.")
  if (days < SOON_DAYS) return warn("certificate", `${file} expires in ${days} days`, "Renew it.")
  return ok("certificate", `${by}, good for ${days} more days`)
}

/** Free, or taken by a server of this program. */
export async function checkPorts(config: Config): Promise<Diagnosis[]> {
  const { bind, httpsPort, httpPort } = config
  const https = await tryPort(bind, httpsPort)
  const ours = https === "EADDRINUSE" && (await answersAsOurs(config))
  const http = await tryPort(bind, httpPort)
  return [
    judgePort("HTTPS port", "ZT_HTTPS_PORT", `${bind}:${httpsPort}`, https, ours),
    judgePort("HTTP port", "ZT_HTTP_PORT", `${bind}:${httpPort}`, http, ours),
  ]
}

/** @returns What stood in the way of listening there, `undefined` when nothing did. */
async function tryPort(host: string, port: number): Promise<string | undefined> {
  if (port === 0) return undefined
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, "listening")
    server.close()
    await once(server, "close")
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

export function judgePort(
  check: string,
  setting: string,
  where: string,
  code: string | undefined,
  ours: boolean,
): Diagnosis {
  if (where.endsWith(":0")) return ok(check, "any free one")
  if (code === undefined) return ok(check, `${where} is free`)
  if (ours && code === "EADDRINUSE") return ok(check, `${where} is served by a running zygentrust`)
  if (code === "EADDRINUSE") {
    return fail(check, `${where} is taken by another program`, `Stop that, or set ${setting}.`)
  }
  if (code === "EACCES") {
    return fail(
      check,
      `this user may not listen on ${where}`,
      `Set ${setting} to 1024 or above, and forward to it.`,
    )
  }
  return fail(check, `nothing can listen on ${where} (${code})`, `Check ZT_BIND and ${setting}.`)
}

async function answersAsOurs({ bind, host, httpsPort }: Config): Promise<boolean> {
  const address = bind === "0.0.0.0" ? "127.0.0.1" : bind === "::" ? "::1" : bind
  const ask = request({
    host: address,
    port: httpsPort,
    path: "/v1/health/live",
    servername: host,
    headers: { host },
    rejectUnauthorized: false, // who answers is the question, and nothing secret is sent
    timeout: ASK_MS,
    agent: false,
  })
  ask.on("timeout", () => ask.destroy())
  try {
    const [response] = await once(ask.end(), "response")
    response.destroy()
    return response.statusCode === 200 && response.headers["x-request-id"] !== undefined
  } catch {
    return false
  }
}
