/** The store by age's own program: each opens what the other wrote. */
import assert from "node:assert/strict"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { age, ageIsMissing, ageOnTerminal } from "../../test/age-cli.ts"
import { openedSecrets } from "../../test/secrets.ts"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "./files.ts"

const NAME = "zt_runtime-password"
const PASSPHRASE = "correct horse battery staple"

describe("age", { skip: await ageIsMissing() }, () => {
  let dataDir: string
  const at = (name: string) => join(dataDir, name)
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-age-"))
    await fileSecrets(dataDir).set(NAME, "value")
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  it("opens secrets.age with identity.txt", async () => {
    const text = await age("-d", "-i", at("identity.txt"), at("secrets.age"))
    assert.equal(text, await openedSecrets(dataDir))
    assert.equal(JSON.parse(text).secrets[NAME][0].value, "value")
  })

  it("writes a secrets.age that opens here, once it is ours alone", async () => {
    await writeFile(at("plain"), await openedSecrets(dataDir))
    const recipient = await fileSecrets(dataDir).recipient()
    await rm(at("secrets.age"))
    await age("-r", recipient, "-o", at("secrets.age"), at("plain"))
    await chmod(at("secrets.age"), 0o644)
    await assert.rejects(fileSecrets(dataDir).get(NAME), Problem)
    await chmod(at("secrets.age"), 0o600)
    assert.equal(await fileSecrets(dataDir).get(NAME), "value")
  })

  it("encrypts identities under a passphrase that open here", async () => {
    await ageOnTerminal(
      ["-p", "-o", at("identity.age"), at("identity.txt")],
      [PASSPHRASE, PASSPHRASE],
    )
    await chmod(at("identity.age"), 0o600)
    await rm(at("identity.txt"))
    const source = { identityFile: at("identity.age"), passphrase: async () => PASSPHRASE }
    assert.equal(await fileSecrets(dataDir, source).get(NAME), "value")
  })

  it("moves the store to another identity, as docs/secrets.md says", async () => {
    const other = join(dataDir, "other")
    const recipient = await fileSecrets(other).recipient()
    const text = await age("-d", "-i", at("identity.txt"), at("secrets.age"))
    await writeFile(at("plain"), text)
    await age("-r", recipient, "-o", at("secrets.age"), at("plain"))
    await chmod(at("secrets.age"), 0o600)
    const source = { identityFile: join(other, "identity.txt") }
    assert.equal(await fileSecrets(dataDir, source).get(NAME), "value")
  })
})
