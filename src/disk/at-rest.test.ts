import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { disk, machine, mapper, partition } from "../../test/machines.ts"
import { readConfig } from "../config.ts"
import { assess, look, summary } from "./at-rest.ts"
import { absent, found, unknown } from "./sight.ts"

const NOW = new Date("2026-11-24T10:00:00.000Z")
const declared = (date: string) => ({ date, what: "RDS, KMS key alias/data" })
const FOUND = found("dm-crypt (LUKS2)")
const ABSENT = absent("nothing encrypts sda")
const UNKNOWN = unknown("vda is a virtual machine's disk")

describe("what is said of encryption at rest", () => {
  for (const [because, folder, ownServer, declaration, states, message] of [
    ["seen", FOUND, false, undefined, ["found"], /^encrypted: found dm-crypt/],
    [
      "seen to be absent",
      ABSENT,
      false,
      undefined,
      ["absent"],
      /^not encrypted: nothing encrypts sda/,
    ],
    ["not seen", UNKNOWN, false, undefined, ["unknown"], /^not known whether encrypted/],
    [
      "declared where it cannot be seen",
      UNKNOWN,
      false,
      declared("2026-11-24"),
      ["declared"],
      /^declared by the operator on 2026-11-24: RDS.*virtual machine/,
    ],
    [
      "declared of a disk that encrypts by itself",
      ABSENT,
      false,
      declared("2026-11-24"),
      ["declared"],
      /by the operator/,
    ],
    [
      "declared and seen: what was seen counts",
      FOUND,
      false,
      declared("2020-01-01"),
      ["found"],
      /found/,
    ],
    ["declared 400 days ago", UNKNOWN, false, declared("2025-10-20"), ["declared"], /2025-10-20/],
    [
      "declared 401 days ago: unknown again",
      UNKNOWN,
      false,
      declared("2025-10-19"),
      ["unknown"],
      /401 days ago/,
    ],
    [
      "declared for a day to come",
      UNKNOWN,
      false,
      declared("2027-01-01"),
      ["unknown"],
      /in the future/,
    ],
    [
      "one's own server is never seen, whatever the data folder lies on",
      FOUND,
      true,
      undefined,
      ["unknown", "found"],
      /ZT_DATABASE_URL's server/,
    ],
    [
      "one's own server, declared; the data folder is not meant",
      ABSENT,
      true,
      declared("2026-11-24"),
      ["declared", "absent"],
      /by the operator/,
    ],
  ] as const) {
    it(`${because}: ${states.join(", ")}`, () => {
      const about = assess(
        { folder, swap: undefined },
        { ownServer, declared: declaration, now: NOW },
      )
      assert.deepEqual(
        about.map(({ state }) => state),
        states,
      )
      assert.match(about[0]?.message ?? "", message)
      for (const { state, advice } of about) {
        assert.equal(advice === undefined, state === "found" || state === "declared", state)
      }
    })
  }

  it("swap that is not encrypted is named", () => {
    const looked = { folder: FOUND, swap: ABSENT }
    const about = assess(looked, { ownServer: false, declared: undefined, now: NOW })
    assert.deepEqual(
      about.map(({ place, state }) => [place, state]),
      [
        ["data folder", "found"],
        ["swap", "absent"],
      ],
    )
  })

  it("everybody may read a summary: no device, no path, none of the operator's words", () => {
    const declaration = declared("2026-11-24")
    const about = assess(
      { folder: UNKNOWN, swap: ABSENT },
      { ownServer: false, declared: declaration, now: NOW },
    )
    const text = summary(about, declaration)
    assert.equal(
      text,
      "disk encryption under the data folder: declared on 2026-11-24, swap: absent; 'zygentrust doctor' says more",
    )
  })
})

describe("where is looked", () => {
  const sda = disk("sda", "8:0")
  const sda1 = partition(sda, "sda1", "8:1")
  const luks = mapper("dm-0", "253:0", "CRYPT-LUKS2-x-data", disk("sdb", "8:16"))
  const mounts = ["253:0 / xfs /dev/dm-0", "8:1 /fast xfs /dev/sda1"]
  const base = {
    mounts,
    devices: [sda, sda1, luks],
    files: {
      "/proc/swaps": "Filename\n",
      "/zt/leaf.pem": "",
      "/fast/wal/0": "",
      "/fast/space/0": "",
    },
  }

  for (const [because, links, state] of [
    ["all lies in the data folder", {}, "found"],
    [
      "the write-ahead log was moved to a plain disk",
      { "/zt/postgres/data/pg_wal": "/fast/wal" },
      "absent",
    ],
    [
      "a tablespace lies on a plain disk",
      { "/zt/postgres/data/pg_tblspc/16400": "/fast/space" },
      "absent",
    ],
    ["the whole cluster was moved", { "/zt/postgres/data": "/fast/space" }, "absent"],
  ] as const) {
    it(`${because}: ${state}`, async () => {
      assert.equal((await look(machine({ ...base, links }), "/zt")).folder.state, state)
    })
  }

  it("before the first start, at what of the path is there", async () => {
    assert.equal((await look(machine(base), "/fast/new/data")).folder.state, "absent")
  })
})

describe("ZT_DISK_ENCRYPTION_DECLARED", () => {
  const read = (text: string) =>
    readConfig({ ZT_DISK_ENCRYPTION_DECLARED: text }).diskEncryptionDeclared
  it("is a day and what encrypts", () => {
    assert.deepEqual(read("2026-11-24 RDS, KMS key alias/data"), declared("2026-11-24"))
  })
  for (const [text, because] of [
    ["yes", "no day"],
    ["2026-11-24", "not what"],
    ["2026-11-24  ", "blank"],
    ["2026-02-30 RDS", "no day of the calendar"],
    ["24.11.2026 RDS", "another form of day"],
    ["2026-11-24 RDS\nok", "a line break"],
    [`2026-11-24 ${"x".repeat(201)}`, "too long"],
  ] as const) {
    it(`is refused: ${because}`, () => {
      assert.throws(() => read(text), /ZT_DISK_ENCRYPTION_DECLARED .*2026-11-24/)
    })
  }
})
