/** Mail to a real SMTP server on loopback: what arrives, and what is never sent. */
import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import type { AddressInfo, Server, Socket } from "node:net"
import { createServer } from "node:net"
import { text } from "node:stream/consumers"
import { after, before, describe, it } from "node:test"
import type { SMTPServerOptions } from "smtp-server"
import { SMTPServer } from "smtp-server"
import { newDataDir } from "../../test/program.ts"
import { readConfig } from "../config.ts"
import { Problem } from "../core/problem.ts"
import type { Made } from "../edge/x509.ts"
import { makeAuthority, makeLeaf } from "../edge/x509.ts"
import type { MailSettings } from "./mail.ts"
import { createMailer } from "./mail.ts"

const PASSWORD = ["pass", "word%40", "1"].join(":")
const MAIL = { to: "ada@example.com", subject: "Schlüssel", text: "Hello.\n.\nBye — it is done.\n" }

interface Taken {
  readonly from: string
  readonly to: readonly string[]
  readonly data: string
  readonly secure: boolean
  readonly user: string | undefined
}

describe("mail", () => {
  let authority: Made
  let leaf: Made
  let caFile: string
  const closing: (() => Promise<unknown>)[] = []

  before(async () => {
    authority = await makeAuthority("mail.example", new Date())
    leaf = await makeLeaf(authority, ["127.0.0.1", "localhost"], new Date())
    caFile = `${await newDataDir()}-ca.pem`
    await writeFile(caFile, authority.certificate)
  })
  after(() => Promise.all(closing.map((close) => close())))

  /** @returns Its port, and what it took. */
  async function startServer(options: SMTPServerOptions = {}) {
    const taken: Taken[] = []
    let connections = 0
    const server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      key: leaf.key,
      cert: leaf.certificate,
      disabledCommands: [],
      onConnect(_session, done) {
        connections += 1
        done()
      },
      onAuth({ username, password }, _session, done) {
        if (password !== PASSWORD) return done(new Error("canary: no such user"))
        done(null, { user: username ?? "" })
      },
      onData(stream, { envelope, secure, user }, done) {
        void text(stream).then((data) => {
          const { mailFrom, rcptTo } = envelope
          const from = mailFrom === false ? "" : mailFrom.address
          const to = rcptTo.map(({ address }) => address)
          taken.push({ from, to, data, secure, user: user === undefined ? undefined : `${user}` })
          done()
        })
      },
      ...options,
    })
    server.on("error", () => {}) // clients that refuse its certificate
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closing.push(() => new Promise((resolve) => server.close(() => resolve(undefined))))
    const { port } = server.server.address() as AddressInfo
    return { port, taken, connections: () => connections }
  }

  const settings = (smtpUrl: string, more: Partial<MailSettings> = {}): MailSettings => ({
    smtpUrl,
    smtpCaFile: undefined,
    mailFrom: { name: "ZygenTrust", address: "post@trust.example" },
    host: "trust.example",
    ...more,
  })

  it("is one plain text to one address, as it was written", async () => {
    const { port, taken } = await startServer()
    await createMailer(settings(`smtp://127.0.0.1:${port}`)).send(MAIL)
    assert.equal(taken.length, 1)
    const [{ from, to, data } = assert.fail()] = taken
    assert.equal(from, "post@trust.example")
    assert.deepEqual(to, ["ada@example.com"])
    assert.match(data, /^From: ZygenTrust <post@trust\.example>\r$/m)
    assert.match(data, /^Content-Type: text\/plain; charset=utf-8\r$/m)
    assert.match(data, /^Auto-Submitted: auto-generated\r$/m)
    assert.match(data, /^Subject: =\?UTF-8\?/m)
    const body = data.slice(data.indexOf("\r\n\r\n") + 4).replaceAll("=\r\n", "")
    assert.equal(body.replaceAll("=E2=80=94", "—").replaceAll("\r\n", "\n"), MAIL.text)
  })

  it("goes by TLS from the first byte, with a login that the address holds", async () => {
    const { port, taken } = await startServer({ secure: true, authOptional: false })
    const login = `ops:${encodeURIComponent(PASSWORD)}`
    const url = `smtps://${login}@localhost:${port}`
    await createMailer(settings(url, { smtpCaFile: caFile })).send(MAIL)
    assert.deepEqual(
      taken.map(({ secure, user }) => ({ secure, user })),
      [{ secure: true, user: "ops" }],
    )
  })

  it("is not sent by TLS to a server whose certificate nobody vouches for", async () => {
    const { port, taken } = await startServer({ secure: true })
    await refused(settings(`smtps://localhost:${port}`), /certificate for its name/)
    assert.equal(taken.length, 0)
  })

  describe("a server that is not on loopback", () => {
    // By a name: what is on loopback by its address is known to be there.
    it("is never spoken to in clear: without STARTTLS nothing is said but EHLO", async () => {
      const heard: string[] = []
      const server = await listen((socket) => {
        socket.write("220 mail.example\r\n")
        socket.on("data", (chunk) => {
          heard.push(chunk.toString())
          socket.write(/^EHLO/i.test(`${chunk}`) ? "250-x\r\n250 AUTH PLAIN\r\n" : "502 no\r\n")
        })
      })
      const away = settings(
        `smtp://ops:${encodeURIComponent(PASSWORD)}@mail.example:${port(server)}`,
      )
      await refused(away, /does not offer TLS/, { connectTo: "127.0.0.1" })
      assert.match(heard.join(""), /^EHLO trust\.example\r\nSTARTTLS\r\n(QUIT\r\n)?$/)
    })

    it("gets the mail after STARTTLS, with its certificate checked against its name", async () => {
      const named = await makeLeaf(authority, ["mail.example"], new Date())
      const own = await startServer({ key: named.key, cert: named.certificate })
      const other = await startServer() // a certificate of another name
      const url = (port: number) => `smtp://mail.example:${port}`
      const mailer = createMailer(settings(url(own.port), { smtpCaFile: caFile }), {
        connectTo: "127.0.0.1",
      })
      await mailer.send(MAIL)
      assert.deepEqual(
        own.taken.map(({ secure }) => secure),
        [true],
      )
      const wrong = settings(url(other.port), { smtpCaFile: caFile })
      await refused(wrong, /certificate for its name/, { connectTo: "127.0.0.1" })
      assert.equal(other.taken.length, 0)
    })
  })

  describe("says what to do, and nothing of the address, when the server", () => {
    it("refuses the login", async () => {
      const { port } = await startServer()
      await refused(settings(`smtp://ops:canary@127.0.0.1:${port}`), /refuses the login/)
    })
    it("offers no login where one is configured", async () => {
      const { port, taken } = await startServer({ disabledCommands: ["AUTH"] })
      await refused(settings(`smtp://ops:canary@127.0.0.1:${port}`), /refuses the login/)
      assert.equal(taken.length, 0)
    })
    it("refuses the recipient", async () => {
      const { port } = await startServer({
        onRcptTo: (_address, _session, done) => done(new Error("canary: no such box")),
      })
      await refused(settings(`smtp://127.0.0.1:${port}`), /refuses the address/)
    })
    it("refuses the text", async () => {
      const { port } = await startServer({
        onData: (stream, _session, done) => {
          stream.resume()
          stream.on("end", () => done(new Error("canary: spam")))
        },
      })
      await refused(settings(`smtp://127.0.0.1:${port}`), /refuses the mail/)
    })
    it("is not there", async () => {
      const server = await listen(() => {})
      const gone = port(server)
      await new Promise((resolve) => server.close(resolve))
      await refused(settings(`smtp://127.0.0.1:${gone}`), /does not answer/)
    })
    it("accepts connections and is silent", async () => {
      const server = await listen(() => {})
      await refused(settings(`smtp://127.0.0.1:${port(server)}`), /does not answer/, {
        deadlineMs: 200,
      })
    })
    it("drips, so that no time-out of a socket ever comes", async () => {
      const dripping: NodeJS.Timeout[] = []
      const server = await listen((socket) => {
        dripping.push(setInterval(() => socket.write("220-\r\n"), 20))
      })
      const ended = new Promise((resolve) => server.once("drained", resolve))
      await refused(settings(`smtp://127.0.0.1:${port(server)}`), /does not answer/, {
        deadlineMs: 300,
      })
      await ended // the socket is closed, not only given up
      for (const timer of dripping) clearInterval(timer)
    })
  })

  describe("refuses before anybody is spoken to", () => {
    for (const [what, mail] of Object.entries({
      "a header in the subject": { ...MAIL, subject: "Hi\r\nBcc: eve@example.com" },
      "a line end in the subject": { ...MAIL, subject: "Hi\nthere" },
      "a subject without end": { ...MAIL, subject: "x".repeat(201) },
      "a header in the address": { ...MAIL, to: "ada@example.com\r\nBcc: eve@example.com" },
      "two addresses": { ...MAIL, to: "ada@example.com, eve@example.com" },
      "a display name": { ...MAIL, to: "Ada <ada@example.com>" },
      "a command in the address": { ...MAIL, to: "ada@example.com>\r\nDATA" },
      "a quoted local part": { ...MAIL, to: `"a b"@example.com` },
      "no address": { ...MAIL, to: "ada" },
    })) {
      it(what, async () => {
        const { port, connections } = await startServer()
        await assert.rejects(
          createMailer(settings(`smtp://127.0.0.1:${port}`)).send(mail),
          (error: unknown) => error instanceof Problem && error.code === "INVALID_REQUEST",
        )
        assert.equal(connections(), 0)
      })
    }
  })

  it("text that looks like SMTP or a header stays text", async () => {
    const { port, taken } = await startServer()
    const hostile = "x\r\n.\r\nMAIL FROM:<eve@example.com>\r\nBcc: eve@example.com\n"
    await createMailer(settings(`smtp://127.0.0.1:${port}`)).send({ ...MAIL, text: hostile })
    assert.equal(taken.length, 1)
    assert.deepEqual(taken[0]?.to, ["ada@example.com"])
  })

  it("unconfigured: says so, sends nothing", async () => {
    const mailer = createMailer({
      ...settings(""),
      smtpUrl: undefined,
      mailFrom: undefined,
    })
    assert.equal(mailer.configured, false)
    await assert.rejects(mailer.send(MAIL), /set ZT_SMTP_URL and ZT_MAIL_FROM/)
  })

  async function refused(
    given: MailSettings,
    message: RegExp,
    options: { connectTo?: string; deadlineMs?: number } = {},
  ): Promise<void> {
    await assert.rejects(createMailer(given, options).send(MAIL), (error: unknown) => {
      assert.ok(error instanceof Problem)
      assert.equal(error.code, "UNAVAILABLE")
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /canary|ops|word|ada|example/)
      return true
    })
  }

  /** @returns A server of plain TCP that emits `drained` when a connection has ended. */
  async function listen(handle: (socket: Socket) => void): Promise<Server> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => server.emit("drained"))
      handle(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closing.push(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return server
  }
  const port = (server: Server) => (server.address() as AddressInfo).port
})

describe("settings of mail", () => {
  const from = { ZT_MAIL_FROM: "post@trust.example" }
  const good = "smtps://u:p%40x@mail.example"
  for (const [url, because] of [
    ["smtps://mail.example", "implicit TLS"],
    ["smtp://127.0.0.1:2525", "a port"],
    ["smtp://[::1]:2525/", "IPv6, and a path that is none"],
    [good, "a login with an @, encoded"],
  ] as const) {
    it(`${url}: ${because}`, () => {
      assert.equal(readConfig({ ZT_SMTP_URL: url, ...from }).smtpUrl, url)
    })
  }
  for (const [url, because] of [
    ["mail.example", "no scheme"],
    ["https://mail.example", "another scheme"],
    ["smtp:mail.example", "no authority"],
    ["smtp://u@mail.example", "a name without a password"],
    ["smtp://u:%zz@mail.example", "not percent-encoded"],
    ["smtp://mail.example/path", "a path"],
    ["smtp://mail.example?tls=no", "options of a library"],
  ] as const) {
    it(`refused, ${because}`, () => {
      assert.throws(() => readConfig({ ZT_SMTP_URL: url, ...from }), /^Problem: ZT_SMTP_URL is not/)
    })
  }
  for (const [sender, parsed] of [
    ["post@trust.example", { name: "", address: "post@trust.example" }],
    ["Zygen Trust <post@trust.example>", { name: "Zygen Trust", address: "post@trust.example" }],
    ["post", undefined],
    ["a@b.example, c@d.example", undefined],
    ["x\r\nBcc: <eve@example.com>", undefined],
  ] as const) {
    it(`from ${JSON.stringify(sender)}`, () => {
      const read = () => readConfig({ ZT_SMTP_URL: good, ZT_MAIL_FROM: sender }).mailFrom
      if (parsed === undefined) assert.throws(read, /ZT_MAIL_FROM is not/)
      else assert.deepEqual(read(), parsed)
    })
  }
  it("one without the other is refused", () => {
    assert.throws(() => readConfig({ ZT_SMTP_URL: good }), /ZT_MAIL_FROM go together/)
    assert.throws(() => readConfig(from), /ZT_SMTP_URL go together/)
  })
})
