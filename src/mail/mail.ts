/**
 * Outgoing mail: plain text, to one address, handed over to one SMTP server.
 *
 * Owns: the way to that server. Not: what is said, to whom, and trying again: the caller's.
 * Invariants: no password and no mail goes over a network in clear; nothing of a mail or of the
 * server's address is in a message. Where no server is configured, nothing is sent and nothing lost.
 */
import { readFile } from "node:fs/promises"
import { isIP, isIPv4 } from "node:net"
import { rootCertificates } from "node:tls"
import { createTransport } from "nodemailer"
import type { Config } from "../config.ts"
import { isMailAddress } from "../core/mail-address.ts"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"

export interface Mail {
  /** One address, see {@link isMailAddress}. */
  readonly to: string
  /** One line. */
  readonly subject: string
  readonly text: string
}

export interface Mailer {
  /** Without a server: the caller shows the text to the operator in place of sending it. */
  readonly configured: boolean
  /** @throws Problem `UNAVAILABLE` when the server did not take it; then it was not sent. */
  send(mail: Mail): Promise<void>
}

export type MailSettings = Pick<Config, "smtpUrl" | "smtpCaFile" | "mailFrom" | "host">

/** Of the whole hand-over, however slowly the server answers. */
const DEADLINE_MS = 20_000
const MAX_SUBJECT = 200

export interface MailerOptions {
  /** Of one hand-over. */
  readonly deadlineMs?: number
  /** Address that stands in for the server's, so that a test need not ask a resolver. */
  readonly connectTo?: string
}

export function createMailer(
  settings: MailSettings,
  { deadlineMs = DEADLINE_MS, connectTo }: MailerOptions = {},
): Mailer {
  const { smtpUrl, mailFrom } = settings
  if (smtpUrl === undefined || mailFrom === undefined) {
    return { configured: false, send: () => Promise.reject(unavailable(undefined)) }
  }
  return {
    configured: true,
    async send({ to, subject, text }) {
      if (!isMailAddress(to)) throw refused("is addressed to no mail address")
      if (subject.length > MAX_SUBJECT || /\p{C}/u.test(subject)) {
        throw refused("has a subject that is not one short line")
      }
      try {
        const transport = createTransport(await transportOptions(smtpUrl, settings, connectTo))
        await transport.sendMail({
          from: mailFrom,
          to: { name: "", address: to },
          subject,
          text,
          // Nobody answers an automatic mail automatically (RFC 3834).
          headers: { "Auto-Submitted": "auto-generated" },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.timeout(deadlineMs),
        })
      } catch (error) {
        throw unavailable(error)
      }
    },
  }
}

async function transportOptions(
  smtpUrl: string,
  { smtpCaFile, host: ownHost }: MailSettings,
  connectTo: string | undefined,
) {
  const url = new URL(smtpUrl)
  const host = url.hostname.replace(/^\[|\]$/g, "")
  const secure = url.protocol === "smtps:"
  // Its own word for itself: no resolver is asked, which could name another machine.
  const address = host === "localhost" ? "127.0.0.1" : host
  const loopback = address === "::1" || (isIPv4(address) && address.startsWith("127."))
  const extraCa = smtpCaFile === undefined ? [] : [await readFile(smtpCaFile, "utf8")]
  return {
    host: connectTo ?? address,
    ...(isIP(host) === 0 && { servername: host }),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // Within this machine nobody listens in, and what serves there seldom has a good certificate.
    ...(loopback ? { ignoreTLS: true } : { requireTLS: true }),
    name: ownHost,
    ...(url.username !== "" && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
      forceAuth: true, // or it would be left out where the server does not offer it
    }),
    tls: { ca: [...rootCertificates, ...extraCa], minVersion: "TLSv1.2" as const },
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EAUTH: "The mail server refuses the login of ZT_SMTP_URL.",
  ETLS: "The mail server does not offer TLS, so nothing was sent to it.",
  EENVELOPE: "The mail server refuses the address: is it right, and ZT_MAIL_FROM allowed there?",
  EMESSAGE: "The mail server refuses the mail: its log may say why.",
  ENOENT: "ZT_SMTP_CA_FILE names no file that can be read.",
}
const UNREACHED =
  "The mail server of ZT_SMTP_URL does not answer in time, or not with a certificate for its name."

/** What the server said can quote anything, so it is for nobody; its kind decides. */
function unavailable(cause: unknown): Problem {
  const message =
    cause === undefined
      ? "No mail server is configured: set ZT_SMTP_URL and ZT_MAIL_FROM, or send the text yourself."
      : (REASONS[codeOf(cause) ?? ""] ?? UNREACHED)
  return new Problem("UNAVAILABLE", { message, cause })
}

function refused(why: string): Problem {
  return new Problem("INVALID_REQUEST", { message: `The mail ${why}.` })
}
