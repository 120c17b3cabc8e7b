import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { none, observe, records } from "../../../test/observation.ts"
import { addresses, zoneAnswer } from "./zone.ts"

describe("zoneAnswer", () => {
  it("gives the zone's answer, but not that of a platform", () => {
    assert.ok(
      "value" in
        zoneAnswer(
          observe(() => {}),
          "ns",
        ),
    )
    const shared = observe((o) => {
      o.name.shared = true
    })
    assert.deepEqual(zoneAnswer(shared, "ns"), { unknown: "platform" })
  })

  it("takes no records as none", () => {
    const silent = observe((o) => {
      o.dns.mx = none()
    })
    assert.deepEqual(zoneAnswer(silent, "mx"), none())
  })

  it("knows nothing of a domain that does not exist", () => {
    const gone = observe((o) => {
      o.dns.ns = none("NXDOMAIN")
      o.dns.dmarc = none("NXDOMAIN")
    })
    assert.deepEqual(zoneAnswer(gone, "dmarc"), { unknown: "not_offered" })
  })
})

describe("addresses", () => {
  for (const [because, change, expected] of [
    [
      "one family is enough",
      (o) => {
        o.dns.aaaa = { unknown: "timeout" }
      },
      1,
    ],
    [
      "none of both is none",
      (o) => {
        ;[o.dns.a, o.dns.aaaa] = [none(), none()]
      },
      0,
    ],
    [
      "an unseen family may hold one",
      (o) => {
        ;[o.dns.a, o.dns.aaaa] = [none(), { unknown: "timeout" }]
      },
      "timeout",
    ],
    [
      "both families count",
      (o) => {
        o.dns.a = records("192.0.2.1", "192.0.2.2")
      },
      3,
    ],
  ] as const satisfies readonly (readonly [
    string,
    Parameters<typeof observe>[0],
    number | string,
  ])[]) {
    it(because, () => {
      const found = addresses(observe(change))
      assert.equal("value" in found ? found.value.length : found.unknown, expected)
    })
  }
})
