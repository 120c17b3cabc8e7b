/**
 * The clock of a cluster's database, set by libfaketime: all that PostgreSQL asks for the time is answered
 * by it. Waiting is as it was (the monotonic clock is not touched).
 */
import { execFile } from "node:child_process"
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { findBinaries, platformPackage } from "../../src/db/embedded/binaries.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { startPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts"
import type { Cluster } from "./cluster.ts"

/** @returns False, or why not, which is also said on standard error. */
export async function faketimeIsMissing(): Promise<string | false> {
  try {
    await preload()
    return false
  } catch {
    const why =
      "faketime is not installed, so the test with a server's clock is MISSING (Debian: apt install faketime)"
    console.error(why)
    return why
  }
}

async function preload(): Promise<string> {
  const { stdout } = await promisify(execFile)("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"])
  return stdout.trim()
}

export class ServerClock {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts the database of a cluster again, with a clock that can be set. */
  static async of(cluster: Cluster): Promise<ServerClock> {
    const clock = new ServerClock(mkdtempSync(join(tmpdir(), "zt-clock-")))
    clock.set(0)
    const binaries = await findBinaries(platformPackage())
    const folder = folderOf(cluster.dataDir)
    await stopPostmaster(folder)
    await startPostmaster(folder, { ...binaries, postgres: await clock.#wrap(binaries.postgres) })
    return clock
  }

  /** @param aheadMs - Of the machine's clock; negative: behind. */
  set(aheadMs: number): void {
    const next = `${this.#file}.next`
    writeFileSync(next, `${aheadMs < 0 ? "" : "+"}${aheadMs / 1_000}\n`)
    renameSync(next, this.#file) // it is read at every moment, and an empty one would be a jump too
  }

  close(): void {
    rmSync(this.#folder, { recursive: true })
  }

  get #file(): string {
    return join(this.#folder, "ahead")
  }

  async #wrap(postgres: string): Promise<string> {
    const wrapper = join(this.#folder, "postgres")
    const script = `#!/bin/sh
export LD_PRELOAD='${await preload()}' FAKETIME_TIMESTAMP_FILE='${this.#file}'
export FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
exec '${postgres}' "$@"
`
    writeFileSync(wrapper, script, { mode: 0o700 })
    return wrapper
  }
}
