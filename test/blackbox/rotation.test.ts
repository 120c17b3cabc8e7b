/** S1: every secret is rotated under a stream of requests, and no answer fails. */
import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { Agent, get } from "node:https"
import { after, before, describe, it } from "node:test"
import { compactVerify, createLocalJWKSet } from "jose"
import { credentials, runStatement, withClient } from "../../src/db/connection.ts"
import { folderOf, socketFolder } from "../../src/db/embedded/folder.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import type { SecretName } from "../../src/secrets/store.ts"
import type { Answer, Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"

const OFFLINE = { ZT_RESOLVERS: "127.0.0.1:9" }
const LOOKS_MS = 1_500

describe("rotation while requests flow", () => {
  let dataDir: string
  let program: Program
  let keys: NonNullable<Program["keys"]>
  const store = () => fileSecrets(dataDir)
  before(async () => {
    dataDir = await newDataDir()
    program = await startProgram({ dataDir, environment: OFFLINE })
    assert.ok(program.keys)
    keys = program.keys
    stream = startStream(() => [program.url, agentFor(program), keys.live, keys.test])
  })
  after(async () => {
    await stream.stop()
    await program.stop()
    await rm(dataDir, { recursive: true })
  })
  let stream: ReturnType<typeof startStream>

  const command = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(args, environment(dataDir, OFFLINE))
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`)
    return stdout
  }
  const rotate = (name: SecretName) => command("secrets", "rotate", name)
  const numbers = async (name: SecretName) =>
    (await store().generations(name)).map(({ number }) => number)
  /** As if the newest generation were older, which its readers go by. */
  const age = async (name: SecretName, ms: number) => {
    const all = await store().generations(name)
    await store().restore(
      name,
      all.map((one) => ({ ...one, createdAt: new Date(one.createdAt.getTime() - ms) })),
    )
    await sleep(LOOKS_MS)
  }

  for (const name of [
    "zt_runtime-password",
    "zt_admin-password",
    "zt_migrate-password",
    "zt_backup-password",
    "superuser-password",
  ] as const) {
    it(`${name}: the old one is refused, nobody notices`, async () => {
      const old = (await store().get(name)) ?? ""
      await rotate(name)
      assert.deepEqual(await numbers(name), [2])
      const user = name === "superuser-password" ? "postgres" : name.replace("-password", "")
      assert.equal(await logsIn(user, old), false)
      assert.equal(await logsIn(user, (await store().get(name)) ?? ""), true)
      await stream.widen() // more at once, so that the program has to log in again
      await command("keys", "list")
    })
  }

  it("interrupted before the database knows: logins go on with the older password", async () => {
    for (const name of [
      "zt_runtime-password",
      "zt_admin-password",
      "zt_migrate-password",
    ] as const) {
      await store().rotate(name, "never-came-to-the-database")
    }
    await command("keys", "list")
    const other = await startProgram({ dataDir, environment: OFFLINE })
    assert.equal((await other.ask("/v1/usage", { key: keys.live })).status, 200)
    await other.stop()
    await rotate("zt_admin-password")
    assert.deepEqual(await numbers("zt_admin-password"), [4])
  })

  it("verdict-key: published first, signs later; the old one stays published for a day", async () => {
    const before = await signedBy()
    await rotate("verdict-key")
    await sleep(LOOKS_MS)
    assert.equal(await signedBy(), before)
    assert.equal((await published()).length, 2)
    await age("verdict-key", 2 * 3_600_000)
    const next = await signedBy()
    assert.notEqual(next, before)
    assert.deepEqual((await published()).sort(), [before, next].sort())
    await age("verdict-key", 25 * 3_600_000)
    assert.deepEqual(await published(), [next])
    await rotate("verdict-key")
    assert.deepEqual(await numbers("verdict-key"), [3, 2])
    await command("secrets", "rotate", "verdict-key", "--now")
    await sleep(LOOKS_MS)
    const [only, ...more] = await published()
    assert.deepEqual(more, [])
    assert.equal(await signedBy(), only)
  })

  it("root-key: rows are sealed again while they are read, then the old one is forgotten", async () => {
    await rotate("root-key")
    await age("root-key", 120_000)
    assert.deepEqual(await numbers("root-key"), [2, 1])
    const told = JSON.parse(await command("secrets", "reseal", "--json"))
    assert.ok(told.rows > 0)
    assert.deepEqual(told.retired, [1])
    assert.deepEqual(await numbers("root-key"), [2])
    assert.deepEqual(JSON.parse(await command("secrets", "reseal", "--json")), {
      rows: 0,
      retired: [],
    })
    assert.match(await command("tenants", "list"), /default/)
  })

  it("authority-key, leaf-key: authority.pem holds both, and the new one signs the next certificate", async () => {
    const pem = () => readFileSync(program.ca, "utf8")
    const old = pem()
    const leaf = await leafOf(program, old)
    await rotate("authority-key")
    await sleep(LOOKS_MS)
    assert.equal(pem().match(/BEGIN CERTIFICATE/g)?.length, 2)
    assert.ok(pem().endsWith(old))
    assert.equal(await leafOf(program, old), leaf, "who knows only the old one is served as before")
    await rotate("leaf-key")
    await sleep(LOOKS_MS)
    assert.notEqual(await leafOf(program, pem()), leaf)
    await assert.rejects(leafOf(program, old), "its issuer is the new authority")
  })

  it("failed no request, and left its entries in the audit log", async () => {
    const { answered, failed } = await stream.stop()
    assert.deepEqual(failed, [])
    assert.ok(answered > 500, `${answered} answers`)
    const rows = await entries()
    assert.equal(rows.filter(({ stage }) => stage === "begun").length, rows.length / 2)
    for (const action of ["secret.rotated", "secret.retired"]) {
      assert.ok(
        rows.some((row) => row.action === action),
        action,
      )
    }
  })

  const login = async <T>(
    user: { user: string; password: string },
    work: Parameters<typeof withClient<T>>[2],
  ) => {
    using socket = socketFolder(folderOf(dataDir))
    const address = { socketFolder: socket.path, database: EMBEDDED_DATABASE }
    return await withClient(address, user, work)
  }
  const logsIn = (user: string, password: string) =>
    login({ user, password }, async () => true).catch(() => false)
  const entries = async () => {
    const migrator = await credentials(store(), "zt_migrate")
    const { rows } = await login(migrator, (client) =>
      runStatement<{ action: string; stage: string }>(
        client,
        "select action, details->>'stage' as stage from audit.entry where action like 'secret.%'",
      ),
    )
    return rows
  }
  const jwks = async () => (await program.ask("/.well-known/jwks.json")).json
  const published = async () => (await jwks()).keys.map(({ kid }: { kid: string }) => kid)
  /** @returns The key that signs now, after verifying with what is published. */
  const signedBy = async () => {
    const answer = await program.ask("/v1/analyze?domain=approve.test&attest=true", {
      key: keys.test,
    })
    const { protectedHeader } = await compactVerify(
      answer.json.attestation,
      createLocalJWKSet(await jwks()),
    )
    return protectedHeader.kid
  }
})

/** Asks without pause; every answer must be 200. */
function startStream(target: () => readonly [string, Agent, string, string]) {
  const failed: string[] = []
  let answered = 0
  let going = true
  const loops: Promise<void>[] = []
  const ask = async (turn: number) => {
    const [url, agent, live, test] = target()
    const [path, key] =
      turn % 2 === 0
        ? ["/v1/usage", live]
        : [`/v1/analyze?domain=approve.test&attest=true&fresh=${turn % 4 === 1}`, test]
    try {
      const { status, text } = await fetchWith(agent, `${url}${path}`, key)
      answered += 1
      if (status !== 200) failed.push(`${path}: ${status} ${text}`)
    } catch (error) {
      failed.push(`${path}: ${error}`)
    }
  }
  const loop = async (turn: number) => {
    while (going) {
      await ask(turn++)
      await sleep(5)
    }
  }
  for (let n = 0; n < 2; n++) loops.push(loop(n))
  return {
    /** A burst of many at once. */
    async widen() {
      await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n)))
    },
    async stop() {
      going = false
      await Promise.all(loops)
      return { answered, failed }
    },
  }
}

function agentFor({ ca }: Program): Agent {
  return new Agent({ ca: readFileSync(ca) })
}

function fetchWith(
  agent: Agent,
  url: string,
  key: string,
): Promise<Pick<Answer, "status" | "text">> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { "x-api-key": key } }, async (response) => {
      let text = ""
      for await (const chunk of response.setEncoding("utf8")) text += chunk
      resolve({ status: response.statusCode ?? 0, text })
    }).on("error", reject)
  })
}

/** @returns The serial number of the certificate, when what is trusted vouches for it. */
function leafOf({ url }: Program, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca })
    get(`${url}/v1/health/live`, { agent }, (response) => {
      const { raw } = (response.socket as import("node:tls").TLSSocket).getPeerCertificate()
      resolve(new X509Certificate(raw).serialNumber)
      response.resume()
    }).on("error", reject)
  })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
