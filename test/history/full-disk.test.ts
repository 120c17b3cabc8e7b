/** The disk is full under load: 503 in time, good again by itself, and nothing acknowledged is lost. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { open, rm } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { logIn } from "../../src/db/connection.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { SUPERUSER } from "../../src/db/embedded/initialise.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import { fastFolder } from "../fast-folder.ts"
import type { Program } from "../program.ts"
import { startProgram } from "../program.ts"
import type { Charged } from "./charges.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, watch } from "./watch.ts"

/** A small disk can be mounted by anybody in a namespace of their own, where those are allowed. */
const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
const tried = spawnSync("unshare", [...NAMESPACE.slice(1), "mount", "-t", "tmpfs", "disk", "/mnt"])
const skip = tried.status !== 0 && `NO DISK WAS TESTED: a namespace cannot be had: ${tried.stderr}`
const DISK = 'mount -t tmpfs -o size=192m,mode=700 disk "$0" && exec "$@"'
const FULL_MS = 5_000

describe("a disk that is full", { skip }, () => {
  let dataDir: string
  let program: Program
  /** The same folder, as the program sees it. */
  let inside: string
  before(async () => {
    dataDir = fastFolder("zt-full-")
    program = await startProgram({
      dataDir,
      prefix: [...NAMESPACE, "sh", "-c", DISK, dataDir],
      environment: { ZT_RESOLVERS: "127.0.0.1:9", ZT_LOG_LEVEL: "silent" },
    })
    inside = `/proc/${program.pid}/root${dataDir}`
  })
  after(async () => {
    await program?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const superuser = async () => {
    const password = (await fileSecrets(inside).get("superuser-password")) ?? ""
    const address = { socketFolder: folderOf(inside).run, database: EMBEDDED_DATABASE }
    return logIn(address, { user: SUPERUSER, password })
  }

  it("answers 503 while it is, and serves again when there is room", async () => {
    const cluster = { size: 1, instance: () => program, superuser }
    const client = await superuser()
    const { rows } = await client.query<{ id: string }>("select id from platform.tenant")
    await client.end()
    const askers: Asker[] = [{ tenantId: rows[0]?.id ?? "", key: program.keys?.live ?? "" }]
    const answers: Charged[] = []
    const watched = await watch(cluster, askers, answers, async () => {
      const filler = join(inside, "filler")
      await fill(filler)
      await sleep(FULL_MS)
      await rm(filler)
    })
    assertKept(watched)
    assert.ok(
      watched.seen.some(({ answer }) => answer.status === 503),
      "it is felt",
    )
    await assertSettled(cluster, askers, answers)
  })
})

async function fill(path: string): Promise<void> {
  await using file = await open(path, "w")
  await assert.rejects(async () => {
    for (;;) await file.write(Buffer.alloc(65_536))
  }, /ENOSPC/)
}
