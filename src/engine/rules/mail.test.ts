import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { none, observe, records } from "../../../test/observation.ts"
import { dmarcOf, mailHosts, parseTags, spfOf } from "./mail.ts"

describe("mailHosts", () => {
  for (const [because, mx, expected] of [
    [
      "hosts without their preference",
      ["10 a.example", "20 b.example"],
      ["a.example", "b.example"],
    ],
    ["a lone dot refuses mail", ["0 ."], null],
    ["so does a lone empty name", ["0 "], null],
    ["a dot among hosts is ignored", ["0 .", "10 a.example"], ["a.example"]],
    ["none", [], []],
  ] as const) {
    it(because, () => {
      const seen = observe((o) => {
        o.dns.mx = records(...mx)
      })
      assert.deepEqual(mailHosts(seen), { value: expected })
    })
  }
})

describe("spfOf", () => {
  for (const [because, txt, expected] of [
    ["-all", ["v=spf1 mx -all"], "-"],
    ["no qualifier means pass", ["v=spf1 all"], "+"],
    ["case does not matter", ["V=SPF1 ~ALL"], "~"],
    ["the first all ends it", ["v=spf1 ?all -all"], "?"],
    ["no all", ["v=spf1 mx"], undefined],
    ["a redirect", ["v=spf1 redirect=_spf.example"], "redirected"],
    ["a redirect after all is ignored", ["v=spf1 -all redirect=_spf.example"], "-"],
    ["two records are an error", ["v=spf1 -all", "v=spf1 mx -all"], "none"],
    ["a longer version is another", ["v=spf10 -all"], "none"],
    ["the version alone", ["v=spf1"], undefined],
  ] as const) {
    it(`${because}: ${txt.join(" | ")}`, () => {
      const spf = spfOf(
        observe((o) => {
          o.dns.txt = records(...txt)
        }),
      )
      assert.ok("value" in spf)
      const seen =
        spf.value === undefined ? "none" : spf.value.redirected ? "redirected" : spf.value.all
      assert.equal(seen, expected)
    })
  }
})

describe("dmarcOf", () => {
  for (const [because, txt, host, expected] of [
    ["a policy", ["v=DMARC1; p=reject"], "shop.example", "reject 100"],
    [
      "spaces anywhere",
      [" v = DMARC1 ;p = quarantine ; pct = 20 "],
      "shop.example",
      "quarantine 20",
    ],
    [
      "sp below the organisational domain",
      ["v=DMARC1; p=reject; sp=none"],
      "a.shop.example",
      "none 100",
    ],
    ["p below it without sp", ["v=DMARC1; p=reject"], "a.shop.example", "reject 100"],
    [
      "sp does not hold for the domain itself",
      ["v=DMARC1; p=none; sp=reject"],
      "shop.example",
      "none 100",
    ],
    ["the version is written in capitals", ["v=dmarc1; p=reject"], "shop.example", undefined],
    ["the version comes first", ["p=reject; v=DMARC1"], "shop.example", undefined],
    ["two records are none", ["v=DMARC1; p=reject", "v=DMARC1; p=none"], "shop.example", undefined],
    [
      "other records beside it are ignored",
      ["hello", "v=DMARC1; p=reject"],
      "shop.example",
      "reject 100",
    ],
    ["no policy", ["v=DMARC1"], "shop.example", undefined],
    [
      "a policy that cannot be read, with reports",
      ["v=DMARC1; p=rejekt; rua=mailto:a@b.example"],
      "shop.example",
      "none 100",
    ],
  ] as const) {
    it(`${because}: ${txt.join(" | ")}`, () => {
      const dmarc = dmarcOf(
        observe((o) => {
          o.name.host = host
          o.dns.dmarc = records(...txt)
        }),
      )
      assert.ok("value" in dmarc)
      const { value } = dmarc
      assert.equal(value && `${value.policy} ${value.percent}`, expected)
    })
  }
})

describe("dmarcOf, of a host below the organisational domain", () => {
  for (const [because, own, expected] of [
    ["its own record comes first", records("v=DMARC1; p=none"), "none"],
    [
      "sp of its own record is for what lies below it",
      records("v=DMARC1; p=none; sp=reject"),
      "none",
    ],
    ["without a record of its own, sp of the other", none("NXDOMAIN"), "quarantine"],
    ["other text there is no record", records("hello"), "quarantine"],
    [
      "two records of its own are an error",
      records("v=DMARC1; p=none", "v=DMARC1; p=reject"),
      "none at all",
    ],
    ["an answer that did not come may have held one", { unknown: "timeout" as const }, "timeout"],
    [
      "nor does a policy that cannot be read fall back",
      records("v=DMARC1; p=rejekt"),
      "none at all",
    ],
    ["not asked for", undefined, "quarantine"],
  ] as const) {
    it(`${because}: ${expected}`, () => {
      const dmarc = dmarcOf(
        observe((o) => {
          o.name.host = "a.shop.example"
          if (own !== undefined) o.dns.dmarcOfHost = own
          o.dns.dmarc = records("v=DMARC1; p=reject; sp=quarantine")
        }),
      )
      assert.equal(
        "value" in dmarc ? (dmarc.value?.policy ?? "none at all") : dmarc.unknown,
        expected,
      )
    })
  }

  it("is the platform's on a shared platform", () => {
    const shared = observe((o) => {
      o.name.shared = true
      o.dns.dmarcOfHost = records("v=DMARC1; p=reject")
    })
    assert.deepEqual(dmarcOf(shared), { unknown: "platform" })
  })

  it("holds, though the organisational domain's was not seen", () => {
    const half = observe((o) => {
      o.name.host = "a.shop.example"
      o.dns.dmarcOfHost = records("v=DMARC1; p=reject")
      o.dns.dmarc = { unknown: "timeout" }
    })
    const dmarc = dmarcOf(half)
    assert.equal("value" in dmarc && dmarc.value?.policy, "reject")
  })
})

describe("parseTags", () => {
  it("never throws, and reads back what is well-formed", () => {
    const tag = fc.stringMatching(/^[a-z]{1,4}$/)
    const value = fc.stringMatching(/^[a-z0-9:@.]{1,8}$/)
    fc.assert(
      fc.property(fc.dictionary(tag, value), fc.string(), (pairs, noise) => {
        parseTags(noise, "v=DMARC1")
        const text = Object.entries(pairs).map(([name, text]) => `; ${name}=${text}`)
        assert.deepEqual(
          parseTags(`v=DMARC1${text.join("")}`, "v=DMARC1"),
          new Map(Object.entries(pairs)),
        )
      }),
    )
  })
})
