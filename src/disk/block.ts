/**
 * Is a block device encrypted by this system: the device itself, or everything below it (LVM,
 * RAID, partitions)? By /sys/block alone, which needs no rights.
 */
import { basename, dirname } from "node:path"
import type { Machine } from "./machine.ts"
import type { Sight } from "./sight.ts"
import { absent, found, unknown, weakest } from "./sight.ts"

/** What cryptsetup calls its kinds in dm/uuid; its VERITY and INTEGRITY encrypt nothing. */
const ENCRYPTS = /^CRYPT-(LUKS1|LUKS2|PLAIN|TCRYPT|LOOPAES|BITLK|FVAULT2)-/

/** Deeper than anybody stacks devices, in case they go in a circle. */
const MAX_DEPTH = 12

/** @param device - `major:minor`, as a mount names it. */
export async function blockByNumber(machine: Machine, device: string): Promise<Sight> {
  return block(machine, `/sys/dev/block/${device}`)
}

/** @param path - Of a device file, such as `/dev/mapper/swap`. */
export async function blockByPath(machine: Machine, path: string): Promise<Sight> {
  const name = basename((await machine.real(path)) ?? path)
  return block(machine, `/sys/class/block/${name}`)
}

async function block(machine: Machine, link: string, depth = 0): Promise<Sight> {
  const path = await machine.real(link)
  if (path === undefined || depth > MAX_DEPTH) {
    return unknown("its device cannot be seen from here")
  }
  const name = basename(path)
  const uuid = await machine.text(`${path}/dm/uuid`)
  const kind = ENCRYPTS.exec(uuid ?? "")?.[1]
  if (kind !== undefined) return found(`dm-crypt (${kind})`)
  const below = await machine.names(`${path}/slaves`)
  if (below.length > 0) {
    return weakest(
      await Promise.all(below.map((slave) => block(machine, `${path}/slaves/${slave}`, depth + 1))),
    )
  }
  if ((await machine.text(`${path}/partition`)) !== undefined) {
    return block(machine, dirname(path), depth + 1)
  }
  return disk(machine, path, name)
}

/** Made by software, or reached over a network (iSCSI, Fibre Channel, Ceph): what lies behind is elsewhere. */
const ELSEWHERE = /\/virtual\/|\/session\d+\/|\/rport-|\/rbd\//
const IN_MEMORY = /\/(zram|ram|pmem)\d+$/
/** Paths of a virtual machine's disks: virtio, Xen, Hyper-V. */
const VIRTUAL = /\/virtio\d+\/|\/vbd-\d+\/|\/vmbus|\/VMBUS/
/** Makers of machines that are none (DMI). */
const VIRTUAL_MAKERS =
  /QEMU|KVM|Amazon EC2|Google Compute|Virtual|VMware|innotek|Xen|Bochs|OpenStack|Parallels|DigitalOcean|Hetzner|Alibaba|UpCloud|Scaleway/

async function disk(machine: Machine, path: string, name: string): Promise<Sight> {
  if (IN_MEMORY.test(path)) return unknown(`${name} is memory, not a disk`)
  if (ELSEWHERE.test(path) && !(await isLocalNvme(machine, path)))
    return unknown(`what lies behind ${name} cannot be seen from here`)
  if (VIRTUAL.test(path) || (await isVirtualMachine(machine))) {
    return unknown(
      `${name} is a virtual machine's disk: nothing in this machine encrypts it, and what its host does cannot be seen`,
    )
  }
  return absent(`nothing encrypts ${name}; what a disk does by itself cannot be seen`)
}

/** A disk with several ways to it lies below none of them, but names how each goes. */
async function isLocalNvme(machine: Machine, path: string): Promise<boolean> {
  if (!path.includes("/nvme-subsystem/")) return false
  const subsystem = dirname(path)
  const ways = (await machine.names(subsystem)).filter((name) => /^nvme\d+$/.test(name))
  const transports = await Promise.all(
    ways.map((way) => machine.text(`${subsystem}/${way}/transport`)),
  )
  return transports.length > 0 && transports.every((transport) => transport?.trim() === "pcie")
}

async function isVirtualMachine(machine: Machine): Promise<boolean> {
  const [cpu, vendor, product] = await Promise.all([
    machine.text("/proc/cpuinfo"),
    machine.text("/sys/class/dmi/id/sys_vendor"),
    machine.text("/sys/class/dmi/id/product_name"),
  ])
  return (
    /^flags\s*:.*\bhypervisor\b/m.test(cpu ?? "") || VIRTUAL_MAKERS.test(`${vendor} ${product}`)
  )
}
