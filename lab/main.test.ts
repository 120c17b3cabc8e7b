import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { CHARACTERS } from "./characters/all.ts"

/** Starts `lab/main.ts` and waits for what it prints first. */
async function startMain(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  let printed = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text
  })
  while (!printed.endsWith("\n")) await once(child.stdout, "data")
  return { child, printed }
}

describe("the lab on its own", () => {
  it("prints one line of JSON, and ends by itself when standard input does", async () => {
    const { child, printed } = await startMain("--json", "--until-stdin-closes")
    const { settings, characters } = JSON.parse(printed)
    assert.equal(characters.length, CHARACTERS.length)
    assert.equal(characters[0].domain, CHARACTERS[0]?.domain)
    assert.deepEqual(characters[0].expect, CHARACTERS[0]?.expect)
    assert.ok(existsSync(settings.ZT_CA_FILE))
    child.stdin.end()
    const [code] = await once(child, "exit")
    assert.equal(code, 0)
    assert.ok(!existsSync(settings.ZT_CA_FILE))
  })

  it("prints a table and settings to paste, and ends cleanly on Ctrl-C", async () => {
    const { child, printed } = await startMain()
    for (const { domain } of CHARACTERS) assert.ok(printed.includes(domain), domain)
    const caFile = /^export ZT_CA_FILE='(.*)'$/m.exec(printed)?.[1] ?? ""
    assert.ok(existsSync(caFile))
    child.kill("SIGINT")
    const [code] = await once(child, "exit")
    assert.equal(code, 0)
    assert.ok(!existsSync(caFile))
  })
})
