/** The processes of an embedded PostgreSQL: stopped, woken and killed together, as its machine would be. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"

/** @returns The postmaster of a data folder. */
export function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, "postgres/data/postmaster.pid"), "utf8").split("\n")[0])
}

/** Sends all of them a signal, the postmaster first, so that it starts none in between. */
export function signalServer(dataDir: string, signal: NodeJS.Signals): void {
  const folder = join(dataDir, "postgres/data")
  const postmaster = postmasterOf(dataDir)
  send(postmaster, signal)
  for (const name of readdirSync("/proc")) {
    const pid = Number(name)
    if (pid > 0 && pid !== postmaster && cwdOf(pid) === folder) send(pid, signal)
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {} // it ended meanwhile
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ""
  }
}
