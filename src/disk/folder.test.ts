import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Parts } from "../../test/machines.ts"
import { array, disk, machine, mapper, partition } from "../../test/machines.ts"
import { folderSight } from "./folder.ts"

const DATA = "/srv/zt"
const sda = disk("sda", "8:0")
const sda2 = partition(sda, "sda2", "8:2")
const sdb = disk("sdb", "8:16")
const sdb2 = partition(sdb, "sdb2", "8:18")
const PCI = "/sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0"
const nvme = disk("nvme0n1", "259:0", PCI)
const nvme3 = partition(nvme, "nvme0n1p3", "259:3")
const luks = mapper("dm-0", "253:0", "CRYPT-LUKS2-5f0b2c1d-luks-nvme", nvme3)
const luksA = mapper("dm-3", "253:3", "CRYPT-LUKS1-aa-a", sda2)
const luksB = mapper("dm-4", "253:4", "CRYPT-LUKS1-bb-b", sdb2)
const ebs = disk("nvme0n1", "259:0", PCI)
const NO_FSCRYPT = { [`lsattr -d -- ${DATA}`]: `--------------e------- ${DATA}\n` }
const ext4 = (number: string) => [`${number} / ext4 /dev/root`]

/** On ext4 of a device, with an lsattr that shows nothing. */
const on = (number: string, ...devices: Parts["devices"] & object): Parts => ({
  mounts: ext4(number),
  devices,
  programs: NO_FSCRYPT,
})

const CASES: readonly (readonly [string, Parts, "found" | "absent" | "unknown", RegExp])[] = [
  [
    "an installer's LUKS below LVM",
    on("253:1", nvme, nvme3, luks, mapper("dm-1", "253:1", "LVM-x", luks)),
    "found",
    /dm-crypt \(LUKS2\)/,
  ],
  [
    "LUKS on a whole disk",
    on("253:0", nvme, mapper("dm-0", "253:0", "CRYPT-LUKS2-x-data", nvme)),
    "found",
    /LUKS2/,
  ],
  [
    "a BitLocker volume opened by cryptsetup",
    on("253:0", nvme, mapper("dm-0", "253:0", "CRYPT-BITLK-x-data", nvme)),
    "found",
    /BITLK/,
  ],
  [
    "LUKS on an array of two plain disks",
    on(
      "253:0",
      sda,
      sda2,
      sdb,
      sdb2,
      array("md0", "9:0", sda2, sdb2),
      mapper("dm-0", "253:0", "CRYPT-LUKS2-x-r", array("md0", "9:0", sda2, sdb2)),
    ),
    "found",
    /LUKS2/,
  ],
  [
    "an array of two LUKS devices",
    on("9:0", sda, sda2, sdb, sdb2, luksA, luksB, array("md0", "9:0", luksA, luksB)),
    "found",
    /LUKS1/,
  ],
  [
    "an array of which one half is plain",
    on("9:0", sda, sda2, sdb, sdb2, luksA, array("md0", "9:0", luksA, sdb2)),
    "absent",
    /sdb/,
  ],
  ["a partition of a disk", on("8:2", sda, sda2), "absent", /nothing encrypts sda/],
  [
    "LVM on a plain partition",
    on("253:1", sda, sda2, mapper("dm-1", "253:1", "LVM-x", sda2)),
    "absent",
    /sda/,
  ],
  [
    "dm-verity, which only vouches",
    on("253:1", sda, sda2, mapper("dm-1", "253:1", "CRYPT-VERITY-x-root", sda2)),
    "absent",
    /sda/,
  ],
  [
    "dm-integrity, the same",
    on("253:1", sda, sda2, mapper("dm-1", "253:1", "CRYPT-INTEGRITY-x", sda2)),
    "absent",
    /sda/,
  ],
  [
    "a logical volume named as if it were encrypted",
    on("253:1", sda, sda2, mapper("dm-1", "253:1", "LVM-CRYPT-LUKS2-x", sda2)),
    "absent",
    /sda/,
  ],
  [
    "a volume that spans a LUKS and a plain disk",
    on("253:9", sda, sda2, sdb, sdb2, luksA, mapper("dm-9", "253:9", "LVM-x", luksA, sdb2)),
    "absent",
    /sdb/,
  ],
  [
    "an NVMe disk with two ways to it, both of this machine",
    {
      ...on("259:1", disk("nvme0n1", "259:1", "/sys/devices/virtual/nvme-subsystem/nvme-subsys0")),
      files: { "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0/transport": "pcie\n" },
    },
    "absent",
    /nvme0n1/,
  ],
  [
    "one over a network",
    {
      ...on("259:1", disk("nvme0n1", "259:1", "/sys/devices/virtual/nvme-subsystem/nvme-subsys0")),
      files: { "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0/transport": "tcp\n" },
    },
    "unknown",
    /cannot be seen/,
  ],
  [
    "a cloud's NVMe disk (EC2)",
    {
      ...on("259:0", ebs),
      files: {
        "/sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
        "/proc/cpuinfo": "flags\t\t: fpu vme\n",
      },
    },
    "unknown",
    /virtual machine/,
  ],
  [
    "a virtio disk (KVM)",
    on("254:0", disk("vda", "254:0", "/sys/devices/pci0000:00/0000:00:02.0/virtio1/block")),
    "unknown",
    /virtual machine/,
  ],
  [
    "LUKS within a virtual machine",
    on(
      "253:0",
      mapper(
        "dm-0",
        "253:0",
        "CRYPT-LUKS2-x-data",
        disk("vda", "254:0", "/sys/devices/pci0000:00/0000:00:02.0/virtio1/block"),
      ),
    ),
    "found",
    /LUKS2/,
  ],
  [
    "a Xen disk",
    on("202:1", disk("xvda1", "202:1", "/sys/devices/vbd-51713/block")),
    "unknown",
    /virtual machine/,
  ],
  [
    "a SCSI disk where the processor knows of a hypervisor",
    { ...on("8:2", sda, sda2), files: { "/proc/cpuinfo": "flags\t\t: fpu hypervisor lahf_lm\n" } },
    "unknown",
    /virtual machine/,
  ],
  [
    "an iSCSI disk",
    on(
      "8:48",
      disk("sdd", "8:48", "/sys/devices/platform/host3/session1/target3:0:0/3:0:0:1/block"),
    ),
    "unknown",
    /cannot be seen/,
  ],
  [
    "a network block device",
    on("43:0", disk("nbd0", "43:0", "/sys/devices/virtual/block")),
    "unknown",
    /nbd0/,
  ],
  [
    "a Ceph block device",
    on("252:0", disk("rbd0", "252:0", "/sys/devices/rbd/0/block")),
    "unknown",
    /rbd0/,
  ],
  [
    "a file as a device (loop)",
    on("7:0", disk("loop0", "7:0", "/sys/devices/virtual/block")),
    "unknown",
    /loop0/,
  ],
  ["a device that /sys does not show (gVisor)", on("8:2"), "unknown", /cannot be seen/],
  [
    "devices in a circle",
    on("253:1", { ...mapper("dm-1", "253:1", "LVM-x", mapper("dm-1", "253:1", "LVM-x")) }),
    "unknown",
    /cannot be seen/,
  ],
  [
    "a folder that fscrypt encrypts",
    {
      ...on("8:2", sda, sda2),
      programs: { [`lsattr -d -- ${DATA}`]: `-------------E-e------- ${DATA}\n` },
    },
    "found",
    /fscrypt \(ext4\)/,
  ],
  [
    "a plain disk without lsattr to ask",
    { ...on("8:2", sda, sda2), programs: {} },
    "unknown",
    /lsattr/,
  ],
  ["LUKS without lsattr", { ...on("253:0", nvme, nvme3, luks), programs: {} }, "found", /LUKS2/],
  [
    "xfs, which has no fscrypt",
    { mounts: ["8:2 / xfs /dev/sda2"], devices: [sda, sda2] },
    "absent",
    /sda/,
  ],
  [
    "bcachefs, which may encrypt by itself",
    { mounts: ["8:2 / bcachefs /dev/sda2"], devices: [sda, sda2] },
    "unknown",
    /bcachefs/,
  ],
  [
    "btrfs on LUKS (Fedora)",
    {
      mounts: ["0:33 / btrfs /dev/mapper/luks-5f"],
      devices: [nvme, nvme3, luks],
      links: { "/dev/mapper/luks-5f": "/dev/dm-0", "/sys/fs/btrfs/u/devices/dm-0": luks.path },
    },
    "found",
    /LUKS2/,
  ],
  [
    "btrfs over a LUKS and a plain disk",
    {
      mounts: ["0:33 / btrfs /dev/dm-3"],
      devices: [sda, sda2, sdb, sdb2, luksA],
      links: {
        "/sys/fs/btrfs/u/devices/dm-3": luksA.path,
        "/sys/fs/btrfs/u/devices/sdb2": sdb2.path,
      },
    },
    "absent",
    /sdb/,
  ],
  ["btrfs whose devices are not shown", { mounts: ["0:33 / btrfs /dev/sda2"] }, "unknown", /btrfs/],
  [
    "a ZFS dataset that is encrypted",
    {
      mounts: ["0:40 / zfs tank/zt"],
      programs: { "zfs get -H -o value encryption tank/zt": "aes-256-gcm\n" },
    },
    "found",
    /ZFS \(aes-256-gcm\)/,
  ],
  [
    "one that is not",
    {
      mounts: ["0:40 / zfs tank/zt"],
      programs: { "zfs get -H -o value encryption tank/zt": "off\n" },
    },
    "unknown",
    /not encrypted; whether its pool/,
  ],
  ["ZFS that cannot be asked", { mounts: ["0:40 / zfs tank/zt"] }, "unknown", /zfs get/],
  ["gocryptfs", { mounts: ["0:50 / fuse.gocryptfs /cipher"] }, "found", /gocryptfs/],
  ["sshfs", { mounts: ["0:50 / fuse.sshfs host:/data"] }, "unknown", /fuse\.sshfs/],
  ["a container's own layer", { mounts: ["0:61 / overlay overlay"] }, "unknown", /use a volume/],
  [
    "a container's volume on the host's LUKS",
    {
      ...on("253:0", nvme, nvme3, luks),
      mounts: ["0:61 / overlay overlay", "253:0 /srv/zt ext4 /dev/mapper/luks-5f"],
    },
    "found",
    /LUKS2/,
  ],
  [
    "memory",
    { mounts: [...ext4("8:2"), "0:24 /srv tmpfs tmpfs"], devices: [sda, sda2] },
    "unknown",
    /memory/,
  ],
  ["NFS", { mounts: ["0:44 /srv nfs4 nas:/zt"] }, "unknown", /another machine/],
  ["a host's folder (9p)", { mounts: ["0:44 /srv 9p hostshare"] }, "unknown", /host/],
  [
    "a mount that hides another",
    {
      ...on("8:2", sda, sda2, nvme, nvme3, luks),
      mounts: ["253:0 /srv ext4 /dev/dm-0", "8:2 /srv ext4 /dev/sda2"],
    },
    "absent",
    /sda/,
  ],
  [
    "a neighbour of that name",
    {
      ...on("8:2", sda, sda2, nvme, nvme3, luks),
      mounts: [...ext4("8:2"), "253:0 /srv/zt-old ext4 /dev/dm-0"],
    },
    "absent",
    /sda/,
  ],
  ["no mount at all", {}, "unknown", /mount cannot be seen/],
  [
    "a Mac with FileVault",
    { platform: "darwin", programs: { "fdesetup status": "FileVault is On.\n" } },
    "found",
    /FileVault/,
  ],
  [
    "a Mac without",
    { platform: "darwin", programs: { "fdesetup status": "FileVault is Off.\n" } },
    "absent",
    /FileVault is off/,
  ],
  [
    "a Mac that is still encrypting",
    {
      platform: "darwin",
      programs: {
        "fdesetup status": "FileVault is On.\nEncryption in progress: Percent completed = 40\n",
      },
    },
    "unknown",
    /not done/,
  ],
  ["a Mac that does not say", { platform: "darwin" }, "unknown", /does not say/],
  [
    "another volume of a Mac",
    {
      platform: "darwin",
      links: { [DATA]: "/Volumes/Stick/zt" },
      programs: { "fdesetup status": "FileVault is On.\n" },
    },
    "unknown",
    /another volume/,
  ],
  ["another system", { platform: "freebsd" }, "unknown", /freebsd/],
]

describe("whether a folder's disk is encrypted", () => {
  for (const [because, parts, state, by] of CASES) {
    it(`${because}: ${state}`, async () => {
      const sight = await folderSight(
        machine({ ...parts, files: { [`${DATA}/leaf.pem`]: "", ...parts.files } }),
        DATA,
      )
      assert.equal(sight.state, state, sight.by)
      assert.match(sight.by, by)
    })
  }

  it("a mount's name may hold a space", async () => {
    const folder = "/mnt/my disk"
    const seen = machine({
      mounts: [...ext4("253:0"), "8:2 /mnt/my\\040disk xfs /dev/sda2"],
      devices: [sda, sda2, nvme, nvme3, luks],
      files: { [`${folder}/leaf.pem`]: "" },
    })
    assert.equal((await folderSight(seen, folder)).state, "absent")
  })
})
