/** Where data folders of tests that kill and damage lie. */
import { mkdtempSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const MEMORY = "/dev/shm"
const ENOUGH_BYTES = 2 ** 30

/**
 * Makes a folder in memory, where there is enough. SIGKILL takes nothing from the kernel, so a disk
 * would prove no more; but after each, PostgreSQL syncs every file, which takes a busy disk a second.
 */
export function fastFolder(prefix: string): string {
  return mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), prefix))
}

function hasMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize > ENOUGH_BYTES
  } catch {
    return false
  }
}
