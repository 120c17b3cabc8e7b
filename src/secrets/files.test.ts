import assert from "node:assert/strict"
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "./files.ts"
import type { SecretName } from "./store.ts"

const NAME = "zt_runtime-password"

describe("secrets in files", () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-secrets-"))
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  it("gives nothing for a secret that was never made, and makes no folder for it", async () => {
    assert.equal(await fileSecrets(dataDir).get(NAME), undefined)
    assert.deepEqual(await readdir(dataDir), [])
  })

  it("keeps what was made, in a file that only its owner may read", async () => {
    const made = await fileSecrets(dataDir).getOrCreate(NAME, () => "first")
    const again = await fileSecrets(dataDir).getOrCreate(NAME, () => "second")
    assert.deepEqual([made, again], ["first", "first"])
    assert.equal((await stat(join(dataDir, "secrets"))).mode & 0o777, 0o700)
    assert.equal((await stat(join(dataDir, "secrets", NAME))).mode & 0o777, 0o600)
  })

  it("gives racers one value", async () => {
    const racers = Array.from({ length: 20 }, (_, racer) =>
      fileSecrets(dataDir).getOrCreate(NAME, () => `racer ${racer}`),
    )
    const values = new Set(await Promise.all(racers))
    assert.equal(values.size, 1)
    assert.ok(values.has(await readFile(join(dataDir, "secrets", NAME), "utf8")))
    assert.deepEqual(await readdir(join(dataDir, "secrets")), [NAME], "no file is left behind")
  })

  it("replaces a value whole", async () => {
    const secrets = fileSecrets(dataDir)
    await secrets.set(NAME, "a long first value")
    await secrets.set(NAME, "short")
    assert.equal(await secrets.get(NAME), "short")
  })

  for (const [what, text] of [
    ["an empty file", ""],
    ["a blank one", "\n"],
  ] as const) {
    it(`refuses ${what}, names it, and leaves it`, async () => {
      const secrets = fileSecrets(dataDir)
      const file = join(dataDir, "secrets", NAME)
      await secrets.set(NAME, text)
      for (const act of [() => secrets.get(NAME), () => secrets.getOrCreate(NAME, () => "new")]) {
        await assert.rejects(act, (error) => {
          assert.ok(error instanceof Problem && error.code === "DATA_FOLDER")
          assert.ok(error.message.includes(file))
          assert.match(error.message, /is empty: restore it from a backup/)
          return true
        })
      }
      assert.equal(await readFile(file, "utf8"), text)
    })
  }

  it("refuses a folder that others may enter", async () => {
    const secrets = fileSecrets(dataDir)
    await secrets.set(NAME, "value")
    await chmod(join(dataDir, "secrets"), 0o755)
    await assert.rejects(secrets.set(NAME, "other"), isFolderProblem)
  })

  it("refuses a folder that is a link to elsewhere", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "zt-elsewhere-"))
    await symlink(elsewhere, join(dataDir, "secrets"))
    await assert.rejects(fileSecrets(dataDir).set(NAME, "value"), isFolderProblem)
    assert.deepEqual(await readdir(elsewhere), [])
    await rm(elsewhere, { recursive: true })
  })

  it("knows no names but its own", async () => {
    const name = "../../etc/passwd" as SecretName
    await assert.rejects(fileSecrets(dataDir).get(name), TypeError)
    await assert.rejects(fileSecrets(dataDir).set(name, "value"), TypeError)
  })
})

function isFolderProblem(error: unknown): boolean {
  return error instanceof Problem && error.code === "DATA_FOLDER"
}
