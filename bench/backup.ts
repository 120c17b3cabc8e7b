/**
 * How fast a backup is, against `pg_dump | age` on the same data (PostgreSQL 15, whose pg_dump Debian
 * has), and what memory it takes; and how fast it comes back.
 *
 * `bin/node bench/backup.ts [--rows 500000] [--rounds 3]`. Needs Debian's postgresql-client and age. The
 * peer reads as superuser, so without row security; ours reads as zt_backup, counts, and syncs.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { makeBackup } from "../src/backup/make.ts"
import { readBackup } from "../src/backup/reader.ts"
import { credentials } from "../src/db/connection.ts"
import { openAdminDatabase } from "../src/db/pool.ts"
import { addRows, backingOf, backUp, fill } from "../test/backup.ts"
import type { TestDatabase } from "../test/postgres.ts"
import { asSuperuser, cloneDatabase, closeServers, sharedServer } from "../test/postgres-servers.ts"
import { median } from "./load.ts"
import { interrupted, opened, tidily } from "./tidy.ts"

const LIMIT = 0.7
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "500000" },
    rounds: { type: "string", default: "3" },
  },
})

await tidily(async (stack) => {
  const db = await openDatabase(stack)
  console.error(`filling in ${values.rows} rows`)
  await fill(db, 0)
  const small = await backUp(db)
  const { folder, identity, recipient, deployment } = small
  stack.defer(() => rm(folder, { recursive: true }))
  await db.asSuperuser(async (client) => {
    await addRows(client, Number(values.rows))
    await client.query("vacuum analyze")
  })
  const backing = await backingOf(db, small)
  const path = join(folder, "big.age")
  const back = () => makeBackup({ backing, file: path, signal: interrupted })
  const ours = async () => {
    await back()
    return { bytes: (await stat(path)).size, remove: () => rm(path) }
  }
  const peerPath = join(folder, "peer.age")
  const peer = async () => {
    await peerDump(db, recipient, peerPath)
    return { bytes: (await stat(peerPath)).size, remove: () => rm(peerPath) }
  }
  const ratios: number[] = []
  let peak = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    const theirs = await timed(peer)
    const before = process.memoryUsage().rss
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before)
    }, 20)
    const mine = await timed(ours)
    clearInterval(timer)
    ratios.push(theirs.ms / mine.ms)
    console.log(
      `pg_dump | age ${say(theirs)}, backup ${say(mine)}: ${(theirs.ms / mine.ms).toFixed(2)}`,
    )
  }
  console.log(`speed         ${median(ratios).toFixed(2)} of pg_dump | age (at least ${LIMIT})`)
  console.log(`memory        ${(peak / 1_048_576).toFixed(0)} MiB more than before, at most`)
  await back()
  const began = performance.now()
  const { rows } = await readBackup({ path, kind: "backup", identity, deployment })
  const seconds = (performance.now() - began) / 1_000
  const { size } = await stat(path)
  console.log(`verifying     ${(size / 1e6 / seconds).toFixed(0)} MB/s, ${rows} rows`)
  process.exitCode = median(ratios) < LIMIT ? 1 : 0
})

type BenchDatabase = Pick<TestDatabase, "admin" | "secrets" | "url" | "asSuperuser"> & {
  readonly peer: Readonly<Record<"PGHOST" | "PGDATABASE" | "PGUSER" | "PGPASSWORD", string>>
}

/** On a server of its own that does not sync, as PostgreSQL 15's pg_dump is the one that Debian has. */
async function openDatabase(stack: AsyncDisposableStack): Promise<BenchDatabase> {
  const { server, secrets } = await opened(stack, () => sharedServer(15), closeServers)
  const name = await cloneDatabase(server)
  const address = server.address(name)
  if (!("socketFolder" in address)) throw new Error("not on a socket")
  const admin = openAdminDatabase({
    address,
    credentials: await credentials(secrets, "zt_admin"),
    onUnreachable: () => {},
  })
  stack.defer(() => admin.close())
  return {
    admin,
    secrets,
    url: `postgresql:///${name}?host=${address.socketFolder}`,
    asSuperuser: (work) => asSuperuser(server, name, work),
    peer: {
      PGHOST: address.socketFolder,
      PGDATABASE: name,
      PGUSER: server.superuser.user,
      PGPASSWORD: server.superuser.password,
    },
  }
}

interface Timed {
  readonly ms: number
  readonly bytes: number
}

async function timed(
  work: () => Promise<{ bytes: number; remove: () => Promise<void> }>,
): Promise<Timed> {
  const began = performance.now()
  const { bytes, remove } = await work()
  const ms = performance.now() - began
  await remove()
  return { ms, bytes }
}

function say({ ms, bytes }: Timed): string {
  return `${(ms / 1000).toFixed(1)} s (${(bytes / 1e6).toFixed(0)} MB)`
}

async function peerDump({ peer }: BenchDatabase, recipient: string, path: string): Promise<void> {
  const child = spawn("bash", ["-c", `set -o pipefail; pg_dump | age -r ${recipient} -o ${path}`], {
    env: { PATH: process.env["PATH"], ...peer },
    stdio: ["ignore", "inherit", "inherit"],
  })
  const [code] = await once(child, "exit")
  if (code !== 0) throw new Error(`pg_dump | age ended with ${code}`)
}
