/** R1: the program's own files (secrets.age, authority.pem, leaf.pem) on disks that fill up, and torn. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Problem } from "../../src/core/problem.ts"
import { openAuthority } from "../../src/edge/authority.ts"
import { fileSecrets } from "../../src/secrets/files.ts"

const PROGRAM = join(import.meta.dirname, "program.ts")
/** A small disk can be mounted by anybody in a namespace of their own, where those are allowed. */
const NAMESPACE = ["--user", "--map-root-user", "--mount"]
const tried = spawnSync("unshare", [...NAMESPACE, "mount", "-t", "tmpfs", "disk", "/mnt"])
const skip = tried.status !== 0 && `NO DISK WAS TESTED: a namespace cannot be had: ${tried.stderr}`

describe("a disk that does not serve, and a database elsewhere", { skip }, () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-own-"))
  })
  after(() => rmSync(dataDir, { recursive: true }))

  /** @param script - Of sh, where `open HOST` runs the program. @returns What those said. */
  function onDisk(
    script: string,
  ): { problem?: string; message?: string; before?: string | null }[] {
    const all = `mount -t tmpfs -o size=256k,mode=700 disk "$0"
      node=$1 program=$2
      open() { "$node" "$program" "$0" "$1"; }
      fill() { dd if=/dev/zero of="$0/filler" bs=1k 2>&-; true; }
      ${script}`
    const args = [...NAMESPACE, "sh", "-c", all, dataDir, process.execPath, PROGRAM]
    const { stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" })
    assert.equal(stderr, "")
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  }

  for (const [what, script, message] of [
    ["full", "fill; open a.example", /The disk is full: free some space/],
    ["read-only", 'mount -o remount,bind,ro "$0"; open a.example', /read-only: mount it writable/],
  ] as const) {
    it(`${what} at the first start is refused, and says what to do`, () => {
      const [said] = onDisk(script)
      assert.equal(said?.problem, "DATA_FOLDER")
      assert.match(said?.message ?? "", message)
    })
  }

  for (const [what, stop, go, message] of [
    ["full", "fill", 'rm "$0/filler"', /The disk is full/],
    ["read-only", 'mount -o remount,bind,ro "$0"', 'mount -o remount,bind,rw "$0"', /read-only/],
  ] as const) {
    it(`${what} later: a change is refused, what was kept is kept, and all goes on afterwards`, () => {
      const [first, refused, afterwards] = onDisk(
        `open a.example; ${stop}; open b.example; ${go}; open b.example`,
      )
      assert.equal(first?.before, null)
      assert.equal(refused?.problem, "DATA_FOLDER")
      assert.match(refused?.message ?? "", message)
      assert.equal(afterwards?.before, "a.example")
    })
  }
})

describe("own files that are torn", () => {
  let dataDir: string
  const at = (name: string) => join(dataDir, name)
  const open = async () => {
    const secrets = fileSecrets(dataDir)
    const authority = await openAuthority({ dataDir, host: "a.example", secrets, warn: () => {} })
    authority.close()
    return authority.current().cert
  }
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-torn-"))
    await open()
  })
  after(() => rmSync(dataDir, { recursive: true }))

  for (const file of ["leaf.pem", "authority.pem"]) {
    for (const part of [0, 0.3, 0.99]) {
      it(`${file}, cut at ${part}: written anew, by the same authority`, async () => {
        const authority = readFileSync(at("authority.pem"), "utf8")
        truncateSync(at(file), Math.floor(readFileSync(at(file)).length * part))
        assert.match(await open(), /-----END CERTIFICATE-----\n$/)
        assert.equal(readFileSync(at("authority.pem"), "utf8"), authority)
        assert.match(readFileSync(at("leaf.pem"), "utf8"), /-----END CERTIFICATE-----\n$/)
      })
    }
  }

  for (const [what, tear] of [
    ["empty", (bytes: Buffer) => bytes.subarray(0, 0)],
    ["cut in its head", (bytes: Buffer) => bytes.subarray(0, 40)],
    ["cut in its middle", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ["without its last byte", (bytes: Buffer) => bytes.subarray(0, -1)],
    [
      "with zeroes for its second half",
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, bytes.length >> 1), Buffer.alloc(bytes.length >> 1)]),
    ],
  ] as const) {
    it(`secrets.age, ${what}: refused by its name, and left as it is`, async () => {
      const whole = readFileSync(at("secrets.age"))
      const torn = tear(whole)
      writeFileSync(at("secrets.age"), torn)
      try {
        await assert.rejects(open(), (error) => {
          assert.ok(error instanceof Problem && error.code === "DATA_FOLDER", String(error))
          assert.match(error.message, /secrets\.age/)
          return true
        })
        assert.deepEqual(readFileSync(at("secrets.age")), torn)
      } finally {
        writeFileSync(at("secrets.age"), whole)
      }
    })
  }
})
