import assert from "node:assert/strict"
import { chmod, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { readConfig } from "../config.ts"
import { makeAuthority } from "../edge/x509.ts"
import { generateVerdictKey } from "../engine/attestation.ts"
import { fileSecrets } from "../secrets/files.ts"
import { generateRootKey } from "../secrets/keyring.ts"
import type { SecretName } from "../secrets/store.ts"
import { SECRET_NAMES } from "../secrets/store.ts"
import { checkSecretFiles, checkSecrets } from "./doctor-secrets.ts"

const authority = async () =>
  JSON.stringify({ host: "localhost", ...(await makeAuthority("localhost", new Date())) })
const GOOD: Readonly<Record<SecretName, string>> = {
  "superuser-password": "a-password",
  "zt_migrate-password": "a-password",
  "zt_runtime-password": "a-password",
  "zt_admin-password": "a-password",
  "zt_backup-password": "a-password",
  "root-key": generateRootKey(),
  "authority-key": await authority(),
  "leaf-key": (await makeAuthority("localhost", new Date())).key,
  "verdict-key": await generateVerdictKey(),
}
const OWN = { ZT_DATABASE_URL: "postgresql://db.example/zt" }

describe("looking at the secrets", () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-doctor-"))
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  const look = (settings = {}) => checkSecrets(readConfig({ ZT_DATA_DIR: dataDir, ...settings }))
  const keep = async (secrets: Partial<Record<SecretName, string>>) => {
    const store = fileSecrets(dataDir)
    for (const [name, text] of Object.entries(secrets)) await store.set(name as SecretName, text)
  }
  const makeCluster = () => mkdir(join(dataDir, "postgres/data"), { recursive: true })

  it("none are needed before a first start, and none are made", async () => {
    assert.deepEqual(
      (await look()).map(({ status }) => status),
      ["ok"],
    )
    assert.deepEqual(await readdir(dataDir), [])
  })

  it("whole ones are good, with either database", async () => {
    await makeCluster()
    await keep(GOOD)
    for (const settings of [{}, OWN]) {
      assert.deepEqual(
        (await look(settings)).map(({ status }) => status),
        ["ok"],
      )
    }
  })

  for (const name of SECRET_NAMES) {
    for (const [how, text] of [
      ["noise", "\u0001\u0002 \n"],
      ["cut off", GOOD[name].slice(0, -30)],
    ] as const) {
      if (how === "cut off" && name.endsWith("-password")) continue // any text is a password
      it(`${name}, ${how}: fail, by its name and never by its text`, async () => {
        await keep({ ...GOOD, [name]: text })
        const [first, ...others] = await look()
        assert.equal(first?.status, "fail")
        assert.ok(first.message.includes(name), first.message)
        assert.match(`${first.message} ${first.advice}`, /restore it from a backup/i)
        assert.doesNotMatch(first.message, /BEGIN|\{/)
        assert.deepEqual(others, [])
      })
    }
  }

  it("a store that does not open: fail, once", async () => {
    await keep(GOOD)
    await truncate(join(dataDir, "secrets.age"), 100)
    const [first, ...others] = await look()
    assert.equal(first?.status, "fail")
    assert.match(first.message, /secrets\.age is damaged/)
    assert.deepEqual(others, [])
  })

  it("names all that are missing at once", async () => {
    assert.match((await look(OWN))[0]?.message ?? "", /zt_migrate-password, zt_runtime-password/)
  })

  it("a key that is another's than the certificate's: fail", async () => {
    const { key } = JSON.parse(await authority())
    await keep({ "authority-key": JSON.stringify({ ...JSON.parse(GOOD["authority-key"]), key }) })
    assert.deepEqual(
      (await look()).map(({ status }) => status),
      ["fail"],
    )
  })

  for (const [name, settings, status] of [
    ["superuser-password", {}, "fail"],
    ["zt_runtime-password", {}, "warn"],
    ["zt_admin-password", {}, "warn"],
    ["zt_runtime-password", OWN, "fail"],
    ["superuser-password", OWN, "ok"],
    ["verdict-key", {}, "ok"],
    ["authority-key", {}, "ok"],
  ] as const) {
    const which = "ZT_DATABASE_URL" in settings ? "one's own database" : "an embedded one"
    it(`${name} is missing beside ${which}: ${status}`, async () => {
      await makeCluster()
      const { [name]: _, ...others } = GOOD
      await keep(others)
      const [found, ...more] = await look(settings)
      assert.equal(found?.status, status)
      if (status !== "ok") assert.ok(found?.message.includes(name))
      assert.deepEqual(more, [])
    })
  }
})

describe("looking at files that settings name for secrets", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-doctor-"))
  })
  afterEach(() => rm(folder, { recursive: true }))

  for (const [mode, warned] of [
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o604, true],
    [0o666, true],
  ] as const) {
    it(`${warned ? "warns of" : "is content with"} mode ${mode.toString(8)}`, async () => {
      const file = join(folder, "hidden-name")
      await writeFile(file, "secret")
      await chmod(file, mode)
      const found = await checkSecretFiles({ ZT_PASSPHRASE_FILE: file })
      assert.deepEqual(
        found.map(({ status }) => status),
        warned ? ["warn"] : [],
      )
      assert.doesNotMatch(JSON.stringify(found), /hidden-name/) // it may be the secret, by mistake
    })
  }

  it("says nothing where there is none", async () => {
    assert.deepEqual(await checkSecretFiles({ ZT_PASSPHRASE_FILE: join(folder, "none") }), [])
    assert.deepEqual(await checkSecretFiles({}), [])
  })
})
