/**
 * S2, L2: secrets are planted through every entrance, then every byte that was written anywhere is
 * searched for them. What is allowed is listed with its reason, and a row of that list that nothing
 * needs fails as well; a leak that is planted in each place must be found.
 */
import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Lab } from "../../lab/lab.ts"
import { startLab } from "../../lab/lab.ts"
import { generateKey } from "../../src/keys/format.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"
import { hostileCharacters } from "./hostile.ts"
import type { Place } from "./places.ts"
import { filesIn, processPlaces } from "./places.ts"
import { REQUESTS } from "./requests.ts"
import { asSuperuser, rowPlaces, verifiers } from "./rows.ts"
import type { Canary } from "./search.ts"
import { createSearch } from "./search.ts"
import { keyCanary, newWord, pemCanaries, scramCanaries, storedCanaries } from "./secrets.ts"
import { freePort, send, sendHttp2 } from "./send.ts"

const COMPILED = join(import.meta.dirname, "../../node_modules/.cache/zygentrust")

/** Where a secret may be. */
const ALLOWED: readonly { canary: RegExp; place: RegExp; because: string }[] = []

describe("secrets", () => {
  const canaries: Canary[] = []
  const places: Place[] = []
  let lab: Lab
  let folder = ""
  let dataDir = ""
  let program: Program
  const plant = (name: string): string => {
    const secret = newWord()
    canaries.push({ name, secret })
    return secret
  }
  const plantKey = (name: string): string => {
    const key = generateKey("live")
    canaries.push(keyCanary(name, key))
    return key
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-"))
    dataDir = await newDataDir()
    const domain = `${plant("asked: a domain")}.test`
    lab = await startLab({
      characters: hostileCharacters(domain, (place) => plant(`seen: ${place}`)),
    })
    const httpPort = await freePort()
    const settings = {
      ...lab.settings,
      ZT_LOG_LEVEL: "debug",
      ZT_HTTP_PORT: String(httpPort),
      TMPDIR: folder,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "crash-preload.ts")}`,
    }
    const start = async () => {
      program = await startProgram({ dataDir, environment: settings })
    }
    const ended = async (label: string) => {
      await program.ended
      places.push({ name: `standard error of ${label}`, bytes: program.stderr() })
    }

    await start()
    const { live = "", test = "" } = program.keys ?? {}
    canaries.push(keyCanary("a live key", live), keyCanary("a test key", test))
    for (const how of ["thrown", "rejected", "rejected with a text", "warned"]) {
      await writeFile(
        join(folder, "crash.json"),
        JSON.stringify({ how, secret: plant(`crash: ${how}`) }),
      )
      process.kill(program.pid, "SIGUSR2")
      if (how === "warned") continue
      await ended(`a program in which something was ${how}`)
      await start()
    }

    const httpsPort = Number(new URL(program.url).port)
    const tls = { rejectUnauthorized: false }
    for (const [entrance, request] of Object.entries(REQUESTS)) {
      const answer = (what: string, bytes: Buffer) =>
        places.push({ name: `an answer to ${what} in ${entrance}`, bytes })
      const word = plant(`${entrance}: a word`)
      const key = plantKey(`${entrance}: an unknown key`)
      await Promise.all([
        send(httpsPort, request(word), tls).then((bytes) => answer("a word", bytes)),
        send(httpsPort, request(key), tls).then((bytes) => answer("an unknown key", bytes)),
        send(httpsPort, request(live), tls).then((bytes) => answer("a live key", bytes)),
        send(httpPort, request(word)).then((bytes) => answer("a word, in clear,", bytes)),
        send(httpPort, request(key)).then((bytes) => answer("an unknown key, in clear,", bytes)),
      ])
    }
    places.push({
      name: "an answer to TLS names",
      bytes: Buffer.concat([
        await send(httpsPort, "", {
          ...tls,
          servername: `${plant("TLS: a server's name")}.example`,
        }),
        await send(httpsPort, "", { ...tls, ALPNProtocols: [plant("TLS: a protocol's name")] }),
        await send(httpsPort, plant("TLS: no handshake at all")),
      ]),
    })
    for (const [what, headers] of [
      ["a method", { ":method": plant("HTTP/2: a method") }],
      ["a path", { ":path": `/${plant("HTTP/2: a path")}` }],
      ["a header", { authorization: `Bearer ${plant("HTTP/2: a header")}` }],
      ["an authority", { ":authority": `${plant("HTTP/2: an authority")}.example` }],
      ["a live key as method", { ":method": live }],
    ] as const) {
      places.push({
        name: `an answer to ${what} over HTTP/2`,
        bytes: await sendHttp2(httpsPort, headers),
      })
    }

    for (const name of [domain, `fails-${domain}`]) {
      for (const more of ["", "&attest=true", "&fresh=true"]) {
        const { headers, text, status } = await program.ask(`/v1/analyze?domain=${name}${more}`, {
          key: live,
        })
        assert.equal(status, 200)
        places.push({
          name: "an answer to the tenant that asked",
          bytes: JSON.stringify(headers) + text,
        })
      }
    }
    for (const path of [
      "/v1/health",
      "/v1/health/ready",
      "/v1/openapi.json",
      "/docs",
      "/.well-known/jwks.json",
    ]) {
      places.push({ name: `an answer of ${path}`, bytes: (await program.ask(path)).text })
    }

    await commands(settings, live)
    canaries.push(...(await storedCanaries(fileSecrets(dataDir))))
    for (const { name, bytes } of filesIn(dataDir, "data")) {
      if (/\.(pem|age|txt)$/.test(name))
        canaries.push(...pemCanaries("the TLS key", Buffer.from(bytes as Buffer).toString()))
    }
    await asSuperuser(dataDir, async (client) => {
      for (const { role, verifier } of await verifiers(client))
        canaries.push(...scramCanaries(`the verifier of ${role}`, verifier))
      const { rows } = await client.query(
        "select pid from pg_stat_activity where usename = 'zt_runtime' limit 1",
      )
      // The server says what a killed process was doing.
      process.kill(rows[0].pid, "SIGKILL")
    }).catch(() => {})
    await untilAnswers(program)
    for (let i = 0; i < 3; i++) await program.ask("/v1/usage", { key: live })
    await asSuperuser(dataDir, async (client) => {
      places.push(...(await rowPlaces(client)))
      await client.query("checkpoint")
    })
    places.push(...processPlaces(program.pid, "the running program"))
    places.push(...filesIn(dataDir, "data"))
    places.push(...filesIn(folder, "temporary files"))
    places.push(...filesIn(COMPILED, "compiled code"))
    await program.stop()
    await ended("the program")
    places.push(
      ...[...filesIn(dataDir, "data")].map((place) => ({
        ...place,
        name: `${place.name}, stopped`,
      })),
    )
  })
  after(async () => {
    await program.stop("SIGKILL")
    await lab.close()
    for (const path of [folder, dataDir]) await rm(path, { recursive: true, force: true })
  })

  async function commands(settings: Readonly<Record<string, string>>, live: string) {
    const env = environment(dataDir, settings)
    const run = async (name: string, args: string[], more: Record<string, string> = {}) => {
      const { code, stdout, stderr } = await runCommand(args, { ...env, ...more })
      places.push({ name: `standard output of ${name}`, bytes: stdout })
      places.push({ name: `standard error of ${name}`, bytes: stderr })
      return { code, stdout }
    }
    const tenant = plant("told: a tenant's name")
    const issued = await run("keys issue", [
      "keys",
      "issue",
      "--tenant",
      tenant,
      "--name",
      plant("told: a key's name"),
      "--environment",
      "live",
      "--json",
    ])
    canaries.push(keyCanary("an issued key", JSON.parse(issued.stdout).key))
    await run("keys list", ["keys", "list"])
    await run("keys revoke KEY", ["keys", "revoke", live])
    await run("KEY", [live])
    await run("keys --KEY", ["keys", `--${live}`])
    await run("analyze KEY", ["analyze", live, "--json"])
    await run("doctor", ["doctor"])
    await run("doctor --json", ["doctor", "--json"])
    const refused = await freePort()
    for (const [name, url] of [
      ["refused", (word: string) => `postgresql://admin:${word}@127.0.0.1:${refused}/postgres`],
      ["malformed", (word: string) => `postgresql://admin:${word}@127.0.0.1:port/`],
      [
        "with a broken escape",
        (word: string) => `postgresql://admin:${word}%zz@127.0.0.1:${refused}/`,
      ],
      [
        "as a parameter",
        (word: string) => `postgresql://127.0.0.1:${refused}/x?user=u&password=${word}`,
      ],
    ] as const) {
      for (const args of [
        ["migrate", "--bootstrap"],
        ["migrate", "--bootstrap", "--json"],
      ]) {
        await run(`${args.join(" ")} with an address ${name}`, args, {
          ZT_DATABASE_URL: `postgresql://127.0.0.1:${refused}/zygentrust`,
          ZT_ADMIN_DATABASE_URL: url(plant(`setting: an administrator's address ${name}`)),
        })
      }
      await run(`doctor with an address ${name}`, ["doctor"], {
        ZT_DATABASE_URL: url(plant(`setting: an address ${name}`)),
      })
    }
  }

  it("are nowhere but where they may be", () => {
    const search = createSearch(canaries)
    const leaks = places.flatMap(({ name, bytes }) => search(name, bytes))
    const used = new Set<number>()
    const open = leaks.filter((leak) => {
      const at = ALLOWED.findIndex(
        (row) => row.canary.test(leak.canary) && row.place.test(leak.place),
      )
      if (at !== -1) used.add(at)
      return at === -1
    })
    assert.deepEqual([...new Set(open.map((l) => `${l.canary} | ${l.place} | ${l.form}`))], [])
  })
})

async function untilAnswers(program: Program): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const { status } = await program.ask("/v1/health/ready")
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
