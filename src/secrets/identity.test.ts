import assert from "node:assert/strict"
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { armor, Encrypter } from "age-encryption"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "./files.ts"
import type { IdentitySource } from "./identity.ts"

const NAME = "zt_runtime-password"
const PASSPHRASE = "correct horse battery staple"

describe("the identity", () => {
  let dataDir: string
  let moved: string
  let identity: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-identity-"))
    await fileSecrets(dataDir).set(NAME, "value")
    identity = await fileSecrets(dataDir).identity()
    await mkdir(join(dataDir, "elsewhere"))
    moved = join(dataDir, "elsewhere", "zygentrust-identity")
    await rename(join(dataDir, "identity.txt"), moved)
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  const get = (source: IdentitySource = {}) => fileSecrets(dataDir, source).get(NAME)
  const refused = (source: IdentitySource, says: RegExp) =>
    assert.rejects(get(source), (error) => {
      assert.ok(error instanceof Problem && error.code === "DATA_FOLDER", String(error))
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /correct|SECRET-KEY-1[0-9A-Z]/)
      return true
    })

  it("has a checksum that tells a mistyped one", async () => {
    await writeFile(
      moved,
      identity.replace(/.$/, (last) => (last === "Q" ? "P" : "Q")),
    )
    await refused({ identityFile: moved }, /is no age identity/)
  })

  it("is the file that ZT_IDENTITY_FILE names", async () => {
    assert.equal(await get({ identityFile: moved }), "value")
    await refused({}, /identity that opens .* is not there: put identity.txt back/)
  })

  it("is not looked for elsewhere when ZT_IDENTITY_FILE names none that is there", async () => {
    await writeFile(join(dataDir, "identity.txt"), identity, { mode: 0o600 })
    await refused({ identityFile: `${moved}x` }, /ZT_IDENTITY_FILE names, is not there/)
  })

  it("is the systemd credential where there is one, whatever its mode", async () => {
    await writeFile(join(dataDir, "identity.txt"), "not this one", { mode: 0o600 })
    await chmod(moved, 0o440) // as systemd gives it to another user than root, by an access list
    assert.equal(await get({ credentialsDirectory: join(dataDir, "elsewhere") }), "value")
  })

  it("is identity.txt where the credentials are another's", async () => {
    await writeFile(join(dataDir, "identity.txt"), identity, { mode: 0o600 })
    assert.equal(await get({ credentialsDirectory: dataDir }), "value")
  })

  it("is made nowhere but in the data folder", async () => {
    const fresh = join(dataDir, "fresh")
    const store = fileSecrets(fresh, { identityFile: join(dataDir, "none") })
    await assert.rejects(store.set(NAME, "value"), Problem)
    assert.deepEqual(await readdir(fresh), ["secrets.lock"])
  })

  it("that was there before a first start is the one in use", async () => {
    const fresh = join(dataDir, "fresh")
    await fileSecrets(fresh, { identityFile: moved }).set(NAME, "fresh")
    assert.deepEqual((await readdir(fresh)).sort(), ["secrets.age", "secrets.lock"])
    assert.equal(await fileSecrets(fresh, { identityFile: moved }).get(NAME), "fresh")
  })

  it("may have comments and spaces, but is one", async () => {
    await writeFile(moved, `# mine\r\n\r\n  ${identity} \r\n`)
    assert.equal(await get({ identityFile: moved }), "value")
    await writeFile(moved, `${identity}\n${identity}\n`)
    await refused({ identityFile: moved }, /is no age identity: it must hold one line/)
  })

  for (const [form, encode] of [
    ["armored", (bytes: Uint8Array) => armor.encode(bytes)],
    ["binary", (bytes: Uint8Array) => bytes],
  ] as const) {
    describe(`encrypted under a passphrase, ${form}`, () => {
      let encrypted: Uint8Array
      beforeEach(async () => {
        const encrypter = new Encrypter()
        encrypter.setPassphrase(PASSPHRASE)
        encrypter.setScryptWorkFactor(10)
        encrypted = await encrypter.encrypt(await readFile(moved, "utf8"))
        await writeFile(moved, encode(encrypted))
      })

      it("opens with it", async () => {
        assert.equal(
          await get({ identityFile: moved, passphrase: async () => PASSPHRASE }),
          "value",
        )
      })
      it("asks for it once", async () => {
        let asked = 0
        const passphrase = async () => {
          asked += 1
          return PASSPHRASE
        }
        const store = fileSecrets(dataDir, { identityFile: moved, passphrase })
        await Promise.all([store.get(NAME), store.get(NAME)])
        await store.set(NAME, "other")
        assert.equal(asked, 1)
      })
      it("is refused with another, or none", async () => {
        const wrong = async () => "correct horse"
        await refused({ identityFile: moved, passphrase: wrong }, /passphrase does not open/)
        await refused({ identityFile: moved }, /ZT_PASSPHRASE_FILE/)
      })
      it("is refused when it is damaged", async () => {
        encrypted[encrypted.length - 1] = (encrypted.at(-1) ?? 0) ^ 1
        await writeFile(moved, encode(encrypted))
        await refused({ identityFile: moved, passphrase: async () => PASSPHRASE }, /is damaged/)
      })
    })
  }
})
