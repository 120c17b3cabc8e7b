/**
 * The play: a program is started, secrets come in through every entrance, things break, and all
 * that was written is gathered. Nothing is judged here.
 */
import assert from "node:assert/strict"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startLab } from "../../lab/lab.ts"
import { generateKey } from "../../src/keys/format.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { IdentitySource } from "../../src/secrets/identity.ts"
import type { SecretStore } from "../../src/secrets/store.ts"
import { openMailbox } from "../mailbox.ts"
import type { Answer, Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"
import { runCommands } from "./commands.ts"
import { hostileCharacters } from "./hostile.ts"
import type { Place } from "./places.ts"
import { filesIn, processPlaces } from "./places.ts"
import { REQUESTS } from "./requests.ts"
import { asSuperuser, breakStatements, rowPlaces, seeds, verifiers } from "./rows.ts"
import type { Canary } from "./search.ts"
import { keyCanary, newWord, scramCanaries, storedCanaries, writeIdentity } from "./secrets.ts"
import { freePort, send, sendHttp2 } from "./send.ts"

const COMPILED = join(import.meta.dirname, "../../node_modules/.cache/zygentrust")
/** Of loopback, as no other client's: whole, it is as long as a piece. */
const CLIENT = "127.83.191.211"

const CRASHES = ["thrown", "rejected", "rejected with a text"] as const

/** What was planted and what was gathered; `place` names begin with their kind. */
export interface Gathered {
  readonly canaries: readonly Canary[]
  readonly places: readonly Place[]
}

export class Scene implements AsyncDisposable {
  readonly #canaries: Canary[] = []
  readonly #places: Place[] = []
  readonly #stack = new AsyncDisposableStack()
  #folder = ""
  #outside = ""
  #identity: IdentitySource = {}
  #dataDir = ""
  #settings: Readonly<Record<string, string>> = {}
  #httpPort = 0
  #live = ""
  #domain = ""

  async play(): Promise<Gathered> {
    await this.#prepare()
    const program = await this.#start(this.#httpPort)
    const { live = "", test = "" } = program.keys ?? {}
    this.#canaries.push(keyCanary("a live key", live), keyCanary("a test key", test))
    this.#live = live
    await this.#order(program, "warned", "crash: warned")
    await Promise.all(CRASHES.map((how) => this.#crash(how)))
    await this.#keyByRequest(program)
    await Promise.all([this.#requests(program), this.#judged(program), this.#commands()])
    await this.#database(program)
    await this.#leakOnPurpose(program)
    await this.#gather(program)
    return { canaries: this.#canaries, places: this.#places }
  }

  /** Makes a secret and counts it among those that are looked for. */
  readonly plant = (name: string): string => {
    const secret = newWord()
    this.#canaries.push({ name, secret })
    return secret
  }

  async #prepare(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "zt-"))
    this.#dataDir = await newDataDir()
    this.#outside = await mkdtemp(join(tmpdir(), "zt-"))
    for (const path of [this.#folder, this.#dataDir, this.#outside]) {
      this.#stack.defer(() => rm(path, { recursive: true, force: true }))
    }
    const passphrase = this.plant("passphrase")
    await writeFile(join(this.#outside, "passphrase"), passphrase, { mode: 0o600 })
    this.#identity = await writeIdentity(join(this.#dataDir, "identity.txt"), passphrase)
    this.#domain = `${this.plant("asked: a domain")}.test`
    const characters = hostileCharacters(this.#domain, (place) => this.plant(`seen: ${place}`))
    const lab = await startLab({ characters })
    this.#stack.defer(() => lab.close())
    this.#httpPort = await freePort()
    const mailbox = await openMailbox()
    this.#stack.defer(() => mailbox.close())
    const password = this.plant("the mail server's password")
    const backups = join(this.#folder, "backups")
    await mkdir(backups)
    this.#settings = {
      ...lab.settings,
      ...mailbox.settings,
      ZT_SMTP_URL: mailbox.settings["ZT_SMTP_URL"]?.replace("//", `//post:${password}@`) ?? "",
      ZT_BACKUP_DIR: backups,
      ZT_LOG_LEVEL: "debug",
      ZT_PASSPHRASE_FILE: join(this.#outside, "passphrase"),
      TMPDIR: this.#folder,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "crash-preload.ts")}`,
    }
  }

  #secrets(): SecretStore {
    return fileSecrets(this.#dataDir, this.#identity)
  }

  async #start(httpPort = 0): Promise<Program> {
    const environment = { ...this.#settings, ZT_HTTP_PORT: String(httpPort) }
    const program = await startProgram({ dataDir: this.#dataDir, environment })
    this.#stack.defer(async () => void (await program.stop("SIGKILL")))
    return program
  }

  /** A second program on the same data folder, which ends by what nobody caught. */
  async #crash(how: (typeof CRASHES)[number]): Promise<void> {
    const program = await this.#start()
    await this.#order(program, how, `crash: ${how}`)
    assert.equal(await program.ended, 1)
    this.#gatherOutput(program, `a program in which something was ${how}`)
  }

  /** Somebody asks for a key, an operator approves, the link is used, and then there is a backup. */
  async #keyByRequest(program: Program): Promise<void> {
    const applicant = (what: string) => this.plant(`applicant: ${what}`)
    const post = (path: string, type: string, body: string) =>
      program.ask(path, { method: "POST", headers: { "content-type": type }, body })
    const asked = {
      name: applicant("name"),
      organisation: applicant("organisation"),
      purpose: applicant("purpose"),
      contact: `${applicant("mailbox")}@${applicant("domain")}.example`,
      plan: `p${applicant("plan")}`,
    }
    const received = await post("/v1/key-requests", "application/json", JSON.stringify(asked))
    assert.equal(received.status, 202)
    this.#places.push({ name: "an answer to an applicant", bytes: received.text })
    const run = async (...args: string[]) => {
      const env = environment(this.#dataDir, this.#settings)
      const { stdout, stderr } = await runCommand(args, env)
      const [command, action] = args
      this.#places.push({ name: `standard output of ${command} ${action}`, bytes: stdout })
      this.#places.push({ name: `standard error of ${command} ${action}`, bytes: stderr })
      return stdout
    }
    const { requests } = JSON.parse(await run("requests", "list", "--json"))
    const tenant = this.plant("told: an applicant's tenant")
    const approval = ["--plan", "free", "--tenant", tenant, "--no-mail"]
    const text = await run("requests", "approve", requests[0].id, ...approval)
    const token = /zt_link_([0-9a-f]{64})/.exec(text)?.[1] ?? ""
    this.#canaries.push({ name: "a link's token", secret: token })
    await run("requests", "show", requests[0].id)
    const form = "application/x-www-form-urlencoded"
    const shown = await post("/claim-a-key", form, `token=zt_link_${token}`)
    const key = />(zt_live_\w+)</.exec(shown.text)?.[1] ?? ""
    this.#canaries.push(keyCanary("a claimed key", key))
    const again = await post("/claim-a-key", form, `token=zt_link_${token}`)
    this.#places.push({ name: "an answer to a used link", bytes: again.text })
    await run("requests", "relink", requests[0].id) // refused
    await post("/v1/key-requests", "application/json", JSON.stringify({ ...asked, plan: "free" }))
    await run("backup")
  }

  async #commands(): Promise<void> {
    const given = {
      dataDir: this.#dataDir,
      outside: this.#outside,
      settings: this.#settings,
      live: this.#live,
    }
    this.#places.push(...(await runCommands(given, this.plant, this.#canaries)))
  }

  /** Has the program do something with a secret (crash-preload.ts). */
  async #order(program: Program, how: string, name: string): Promise<void> {
    const order = JSON.stringify({ how, secret: this.plant(name) })
    await writeFile(join(this.#folder, `order-${program.pid}.json`), order)
    process.kill(program.pid, "SIGUSR2")
  }

  async #requests(program: Program): Promise<void> {
    const httpsPort = Number(new URL(program.url).port)
    const tls = { rejectUnauthorized: false, localAddress: CLIENT }
    this.#canaries.push({ name: "a client's address", secret: CLIENT })
    const answer = (what: string) => (bytes: Uint8Array | string) =>
      void this.#places.push({ name: `an answer to ${what}`, bytes })
    const enter = async ([entrance, request]: [string, (secret: string) => string]) => {
      const word = this.plant(`${entrance}: a word`)
      const key = generateKey("live")
      this.#canaries.push(keyCanary(`${entrance}: an unknown key`, key))
      await Promise.all([
        send(httpsPort, request(word), tls).then(answer(`a word in ${entrance}`)),
        send(httpsPort, request(key), tls).then(answer(`an unknown key in ${entrance}`)),
        send(httpsPort, request(this.#live), tls).then(answer(`a live key in ${entrance}`)),
        send(this.#httpPort, request(word)).then(answer(`a word in clear in ${entrance}`)),
        send(this.#httpPort, request(key)).then(answer(`an unknown key in clear in ${entrance}`)),
      ])
    }
    await Promise.all(Object.entries(REQUESTS).map(enter))
    const servername = `${this.plant("TLS: a server's name")}.example`
    const ALPNProtocols = [this.plant("TLS: a protocol's name")]
    answer("a TLS name")(await send(httpsPort, "", { ...tls, servername }))
    answer("a TLS protocol")(await send(httpsPort, "", { ...tls, ALPNProtocols }))
    answer("no handshake")(await send(httpsPort, this.plant("TLS: no handshake")))
    for (const [what, headers] of [
      ["a method", { ":method": this.plant("HTTP/2: a method") }],
      ["a path", { ":path": `/${this.plant("HTTP/2: a path")}` }],
      ["a header", { authorization: `Bearer ${this.plant("HTTP/2: a header")}` }],
      ["a host", { ":authority": `${this.plant("HTTP/2: a host")}.example` }],
      ["a live key as method", { ":method": this.#live }],
    ] as const) {
      answer(`${what} over HTTP/2`)(await sendHttp2(httpsPort, headers))
    }
    for (const path of ["/v1/health", "/v1/openapi.json", "/docs", "/.well-known/jwks.json"]) {
      answer(path)((await program.ask(path)).text)
    }
  }

  /** Domains whose every answer holds secrets are judged for a tenant. */
  async #judged(program: Program): Promise<void> {
    for (const domain of [this.#domain, `fails-${this.#domain}`]) {
      for (const more of ["", "&attest=true", "&fresh=true"]) {
        const path = `/v1/analyze?domain=${domain}${more}`
        const { headers, text } = await this.#answer(program, path)
        this.#places.push({ name: "the tenant's answer", bytes: JSON.stringify(headers) + text })
      }
    }
  }

  /** A busy machine and a server that comes back refuse for a while. */
  async #answer(program: Program, path: string): Promise<Answer> {
    for (;;) {
      const answer = await program.ask(path, { key: this.#live })
      if (answer.status === 200) return answer
      assert.equal(answer.status, 503)
    }
  }

  /** Statements that fail with values in them, and a process of the server that dies at work. */
  async #database(program: Program): Promise<void> {
    await asSuperuser(this.#dataDir, this.#secrets(), async (client) => {
      await breakStatements(client, this.plant("database: a value in an error"))
      const { rows } = await client.query<{ pid: number }>(
        "select pid from pg_stat_activity where usename = 'zt_runtime' limit 1",
      )
      if (rows[0] !== undefined) process.kill(rows[0].pid, "SIGKILL")
    })
    await this.#answer(program, "/v1/usage")
  }

  /** One leak a place, which must be found: else the search would show nothing. */
  async #leakOnPurpose(program: Program): Promise<void> {
    await this.#order(program, "printed", "leaked: printed")
    await writeFile(join(this.#folder, "left"), this.plant("leaked: a temporary file"))
    await writeFile(join(this.#dataDir, "left"), this.plant("leaked: a file of the data folder"))
    await asSuperuser(this.#dataDir, this.#secrets(), async (client) => {
      const row = client.escapeLiteral(this.plant("leaked: a row"))
      await client.query(`create table public.leak as select ${row} as text`)
      const said = client.escapeLiteral(this.plant("leaked: the database's log"))
      await client.query(`do $$ begin raise log '%', ${said}; end $$`)
    })
  }

  async #gather(program: Program): Promise<void> {
    const dataFiles = () => [...filesIn(this.#dataDir, "data")]
    this.#canaries.push(...(await storedCanaries(this.#secrets())))
    await asSuperuser(this.#dataDir, this.#secrets(), async (client) => {
      for (const { role, verifier } of await verifiers(client)) {
        this.#canaries.push(...scramCanaries(`verifier of ${role}`, verifier))
      }
      for (const secret of await seeds(client)) this.#canaries.push({ name: "seed", secret })
      this.#places.push(...(await rowPlaces(client)))
      await client.query("checkpoint")
    })
    this.#places.push(...processPlaces(program.pid, "the running program"), ...dataFiles())
    await program.stop()
    this.#gatherOutput(program, "the program")
    this.#places.push(...filesIn(this.#folder, "temporary"), ...filesIn(COMPILED, "compiled"))
    for (const { name, bytes } of dataFiles()) {
      this.#places.push({ name: `${name}, stopped`, bytes })
    }
  }

  #gatherOutput(program: Program, label: string): void {
    this.#places.push({ name: `standard error of ${label}`, bytes: program.stderr() })
    // The first line of the very first start shows its keys, once (K3).
    const [first = "", ...rest] = program.stdout().split("\n")
    const shown = program.keys === undefined ? [first, ...rest] : rest
    this.#places.push({ name: `standard output of ${label}`, bytes: shown.join("\n") })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
