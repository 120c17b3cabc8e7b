/** A real SMTP server on loopback that keeps what it is given, for tests of mail. */
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { SMTPServer } from "smtp-server"

export interface KeptMail {
  readonly to: readonly string[]
  readonly head: string
  /** Decoded. */
  readonly text: string
}

export interface Mailbox {
  /** For the program's environment. */
  readonly settings: Readonly<Record<string, string>>
  readonly mails: readonly KeptMail[]
  /** While true, it takes no mail. */
  refusing: boolean
  /** @returns The mail of that number, from 0, once it is there. */
  mail(number: number): Promise<KeptMail>
  close(): Promise<void>
}

export async function openMailbox(): Promise<Mailbox> {
  const mails: KeptMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: ({ username = "" }, _session, done) => done(null, { user: username }),
    onRcptTo: (_address, _session, done) => done(box.refusing ? new Error("no") : undefined),
    onData(stream, { envelope }, done) {
      void text(stream).then((data) => {
        const end = data.indexOf("\r\n\r\n")
        mails.push({
          to: envelope.rcptTo.map(({ address }) => address),
          head: data.slice(0, end),
          text: decode(data.slice(end + 4)),
        })
        done()
        server.server.emit("kept")
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.server.address() as AddressInfo
  const box = {
    settings: {
      ZT_SMTP_URL: `smtp://127.0.0.1:${port}`,
      ZT_MAIL_FROM: "ZygenTrust <post@trust.example>",
    },
    mails,
    refusing: false,
    async mail(number: number): Promise<KeptMail> {
      for (;;) {
        const mail = mails[number]
        if (mail !== undefined) return mail
        await once(server.server, "kept")
      }
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  return box
}

/** Quoted-printable (RFC 2045 §6.7), which leaves plain ASCII as it is. */
function decode(body: string): string {
  const bytes = body
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, "latin1").toString("utf8").replaceAll("\r\n", "\n")
}
