import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { readConfig } from "../config.ts"
import type { Server } from "../db/server.ts"
import { openServer } from "../db/server.ts"
import { checkPrivilegesOf, diagnose } from "./doctor-privileges.ts"
import { openSecrets } from "./open-secrets.ts"

describe("looking at privileges", () => {
  let folder: string
  let server: Server
  const config = () => readConfig({ ZT_DATA_DIR: folder })
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-doctor-"))
    server = await openServer(config(), openSecrets(config()))
  })
  after(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })

  it("of an embedded database that runs: as documented", async () => {
    const [diagnosis] = await checkPrivilegesOf(config())
    assert.equal(diagnosis?.status, "ok", String(diagnosis?.message))
    assert.match(diagnosis?.message ?? "", /docs\/privileges\.md/)
  })

  it("of one that does not run: not looked at", async () => {
    const [diagnosis] = await checkPrivilegesOf(readConfig({ ZT_DATA_DIR: join(folder, "none") }))
    assert.match(diagnosis?.message ?? "", /not looked at/)
  })

  const findings = (count: number, isWeakness: boolean) =>
    Array.from({ length: count }, (_, i) => ({ subject: `s${i}`, message: "is", isWeakness }))
  for (const [breaches, weaknesses, statuses, because] of [
    [0, 0, ["ok"], "all is well"],
    [1, 0, ["fail"], "a breach"],
    [0, 2, ["warn", "warn"], "what only a superuser can take from PUBLIC"],
    [7, 1, ["fail", "fail", "fail", "fail", "fail", "fail", "warn"], "many breaches are counted"],
  ] as const) {
    it(`${because}: ${statuses.join(", ")}`, () => {
      const all = [...findings(weaknesses, true), ...findings(breaches, false)]
      assert.deepEqual(
        diagnose(all).map(({ status }) => status),
        statuses,
      )
    })
  }
})
