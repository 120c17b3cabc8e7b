import assert from "node:assert/strict"
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import type { TestContext } from "node:test"
import { after, before, beforeEach, describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import type { CertificatePair } from "./certificates.ts"
import { certificateFiles } from "./certificates.ts"
import { makeAuthority } from "./x509.ts"

describe("Certificate files", () => {
  let folder: string
  let first: CertificatePair
  let second: CertificatePair
  const files = () => ({ certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") })

  before(async () => {
    const make = async () => {
      const { certificate, key } = await makeAuthority("a.example", new Date())
      return { cert: certificate, key }
    }
    first = await make()
    second = await make()
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-certificates-"))
    await put(first)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function put({ cert, key }: Partial<CertificatePair>): Promise<void> {
    const { certFile, keyFile } = files()
    if (cert !== undefined) await writeFile(certFile, cert)
    if (key !== undefined) await writeFile(keyFile, key)
  }

  /** @param pollMs - Long, so that the system has to tell; or short, for where it does not. */
  function open(t: TestContext, pollMs: number) {
    const warnings: string[] = []
    const told: CertificatePair[] = []
    let wake = () => {}
    const source = certificateFiles({
      ...files(),
      pollMs,
      warn: (message) => {
        warnings.push(message)
        wake()
      },
    })
    source.onChange((pair) => {
      told.push(pair)
      wake()
    })
    t.after(async () => {
      source.close()
      await rm(folder, { recursive: true, force: true })
    })
    /** Waits until so much was told; two files are not written at once. */
    const until = async (list: readonly unknown[]) => {
      while (list.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    return { source, warnings, told, until }
  }

  const LONG = 3_600_000
  const SHORT = 20

  it("give the pair they hold", (t) => {
    assert.deepEqual(open(t, LONG).source.current(), first)
  })

  it("are read again when they change", async (t) => {
    const { source, told, until } = open(t, LONG)
    await put(second)
    await until(told)
    assert.deepEqual(told, [second])
    assert.deepEqual(source.current(), second)
  })

  it("are read again where the system tells of no change", async (t) => {
    // What happens behind a link is nothing that happens in the watched folder.
    const elsewhere = await mkdtemp(join(tmpdir(), "zt-certificates-"))
    t.after(() => rm(elsewhere, { recursive: true }))
    for (const file of Object.values(files())) {
      const target = join(elsewhere, basename(file))
      await rename(file, target)
      await symlink(target, file)
    }
    const { source, told, until } = open(t, SHORT)
    await put(second)
    await until(told)
    assert.deepEqual(source.current(), second)
  })

  it("are read again when replaced by rename", async (t) => {
    const { source, told, until } = open(t, LONG)
    const { certFile, keyFile } = files()
    await writeFile(`${certFile}.new`, second.cert)
    await writeFile(`${keyFile}.new`, second.key)
    await rename(`${certFile}.new`, certFile)
    await rename(`${keyFile}.new`, keyFile)
    await until(told)
    assert.deepEqual(source.current(), second)
  })

  it("are read again when a symbolic link moves, as in Kubernetes' volumes", async (t) => {
    for (const [name, pair] of [
      ["1", first],
      ["2", second],
    ] as const) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, "cert.pem"), pair.cert)
      await writeFile(join(folder, name, "key.pem"), pair.key)
    }
    await symlink("1", join(folder, "data"))
    await rm(files().certFile)
    await rm(files().keyFile)
    await symlink("data/cert.pem", files().certFile)
    await symlink("data/key.pem", files().keyFile)
    const { source, told, until } = open(t, LONG)
    await symlink("2", join(folder, "data.new"))
    await rename(join(folder, "data.new"), join(folder, "data"))
    await until(told)
    assert.deepEqual(source.current(), second)
  })

  for (const [because, change] of [
    ["half of a certificate", () => ({ cert: second.cert.slice(0, 300) })],
    ["a certificate without its key", () => ({ cert: second.cert })],
    ["a key without its certificate", () => ({ key: second.key })],
    ["an empty file", () => ({ key: "" })],
  ] as const) {
    it(`keep the old pair, and warn once, on ${because}`, async (t) => {
      const { source, warnings, told, until } = open(t, SHORT)
      await put(change())
      await until(warnings)
      await new Promise((resolve) => setTimeout(resolve, 3 * SHORT))
      assert.deepEqual(source.current(), first)
      assert.deepEqual(told, [])
      await put(second)
      await until(told)
      assert.deepEqual(source.current(), second)
      assert.equal(warnings.length, 1)
      assert.doesNotMatch(warnings.join(), /PRIVATE KEY/)
    })
  }

  for (const [because, change] of [
    ["is missing", async () => rm(files().keyFile)],
    ["does not fit", async () => put({ key: second.key })],
    ["is none", async () => put({ cert: "hello" })],
  ] as const) {
    it(`stop the start by name when one ${because}`, async () => {
      await change()
      assert.throws(
        () => certificateFiles({ ...files(), warn: () => {} }),
        (problem: unknown) => {
          assert.ok(problem instanceof Problem)
          assert.equal(problem.code, "INVALID_SETTING")
          assert.match(problem.message, /^ZT_TLS_CERT_FILE and ZT_TLS_KEY_FILE: .*key\.pem/)
          return true
        },
      )
      await rm(folder, { recursive: true })
    })
  }
})
