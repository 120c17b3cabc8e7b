import assert from "node:assert/strict"
import { accessSync, constants, statSync } from "node:fs"
import { chmod, copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { armor, Encrypter } from "age-encryption"
import { readConfig } from "../config.ts"
import { fileSecrets } from "../secrets/files.ts"
import { checkIdentity } from "./doctor-identity.ts"

/** A folder on another file system than the temporary folder's, which may be in memory or on a disk. */
const OTHER = ["/dev/shm", "/var/tmp", homedir(), import.meta.dirname].find((folder) => {
  const other = statSync(folder, { throwIfNoEntry: false })
  return other !== undefined && other.dev !== statSync(tmpdir()).dev && mayWrite(folder)
})

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

describe("looking at where the identity lies", () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-doctor-"))
  })
  afterEach(() => rm(dataDir, { recursive: true }))
  const identity = () => join(dataDir, "identity.txt")
  const look = (settings = {}) => checkIdentity(readConfig({ ZT_DATA_DIR: dataDir, ...settings }))

  it("before a first start: nothing is made", async () => {
    assert.equal((await look()).status, "ok")
    assert.deepEqual(await readdir(dataDir), [])
  })

  it("beside the data: says what a thief of the disk gets, and the commands to move it", async () => {
    await fileSecrets(dataDir).set("root-key", "value")
    const { status, message, advice } = await look()
    assert.equal(status, "warn")
    assert.match(message, /same disk as the data: who steals or copies that disk reads all/)
    assert.ok(advice?.includes(`mv '${identity()}' `))
    assert.match(advice ?? "", /secrets export-recovery '.*identity\.age' and shred -u/)
  })

  it("on another disk: good", async (test) => {
    if (OTHER === undefined) return test.skip("this machine has one file system alone")
    await fileSecrets(dataDir).set("root-key", "value")
    const folder = await mkdtemp(join(OTHER, "zt-"))
    try {
      const file = join(folder, "identity")
      await copyFile(identity(), file)
      await rm(identity())
      assert.match((await look({ ZT_IDENTITY_FILE: file })).message, /another file system/)
      assert.equal((await look({ ZT_IDENTITY_FILE: file })).status, "ok")
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("under a passphrase: good, and it need not be given", async () => {
    await fileSecrets(dataDir).set("root-key", "value")
    const encrypter = new Encrypter()
    encrypter.setPassphrase("correct horse battery staple")
    encrypter.setScryptWorkFactor(10)
    const encrypted = await encrypter.encrypt(await fileSecrets(dataDir).identity())
    await writeFile(identity(), armor.encode(encrypted))
    const { status, message } = await look()
    assert.equal(status, "ok")
    assert.match(message, /under a passphrase/)
  })

  it("nowhere, beside secrets: fail", async () => {
    await fileSecrets(dataDir).set("root-key", "value")
    await rm(identity())
    assert.equal((await look()).status, "fail")
    assert.match(
      (await look({ ZT_IDENTITY_FILE: join(dataDir, "none") })).message,
      /ZT_IDENTITY_FILE names/,
    )
  })

  it("where others read it: fail", async () => {
    await fileSecrets(dataDir).set("root-key", "value")
    await chmod(identity(), 0o644)
    assert.match((await look()).message, /chmod 600/)
  })
})
