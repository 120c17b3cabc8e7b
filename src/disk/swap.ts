/**
 * Would memory that is swapped out lie encrypted? The program's memory holds keys and what
 * customers asked.
 */
import { blockByPath } from "./block.ts"
import { folderSight } from "./folder.ts"
import type { Machine } from "./machine.ts"
import type { Sight } from "./sight.ts"
import { found, unknown, weakest } from "./sight.ts"

/** @returns Undefined where nothing is swapped to a disk. */
export async function swapSight(machine: Machine): Promise<Sight | undefined> {
  if (machine.platform === "darwin") {
    const usage = await machine.run("sysctl", "-n", "vm.swapusage")
    return usage?.includes("(encrypted)")
      ? found("macOS")
      : unknown("'sysctl vm.swapusage' does not say")
  }
  const table = await machine.text("/proc/swaps")
  if (table === undefined) return unknown("/proc/swaps cannot be read")
  const sights = await Promise.all(
    table
      .split("\n")
      .slice(1)
      .map((line) => line.split(/\s+/))
      .map(([path = "", type]) => areaSight(machine, path, type)),
  )
  const areas = sights.filter((sight) => sight !== undefined)
  return areas.length === 0 ? undefined : weakest(areas)
}

async function areaSight(
  machine: Machine,
  path: string,
  type: string | undefined,
): Promise<Sight | undefined> {
  if (type === "file") return folderSight(machine, path)
  if (type !== "partition") return undefined
  const zram = /^\/dev\/(zram\d+)$/.exec(path)?.[1]
  if (zram === undefined) return blockByPath(machine, path)
  const behind = (await machine.text(`/sys/block/${zram}/backing_dev`))?.trim() ?? "none"
  return behind === "none" ? undefined : blockByPath(machine, behind)
}
