/**
 * Machines as /proc and /sys show them, for tests of what is encrypted: disks, partitions, device
 * mappers, arrays, mounts and the programs that are asked.
 */
import type { Machine } from "../src/disk/machine.ts"

export interface Parts {
  readonly platform?: string
  /** `major:minor mount-point type source`, `\040` for a space. */
  readonly mounts?: readonly string[]
  readonly devices?: readonly Device[]
  /** Contents by path. */
  readonly files?: Readonly<Record<string, string>>
  /** Targets by path. */
  readonly links?: Readonly<Record<string, string>>
  /** What a program prints, by its command line. */
  readonly programs?: Readonly<Record<string, string>>
}

/** A block device: its kernel name, number, place in /sys, and files and devices below it. */
export interface Device {
  readonly name: string
  readonly number: string
  readonly path: string
  readonly files?: Readonly<Record<string, string>>
  readonly slaves?: readonly Device[]
}

const SATA = "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"

/** @param at - The folder of its controller. */
export function disk(name: string, number: string, at = SATA): Device {
  return { name, number, path: `${at}/${name}`, files: { size: "1000215216" } }
}

export function partition(of: Device, name: string, number: string): Device {
  return { name, number, path: `${of.path}/${name}`, files: { partition: "1" } }
}

/** @param uuid - `CRYPT-LUKS2-…`, `LVM-…`. */
export function mapper(name: string, number: string, uuid: string, ...slaves: Device[]): Device {
  return {
    name,
    number,
    path: `/sys/devices/virtual/block/${name}`,
    files: { "dm/uuid": `${uuid}\n` },
    slaves,
  }
}

export function array(name: string, number: string, ...slaves: Device[]): Device {
  return {
    name,
    number,
    path: `/sys/devices/virtual/block/${name}`,
    files: { "md/level": "raid1\n" },
    slaves,
  }
}

export function machine(parts: Parts): Machine {
  const files = new Map(Object.entries(parts.files ?? {}))
  const links = new Map(Object.entries(parts.links ?? {}))
  for (const { name, number, path, files: own = {}, slaves = [] } of parts.devices ?? []) {
    for (const [file, text] of Object.entries(own)) files.set(`${path}/${file}`, text)
    for (const slave of slaves) links.set(`${path}/slaves/${slave.name}`, slave.path)
    links.set(`/sys/dev/block/${number}`, path)
    links.set(`/sys/class/block/${name}`, path)
    files.set(`/dev/${name}`, "")
  }
  const mounts = parts.mounts ?? []
  files.set(
    "/proc/self/mountinfo",
    mounts
      .map((mount, n) => {
        const [device, point, type, source] = mount.split(" ")
        return `${30 + n} 1 ${device} / ${point} rw,relatime shared:1 - ${type} ${source} rw\n`
      })
      .join(""),
  )
  const isThere = (path: string) =>
    files.has(path) || [...files.keys(), ...links.keys()].some((one) => one.startsWith(`${path}/`))
  return {
    platform: parts.platform ?? "linux",
    text: async (path) => files.get(path),
    names: async (folder) => [
      ...new Set(
        [...files.keys(), ...links.keys()]
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split("/", 1)[0] ?? ""),
      ),
    ],
    real: async (path) => links.get(path) ?? (isThere(path) || path === "/" ? path : undefined),
    run: async (program, ...args) => parts.programs?.[[program, ...args].join(" ")],
  }
}
