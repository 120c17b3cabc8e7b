/** A database with a standby, and instances that know of both. */
import { setTimeout as sleep } from "node:timers/promises"
import { checkStandby } from "../../src/cli/doctor-database.ts"
import { readConfig } from "../../src/config.ts"
import { findBinaries, platformPackage } from "../../src/db/embedded/binaries.ts"
import { folderOf } from "../../src/db/embedded/folder.ts"
import { findPostmaster, startPostmaster } from "../../src/db/embedded/postmaster.ts"
import { Cluster } from "./cluster.ts"
import { Gate } from "./gate.ts"
import { signalServer } from "./server-processes.ts"
import { Standby } from "./standby.ts"

/** Nobody promotes at once. */
const UNNOTICED_MS = 1_500

export class Pair {
  readonly cluster: Cluster
  readonly standby: Standby
  readonly #url: string
  readonly #gates: readonly Gate[]

  private constructor(cluster: Cluster, standby: Standby, url: string, gates: readonly Gate[]) {
    this.cluster = cluster
    this.standby = standby
    this.#url = url
    this.#gates = gates
  }

  static async open(size: number): Promise<Pair> {
    let rest: [Standby, string, Gate[]] | undefined
    const cluster = await Cluster.open({
      size,
      async databaseUrl(site) {
        const standby = await Standby.of(site)
        const folders = [site.socketFolder, standby.socketFolder]
        const gates = await Promise.all(folders.map((folder) => Gate.open(folder)))
        const hosts = gates.map(({ url }) => new URL(url).host)
        const url = `postgresql://${hosts}/zygentrust?sslmode=disable&target_session_attrs=read-write`
        rest = [standby, url, gates]
        return url
      },
    })
    if (rest === undefined) throw new Error("no standby")
    return new Pair(cluster, ...rest)
  }

  /**
   * The primary's machine is gone, or hears and says nothing any more.
   * @returns When the standby took writes.
   */
  async failOver(
    signal: "SIGKILL" | "SIGSTOP" = "SIGKILL",
    unnoticedMs = UNNOTICED_MS,
  ): Promise<number> {
    signalServer(this.cluster.dataDir, signal)
    await sleep(unnoticedMs)
    const promoted = await this.standby.promote()
    this.cluster.movedTo(this.standby.socketFolder)
    return promoted
  }

  /** @returns What health and doctor say of the standby. */
  async told(): Promise<{ health: string; doctor: string; advice: string | undefined }> {
    await sleep(1_100) // health is asked anew
    const { json } = (await this.cluster.instance(0)?.ask("/v1/health")) ?? {}
    const config = readConfig({ ZT_DATA_DIR: this.cluster.dataDir, ZT_DATABASE_URL: this.#url })
    const [diagnosis] = await checkStandby(config)
    return {
      health: json?.components.database.message ?? "",
      doctor: diagnosis?.message ?? "",
      advice: diagnosis?.advice,
    }
  }

  async close(): Promise<void> {
    await this.standby.close()
    // A killed server leaves shared memory, which its next start gives back.
    const folder = folderOf(this.cluster.dataDir)
    if ((await findPostmaster(folder)) === undefined) {
      await startPostmaster(folder, await findBinaries(platformPackage()))
    }
    for (const gate of this.#gates) await gate.close()
    await this.cluster.close()
  }
}
