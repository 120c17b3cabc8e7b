import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { DnsAnswer, DnsObservation, Known, Name } from "../types.ts"
import { observeDns } from "./dns.ts"
import type { Lookup } from "./dns-client.ts"

const NAME: Name = {
  host: "store.shop.example",
  unicode: "store.shop.example",
  registrable: "shop.example",
  suffix: "example",
  shared: false,
}

const answer = (...data: string[]): Known<DnsAnswer> => ({
  value: { rcode: "NOERROR", records: data.map((text) => ({ data: text, ttl: 60 })) },
})

async function observe(zone: Readonly<Record<string, Known<DnsAnswer>>>, name = NAME) {
  const asked = new Set<string>()
  const lookup: Lookup = async (host, type, checkingDisabled = false) => {
    const question = `${host} ${type}${checkingDisabled ? " CD" : ""}`
    asked.add(question)
    return zone[question] ?? answer()
  }
  const parts = Object.entries(observeDns(name, lookup)).map(async ([key, part]) => [
    key,
    await part,
  ])
  const seen: DnsObservation = Object.fromEntries(await Promise.all(parts))
  return { seen, asked: [...asked].sort() }
}

describe("the DNS part", () => {
  it("asks for the host's addresses, and for the rest of the registrable name", async () => {
    const { asked } = await observe({})
    assert.deepEqual(asked, [
      "_dmarc.shop.example TXT",
      "_dmarc.store.shop.example TXT",
      "_mta-sts.shop.example TXT",
      "_smtp._tls.shop.example TXT",
      "default._bimi.shop.example TXT",
      "shop.example CAA",
      "shop.example DNSKEY",
      "shop.example DS",
      "shop.example MX",
      "shop.example NS",
      "shop.example TXT",
      "store.shop.example A",
      "store.shop.example AAAA",
      "www.store.shop.example A",
      "www.store.shop.example AAAA",
    ])
  })

  const GONE: Known<DnsAnswer> = { value: { rcode: "NXDOMAIN", records: [] } }
  for (const [zone, host, because] of [
    [{ A: answer("192.0.2.1"), "www A": answer("192.0.2.2") }, "", "it has an address"],
    [{ AAAA: answer("2001:db8::1"), "www A": answer("192.0.2.2") }, "", "of any kind"],
    [{ "www A": answer("192.0.2.2") }, "www.", "www alone has one"],
    [{ "www AAAA": answer("2001:db8::2") }, "www.", "of any kind"],
    [{}, "", "neither has"],
    [{ A: { unknown: "timeout" }, "www A": answer("192.0.2.2") }, "", "it may have one"],
    [{ A: GONE, "www A": answer("192.0.2.2") }, "", "below what is not there nothing is"],
  ] as const satisfies readonly (readonly [Record<string, Known<DnsAnswer>>, string, string])[]) {
    it(`takes the addresses of ${host}shop.example: ${because}`, async () => {
      const entries = Object.entries<Known<DnsAnswer>>(zone).map(([question, found]) => {
        const [type = "", www] = question.split(" ").reverse()
        return [`${www === undefined ? "" : "www."}shop.example ${type}`, found] as const
      })
      const records: Readonly<Record<string, Known<DnsAnswer>>> = Object.fromEntries(entries)
      const { seen } = await observe(records, { ...NAME, host: "shop.example" })
      assert.deepEqual(seen.a, records[`${host}shop.example A`] ?? answer())
      assert.deepEqual(seen.aaaa, records[`${host}shop.example AAAA`] ?? answer())
    })
  }

  it("sees a host's own mail policy beside its domain's", async () => {
    const own = answer("v=DMARC1; p=none")
    const { seen } = await observe({ "_dmarc.store.shop.example TXT": own })
    assert.deepEqual([seen.dmarcOfHost, seen.dmarc], [own, answer()])
    const { seen: bare } = await observe({}, { ...NAME, host: "shop.example" })
    assert.ok(!("dmarcOfHost" in bare))
  })

  it("asks a platform's zone for the host's addresses alone", async () => {
    const { asked, seen } = await observe({}, { ...NAME, shared: true })
    assert.deepEqual(asked, [
      "store.shop.example A",
      "store.shop.example AAAA",
      "www.store.shop.example A",
      "www.store.shop.example AAAA",
    ])
    assert.deepEqual([seen.ns, seen.spfLookups], [{ unknown: "platform" }, { unknown: "platform" }])
    assert.deepEqual(seen.bogus, { value: false })
  })

  it("finds the name servers' addresses, eight servers at most", async () => {
    const servers = Array.from({ length: 12 }, (_, i) => `ns${i}.dns.example`)
    const { seen } = await observe({
      "shop.example NS": answer(...servers),
      "ns0.dns.example A": answer("192.0.2.1"),
      "ns0.dns.example AAAA": answer("2001:db8::1"),
      "ns1.dns.example A": answer("192.0.2.2"),
      "ns1.dns.example AAAA": { unknown: "timeout" },
    })
    assert.ok("value" in seen.nsAddresses)
    assert.equal(Object.keys(seen.nsAddresses.value).length, 8)
    assert.deepEqual(seen.nsAddresses.value["ns0.dns.example"], ["192.0.2.1", "2001:db8::1"])
    assert.deepEqual(seen.nsAddresses.value["ns1.dns.example"], ["192.0.2.2"])
    assert.deepEqual(seen.nsAddresses.value["ns2.dns.example"], [])
  })

  it("does not take a name server that could not be looked up for one without addresses", async () => {
    const { seen } = await observe({
      "shop.example NS": answer("ns.dns.example"),
      "ns.dns.example A": { unknown: "timeout" },
    })
    assert.deepEqual(seen.nsAddresses, { unknown: "timeout" })
  })

  const A = "store.shop.example A"
  const MX = "shop.example MX"
  for (const [zone, bogus, because] of [
    [
      { [A]: { unknown: "servfail" }, [`${A} CD`]: answer("192.0.2.1") },
      { value: true },
      "it clears with CD",
    ],
    [
      { [A]: { unknown: "servfail" }, [`${A} CD`]: { unknown: "servfail" } },
      { value: false },
      "it does not clear",
    ],
    [
      { [A]: { unknown: "servfail" }, [`${A} CD`]: { unknown: "timeout" } },
      { unknown: "timeout" },
      "nothing came of it",
    ],
    [
      {
        [A]: answer("192.0.2.1"),
        [MX]: { unknown: "servfail" },
        [`${MX} CD`]: answer("10 mx.shop.example"),
        "shop.example CAA": { unknown: "timeout" },
      },
      { value: true },
      "one record set is enough",
    ],
    [
      { [A]: answer("192.0.2.1"), [MX]: { unknown: "timeout" } },
      { unknown: "timeout" },
      "one that was not seen may be",
    ],
    [{ [A]: { unknown: "timeout" } }, { unknown: "timeout" }, "no answer to begin with"],
    [{ [A]: answer("192.0.2.1") }, { value: false }, "an answer"],
  ] as const) {
    it(`says bogus ${JSON.stringify(bogus)}: ${because}`, async () => {
      assert.deepEqual((await observe(zone)).seen.bogus, bogus)
    })
  }
})
