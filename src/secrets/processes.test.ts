/** The store under several programs at once, and under SIGKILL. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { afterEach, beforeEach, describe, it } from "node:test"
import { fileSecrets } from "./files.ts"

const PROGRAMS = 4
const CHANGES = 3
const KILLS = 6

/** Makes one secret as itself, then adds generations of another; says what it got. */
const PROGRAM = `
  const { fileSecrets } = await import(${JSON.stringify(join(import.meta.dirname, "files.ts"))})
  const [dataDir, self, changes] = process.argv.slice(1)
  const store = fileSecrets(dataDir)
  const made = await store.getOrCreate("verdict-key", () => self)
  const numbers = []
  for (let n = 0; n < Number(changes); n++) {
    numbers.push(await store.rotate("root-key", self + n))
    process.stderr.write(".")
  }
  process.stdout.write(JSON.stringify({ made, numbers, identity: await store.identity() }))
`

describe("the secret store of several programs", () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-secrets-"))
  })
  afterEach(() => rm(dataDir, { recursive: true }))
  const start = (self: string, changes: number) =>
    spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, dataDir, self, `${changes}`])

  it("makes each secret and the identity once, and loses no change", async () => {
    const said = await Promise.all(
      Array.from({ length: PROGRAMS }, async (_, n) => {
        const child = start(`program ${n}`, CHANGES)
        child.stderr.resume()
        return JSON.parse(await text(child.stdout))
      }),
    )
    assert.equal(new Set(said.map(({ made }) => made)).size, 1)
    assert.equal(new Set(said.map(({ identity }) => identity)).size, 1)
    const all = Array.from({ length: PROGRAMS * CHANGES }, (_, n) => n + 1)
    assert.deepEqual(
      said.flatMap(({ numbers }) => numbers).sort((a, b) => a - b),
      all,
    )
    const kept = await fileSecrets(dataDir).generations("root-key")
    assert.deepEqual(
      kept.map(({ number }) => number),
      all.reverse(),
    )
  })

  it(`is whole after SIGKILL, ${KILLS} times, and has all that was acknowledged`, async () => {
    let acknowledged = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start(`victim ${kill}`, 1_000)
      child.stdout.resume()
      const enough = 1 + kill
      let dots = 0
      child.stderr.on("data", (part: Buffer) => {
        dots += part.length
        if (dots >= enough) child.kill("SIGKILL")
      })
      await once(child, "close")
      acknowledged += dots
      const kept = await fileSecrets(dataDir).generations("root-key")
      assert.ok(kept.length >= acknowledged, `${kept.length} of ${acknowledged}`)
      acknowledged = kept.length
    }
    await fileSecrets(dataDir).set("root-key", "after")
    const left = ["identity.txt", "secrets.age", "secrets.lock"]
    assert.deepEqual((await readdir(dataDir)).sort(), left, "what a victim left is gone")
  })
})
