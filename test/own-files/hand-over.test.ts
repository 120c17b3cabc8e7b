/**
 * S1: bin/zygentrust hands secrets of the environment over by a pipe, whatever shell runs it. Some make
 * a temporary file of a here document: bash before 5.1, which is macOS's sh, and later ones in its manner.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { PROGRAM } from "../program.ts"

const SECRET = `a "quoted" \`canary\` $HOME \\n 'passphrase'`
/** In Node's place: says who it is, what descriptor 3 is, and what comes through. */
const STAND_IN = `#!/bin/sh
echo "$$"
[ -p /dev/fd/3 ] && echo pipe
cat <&3
`

describe("secrets of the environment", () => {
  let root = ""
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "zt-hand-over-"))
    for (const folder of ["bin", "tmp"]) await mkdir(join(root, folder))
    await copyFile(PROGRAM, join(root, "bin/zygentrust"))
    await writeFile(join(root, "bin/node"), STAND_IN)
    await chmod(join(root, "bin/node"), 0o755)
  })
  after(() => rm(root, { recursive: true }))

  for (const [shell, more] of [
    ["sh", {}],
    ["bash", {}],
    ["bash", { BASH_COMPAT: "5.0" }],
  ] as const) {
    it(`go through a pipe under ${shell} ${JSON.stringify(more)}, and nothing is left`, async () => {
      const child = spawn(shell, [join(root, "bin/zygentrust"), "start"], {
        env: {
          PATH: process.env["PATH"],
          TMPDIR: join(root, "tmp"),
          ZT_PASSPHRASE: SECRET,
          ...more,
        },
        stdio: ["ignore", "pipe", "inherit"],
      })
      let said = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text
      })
      await once(child, "close")
      const [pid, what, ...lines] = said.split("\n")
      assert.equal(pid, String(child.pid), "Node is in the shell's place")
      assert.equal(what, "pipe")
      assert.ok(lines.includes(`ZT_PASSPHRASE=${SECRET}`))
      assert.deepEqual(await readdir(join(root, "tmp")), [])
    })
  }
})
