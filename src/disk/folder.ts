/**
 * Is what lies in a folder encrypted on its disk? By what the system says, never by assumption.
 *
 * Owns: which file systems tell what. Not: block devices (block.ts).
 */
import { basename } from "node:path"
import { blockByNumber, blockByPath } from "./block.ts"
import type { Machine } from "./machine.ts"
import type { Mount } from "./mounts.ts"
import { mountOf, readMounts } from "./mounts.ts"
import type { Sight } from "./sight.ts"
import { absent, found, unknown, weakest } from "./sight.ts"

/** Lie on one block device, which the mount names. */
const ON_ONE_DEVICE = ["ext2", "ext3", "xfs", "jfs", "vfat", "exfat", "ntfs3"]
/** The same, and can encrypt a folder by themselves. */
const WITH_FSCRYPT = ["ext4", "f2fs"]
/** File systems that are nothing but encryption. */
const STACKED = ["ecryptfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.securefs"]

const REASONS: Readonly<Record<string, string>> = {
  tmpfs: "it lies in memory (tmpfs), which swap may write to a disk, and is gone after a restart",
  ramfs: "it lies in memory (ramfs), and is gone after a restart",
  overlay: "it lies in a container's own layer (overlay), whose disk cannot be seen; use a volume",
  nfs: "it lies on another machine (nfs)",
  nfs4: "it lies on another machine (nfs4)",
  cifs: "it lies on another machine (cifs)",
  smb3: "it lies on another machine (smb3)",
  ceph: "it lies on other machines (ceph)",
  "9p": "it lies on the host of this machine (9p)",
  virtiofs: "it lies on the host of this machine (virtiofs)",
}

/** @param path - A folder that is there. */
export async function folderSight(machine: Machine, path: string): Promise<Sight> {
  if (machine.platform === "darwin") return onMac(machine, path)
  if (machine.platform !== "linux") return unknown(`on ${machine.platform}, nothing is looked at`)
  const real = await machine.real(path)
  const mounts = readMounts((await machine.text("/proc/self/mountinfo")) ?? "")
  const mount = real === undefined ? undefined : mountOf(real, mounts)
  if (real === undefined || mount === undefined) return unknown("its mount cannot be seen")
  return onMount(machine, mount, real)
}

async function onMount(machine: Machine, mount: Mount, path: string): Promise<Sight> {
  const { type, device, source } = mount
  if (STACKED.includes(type)) return found(type)
  if (WITH_FSCRYPT.includes(type)) return onFscrypt(machine, mount, path)
  if (ON_ONE_DEVICE.includes(type)) return blockByNumber(machine, device)
  if (type === "btrfs") return onBtrfs(machine, source)
  if (type === "zfs") return onZfs(machine, source)
  return unknown(REASONS[type] ?? `of the file system ${type}, that cannot be told`)
}

/**
 * The folder by itself, or its device. lsattr(1) prints the attributes, then the path; `E` is
 * encrypted (chattr(1)). Without lsattr, nobody can say that it is not.
 */
async function onFscrypt(machine: Machine, { type, device }: Mount, path: string): Promise<Sight> {
  const [listed, below] = await Promise.all([
    machine.run("lsattr", "-d", "--", path),
    blockByNumber(machine, device),
  ])
  if (listed?.split(" ", 1)[0]?.includes("E")) return found(`fscrypt (${type})`)
  return listed === undefined && below.state === "absent"
    ? unknown(`${below.by}, and 'lsattr' (e2fsprogs), which would show fscrypt, cannot be asked`)
    : below
}

/** It has no device number of its own, and may lie on several devices. */
async function onBtrfs(machine: Machine, source: string): Promise<Sight> {
  const one = basename((await machine.real(source)) ?? source)
  for (const uuid of await machine.names("/sys/fs/btrfs")) {
    const devices = await machine.names(`/sys/fs/btrfs/${uuid}/devices`)
    if (!devices.includes(one)) continue
    return weakest(
      await Promise.all(devices.map((device) => blockByPath(machine, `/dev/${device}`))),
    )
  }
  return unknown("the devices of its btrfs cannot be seen from here")
}

/** Its own encryption, or that of every disk of the pool, which is not looked at. */
async function onZfs(machine: Machine, dataset: string): Promise<Sight> {
  const encryption = (
    await machine.run("zfs", "get", "-H", "-o", "value", "encryption", dataset)
  )?.trim()
  if (encryption === undefined) return unknown("'zfs get encryption' cannot be asked")
  return encryption === "off" || encryption === "-"
    ? unknown(`the dataset ${dataset} is not encrypted; whether its pool's disks are is not known`)
    : found(`ZFS (${encryption})`)
}

/** FileVault is of the start-up volume; others are asked about by nothing that needs no rights. */
async function onMac(machine: Machine, path: string): Promise<Sight> {
  const real = await machine.real(path)
  if (real === undefined || real.startsWith("/Volumes/")) {
    return unknown("it lies on another volume than the system's, which FileVault says nothing of")
  }
  const status = await machine.run("fdesetup", "status")
  if (status?.startsWith("FileVault is On") && !/in progress/i.test(status)) {
    return found("FileVault")
  }
  if (status?.startsWith("FileVault is Off")) return absent("FileVault is off")
  return unknown(
    status?.includes("progress") ? "FileVault is not done yet" : "FileVault does not say",
  )
}
