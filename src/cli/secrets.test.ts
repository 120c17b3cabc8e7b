import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { afterEach, beforeEach, describe, it } from "node:test"
import { age, ageIsMissing, ageOnTerminal } from "../../test/age-cli.ts"
import { environment } from "../../test/program.ts"
import { generateVerdictKey } from "../engine/attestation.ts"
import { fileSecrets } from "../secrets/files.ts"
import { SECRET_NAMES } from "../secrets/store.ts"

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")
const PASSPHRASE = "correct horse battery staple"
const VALUE = "canary-value"
const noAge = await ageIsMissing()

describe("zygentrust secrets", () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-cli-"))
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  const secrets = async (
    args: readonly string[],
    { input = "", more = {} }: { input?: string; more?: Record<string, string> } = {},
  ) => {
    const child = spawn(PROGRAM, ["secrets", ...args], { env: environment(dataDir, more) })
    child.stdin.on("error", () => {}) // it may end without reading
    child.stdin.end(input)
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ])
    assert.doesNotMatch(`${out}${err}`, /canary|SECRET-KEY|correct horse/)
    return { code, out, err }
  }
  const keep = () => fileSecrets(dataDir).set("zt_runtime-password", VALUE)

  it("list: says so when there are none, and makes nothing", async () => {
    const { code, err } = await secrets(["list"])
    assert.equal(code, 0)
    assert.match(err, /No secrets yet/)
    assert.deepEqual(await readdir(dataDir), [])
  })

  it("list: names, generations, ages and purposes, never a value", async () => {
    await keep()
    await fileSecrets(dataDir).rotate("zt_runtime-password", `${VALUE}-2`)
    const { out } = await secrets(["list"])
    assert.match(out, /^zt_runtime-password +database login of the API +2 \(0 min\), 1 \(0 min\)$/m)
    assert.match(out, /^verdict-key .* none$/m)
    const { secrets: all } = JSON.parse((await secrets(["list", "--json"])).out)
    assert.deepEqual(
      all.map(({ name }: { name: string }) => name),
      [...SECRET_NAMES],
    )
  })

  for (const [args, says] of [
    [[], /secrets takes list, rotate/],
    [["lst"], /has no 'lst'/],
    [["set", "zt_runtime-password", "value"], /it comes from standard input/],
    [["set"], /takes a name: root-key/],
    [["rotate", "passwd"], /one of these names: root-key/],
    [["rotate", "root-key", "--now"], /--now is for verdict-key/],
    [["list", "--now"], /--now belongs to/],
  ] as const) {
    it(`${args.join(" ")}: wrong usage`, async () => {
      const { code, err } = await secrets(args)
      assert.equal(code, 2)
      assert.match(err, says)
      assert.deepEqual(await readdir(dataDir), [])
    })
  }

  it("set: takes a value from standard input, and says what is not recorded", async () => {
    const key = await generateVerdictKey()
    const { code, out, err } = await secrets(["set", "verdict-key"], { input: key })
    assert.equal(code, 0, err)
    assert.match(out, /verdict-key is set/)
    assert.match(err, /Not in the audit log/)
    assert.equal(await fileSecrets(dataDir).get("verdict-key"), key.trimEnd())
  })

  it("set: refuses what is no such secret, and another root-key", async () => {
    await fileSecrets(dataDir).set("root-key", VALUE)
    for (const [name, says] of [
      ["verdict-key", /is no verdict-key; nothing was changed/],
      ["zt_runtime-password", /is no zt_runtime-password/],
      ["root-key", /rotate it instead/],
    ] as const) {
      const { code, err } = await secrets(["set", name], { input: "" })
      assert.equal(code, 2)
      assert.match(err, says)
    }
    assert.equal(await fileSecrets(dataDir).get("root-key"), VALUE)
  })

  it("export-recovery: a file that is the identity, with the passphrase", async () => {
    await keep()
    const file = join(dataDir, "recovery.age")
    const { code, err } = await secrets(["export-recovery", file], { input: `${PASSPHRASE}\n` })
    assert.equal(code, 0, err)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.match(await readFile(file, "utf8"), /^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    await rename(join(dataDir, "identity.txt"), join(dataDir, "lost"))
    const passphrase = join(dataDir, "passphrase")
    await writeFile(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 })
    const more = { ZT_IDENTITY_FILE: file, ZT_PASSPHRASE_FILE: passphrase }
    assert.match((await secrets(["list"], { more })).out, /zt_runtime-password .* 1 \(0 min\)/)
    const inEnvironment = { ZT_IDENTITY_FILE: file, ZT_PASSPHRASE: PASSPHRASE }
    assert.match((await secrets(["list"], { more: inEnvironment })).out, /1 \(0 min\)/)
    const without = await secrets(["list"], { more: { ZT_IDENTITY_FILE: file } })
    assert.match(without.err, /encrypted under a passphrase/)
  })

  it("export-recovery: to standard output; never over a file, nor with a short passphrase", async () => {
    await keep()
    const input = PASSPHRASE
    const { out } = await secrets(["export-recovery"], { input })
    assert.match(out, /^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    const file = join(dataDir, "identity.txt")
    const before = await readFile(file, "utf8")
    const over = await secrets(["export-recovery", file], { input })
    assert.equal(over.code, 1)
    assert.match(over.err, /is there already, and is not overwritten/)
    assert.equal(await readFile(file, "utf8"), before)
    const short = await secrets(["export-recovery"], { input: "elevenchars" })
    assert.equal(short.code, 2)
    assert.match(short.err, /fewer than 12 characters/)
  })

  it("export-recovery: asks twice on a terminal, and shows nothing of what is typed", async () => {
    await keep()
    const file = join(dataDir, "recovery.age")
    const command = `${PROGRAM} secrets export-recovery ${file}`
    const child = spawn("script", ["-qec", command, "/dev/null"], { env: environment(dataDir) })
    let shown = ""
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      shown += part
      if (part.includes("Passphrase") || part.includes("again")) {
        child.stdin.write(`corrett\u007f\u007fct horse battery staple\r`)
      }
    })
    const [code] = await once(child, "close")
    assert.equal(code, 0, shown)
    assert.match(shown, /The same again/)
    assert.doesNotMatch(shown, /horse/)
    const source = { identityFile: file, passphrase: async () => PASSPHRASE }
    assert.equal(await fileSecrets(dataDir, source).get("zt_runtime-password"), VALUE)
  })

  it("export-recovery: age opens it", { skip: noAge }, async () => {
    await keep()
    const [file, opened] = [join(dataDir, "recovery.age"), join(dataDir, "opened")]
    await secrets(["export-recovery", file], { input: PASSPHRASE })
    await ageOnTerminal(["-d", "-o", opened, file], [PASSPHRASE])
    await chmod(opened, 0o600)
    assert.match(await age("-d", "-i", opened, join(dataDir, "secrets.age")), /canary-value/)
    const source = { identityFile: opened }
    assert.equal(await fileSecrets(dataDir, source).get("zt_runtime-password"), VALUE)
  })
})
