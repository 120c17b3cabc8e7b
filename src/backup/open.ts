/** The running server's part in backups: a schedule where a folder is set, and what health is told. */
import type { Config } from "../config.ts"
import type { Server } from "../db/server.ts"
import type { SecretStore } from "../secrets/store.ts"
import { readBacking } from "./backing.ts"
import type { Task } from "./runs.ts"
import { reasonOf, Schedule } from "./schedule.ts"
import type { Judged } from "./status.ts"
import { judgeBackups, NOT_SET_UP } from "./status.ts"

export interface Backups {
  /** For `/v1/health`; asks nobody. */
  probe(): Promise<Judged>
  start(): void
  /** Cuts off what is under way. */
  close(): Promise<void>
}

/**
 * @param failed - Told of each backup and drill that failed, in words, and of looks for what is due.
 * @throws Problem `BACKUP` where the folder cannot be written.
 */
export async function openBackups(
  config: Config,
  server: Server,
  secrets: SecretStore,
  failed: (task: Task | "look", error: unknown, reason: string) => void,
  now: () => number,
): Promise<Backups> {
  const { backupDir: folder } = config
  if (folder === undefined) {
    return { probe: async () => NOT_SET_UP, start() {}, async close() {} }
  }
  const schedule = await Schedule.open({
    folder,
    config,
    backing: () => readBacking(config, server.address, secrets),
    admin: server.admin(),
    now,
    failed: (task, error) => failed(task ?? "look", error, reasonOf(error)),
  })
  return {
    probe: async () => judgeBackups(schedule.status, schedule.settings, new Date(now())),
    start: () => schedule.start(),
    close: () => schedule.close(),
  }
}
