import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Parts } from "../../test/machines.ts"
import { disk, machine, mapper, partition } from "../../test/machines.ts"
import { swapSight } from "./swap.ts"

const sda = disk("sda", "8:0")
const sda3 = partition(sda, "sda3", "8:3")
const random = mapper("dm-2", "253:2", "CRYPT-PLAIN-swap", sda3)
const zram = disk("zram0", "252:0", "/sys/devices/virtual/block")
const HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
const area = (path: string, type = "partition") => `${path}   ${type}\t\t8388604\t\t0\t\t-2\n`

const on = (areas: string, more: Parts = {}): Parts => ({
  ...more,
  devices: [sda, sda3, random, zram],
  files: { "/proc/swaps": HEAD + areas, ...more.files },
})

describe("whether swap is encrypted", () => {
  for (const [because, parts, state] of [
    ["no swap", on(""), undefined],
    ["a partition", on(area("/dev/sda3")), "absent"],
    ["one with a random key (crypttab)", on(area("/dev/dm-2")), "found"],
    [
      "one named by its mapping",
      on(area("/dev/mapper/swap"), { links: { "/dev/mapper/swap": "/dev/dm-2" } }),
      "found",
    ],
    ["one encrypted, one not", on(area("/dev/dm-2") + area("/dev/sda3")), "absent"],
    [
      "compressed memory, which is no disk",
      on(area("/dev/zram0"), { files: { "/sys/block/zram0/backing_dev": "none\n" } }),
      undefined,
    ],
    [
      "compressed memory that is written back to a partition",
      on(area("/dev/zram0"), { files: { "/sys/block/zram0/backing_dev": "/dev/sda3\n" } }),
      "absent",
    ],
    [
      "a file on a plain disk",
      on(area("/swap.img", "file"), {
        mounts: ["8:3 / xfs /dev/sda3"],
        files: { "/swap.img": "" },
      }),
      "absent",
    ],
    [
      "a file on an encrypted disk",
      on(area("/swap.img", "file"), {
        mounts: ["253:2 / xfs /dev/dm-2"],
        files: { "/swap.img": "" },
      }),
      "found",
    ],
    ["a host's, seen from a container", on(area("/dev/sdq1")), "unknown"],
    ["/proc that hides it", {}, "unknown"],
    [
      "a Mac",
      {
        platform: "darwin",
        programs: {
          "sysctl -n vm.swapusage": "total = 0.00M  used = 0.00M  free = 0.00M  (encrypted)\n",
        },
      },
      "found",
    ],
    ["a Mac that does not say", { platform: "darwin" }, "unknown"],
  ] as const) {
    it(`${because}: ${state ?? "none"}`, async () => {
      assert.equal((await swapSight(machine(parts)))?.state, state)
    })
  }
})
