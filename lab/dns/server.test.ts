import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import * as dnsPacket from "dns-packet"
import type { Lab } from "../lab.ts"
import { startLab } from "../lab.ts"
import { askTcp, askUdp, datagrams, queryMessage } from "../testing/client.ts"

describe("the lab's resolver", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
  })
  after(() => lab.close())

  const typesOf = (records: dnsPacket.Answer[] | undefined) => records?.map(({ type }) => type)

  it("answers as a resolver does: recursion available, not authoritative", async () => {
    const answer = await askUdp(lab, { name: "lindenshop.test", type: "A" })
    assert.equal(answer.rcode, "NOERROR")
    assert.equal(answer.flag_ra, true)
    assert.equal(answer.flag_rd, true)
    assert.equal(answer.flag_aa, false)
    assert.deepEqual(typesOf(answer.answers), ["A"])
    assert.deepEqual(answer.additionals, [], "no OPT where none was sent (RFC 6891 §7)")
  })

  it("echoes the question as it was asked, letter case too", async () => {
    const answer = await askUdp(lab, { name: "LinDenShop.tEst", type: "A" })
    assert.equal(answer.questions?.[0]?.name, "LinDenShop.tEst")
    assert.equal(answer.answers?.length, 1)
  })

  it("follows aliases to the addresses", async () => {
    const answer = await askUdp(lab, { name: "store.northwind-lab.test", type: "A" })
    assert.deepEqual(typesOf(answer.answers), ["CNAME", "CNAME", "A"])
  })

  for (const [name, type, rcode, because] of [
    ["no-such-name.test", "A", "NXDOMAIN", "nobody has the name"],
    ["nobody.lindenshop.test", "A", "NXDOMAIN", "nor this one below a zone"],
    ["nobody.elsewhere.org", "A", "NXDOMAIN", "nor one outside the lab"],
    ["lindenshop.test", "SRV", "NOERROR", "the name is there, the type is not"],
    ["_tls.harbourbank.test", "TXT", "NOERROR", "an empty non-terminal exists (RFC 8020)"],
  ] as const) {
    it(`${because}: ${name} ${type} gives ${rcode} and a SOA`, async () => {
      const answer = await askUdp(lab, { name, type })
      assert.equal(answer.rcode, rcode)
      assert.deepEqual(answer.answers, [])
      assert.deepEqual(typesOf(answer.authorities), ["SOA"])
    })
  }

  it("truncates what does not fit, and gives it over TCP", async () => {
    const ask = { name: "dns-huge.test", type: "TXT", udpPayloadSize: 4096 } as const
    const short = await askUdp(lab, ask)
    assert.equal(short.flag_tc, true)
    assert.deepEqual(short.answers, [])
    const whole = await askTcp(lab, ask)
    assert.equal(whole.flag_tc, false)
    assert.ok((whole.answers?.length ?? 0) > 100)
  })

  it("keeps to what the asker takes, 512 bytes without EDNS (RFC 1035 §4.2.1)", async () => {
    const ask = { name: "few.dns-huge.test", type: "TXT" } as const
    assert.equal((await askUdp(lab, ask)).flag_tc, true)
    assert.equal((await askUdp(lab, { ...ask, udpPayloadSize: 600 })).flag_tc, true)
    assert.equal((await askUdp(lab, { ...ask, udpPayloadSize: 1232 })).flag_tc, false)
  })

  for (const [name, asked, authentic, because] of [
    ["harbourbank.test", { dnssec: true }, true, "signed, DO set"],
    ["harbourbank.test", { authenticDesired: true }, true, "signed, AD set (RFC 6840 §5.7)"],
    ["harbourbank.test", {}, false, "signed, not asked for"],
    ["harbourbank.test", { dnssec: true, unchecked: true }, false, "nothing was checked"],
    ["lindenshop.test", { dnssec: true }, false, "not signed"],
  ] as const) {
    it(`says ${authentic ? "" : "not "}authentic: ${because}`, async () => {
      const answer = await askUdp(lab, { name, type: "A", ...asked })
      assert.equal(answer.flag_ad, authentic)
      assert.equal(answer.answers?.length, name === "harbourbank.test" && "dnssec" in asked ? 2 : 1)
    })
  }

  it("fails what does not verify, unless checking is disabled", async () => {
    const ask = { name: "dnssec-bogus.test", type: "A" } as const
    assert.equal((await askUdp(lab, ask)).rcode, "SERVFAIL")
    const unchecked = await askUdp(lab, { ...ask, unchecked: true })
    assert.equal(unchecked.rcode, "NOERROR")
    assert.equal(unchecked.flag_ad, false)
  })

  for (const [name, because] of [
    ["servfail-lab.test", "the zone's servers are broken"],
    ["alias-loop.test", "the alias has no end"],
  ] as const) {
    it(`fails when ${because}, checking or not`, async () => {
      for (const unchecked of [false, true]) {
        assert.equal((await askUdp(lab, { name, type: "A", unchecked })).rcode, "SERVFAIL")
      }
    })
  }

  it("says nothing at all for a silent zone", async () => {
    const silent = queryMessage({ name: "dns-timeout.test", type: "A" }, 1)
    const other = queryMessage({ name: "lindenshop.test", type: "A" }, 2)
    const [answer] = await datagrams(lab, [silent, other], 1)
    assert.equal(answer?.readUInt16BE(0), 2)
    assert.equal(lab.requests.questions.get("dns-timeout.test A"), 1)
  })

  it("sends what does not parse for a malformed zone", async () => {
    const message = queryMessage({ name: "dns-malformed.test", type: "A" }, 77)
    const [answer = Buffer.alloc(0)] = await datagrams(lab, [message], 1)
    assert.equal(answer.readUInt16BE(0), 77)
    assert.throws(() => dnsPacket.decode(answer))
  })

  it("sends two forgeries before the true answer of a spoofed zone", async () => {
    const message = queryMessage({ name: "dns-spoofed.test", type: "A" }, 500)
    const answers = (await datagrams(lab, [message], 3)).map((answer) => dnsPacket.decode(answer))
    const seen = answers.map(({ id, questions, answers }) => [
      id,
      questions?.[0]?.name,
      answers?.[0]?.type === "A" && answers[0].data === "127.0.0.1",
    ])
    assert.deepEqual(seen, [
      [501, "dns-spoofed.test", true],
      [500, "not-dns-spoofed.test", true],
      [500, "dns-spoofed.test", false],
    ])
  })

  it("rebinds: public once, then inside", async () => {
    const addresses = []
    for (let i = 0; i < 3; i++) {
      const answer = (await askUdp(lab, { name: "rebinding.test", type: "A" })).answers?.[0]
      assert.equal(answer?.type === "A" && answer.ttl, 0)
      addresses.push(answer?.type === "A" && answer.data)
    }
    const character = lab.characters.find(({ name }) => name === "rebinding")
    assert.deepEqual(addresses, [character?.ipv4, "127.0.0.1", "169.254.169.254"])
  })
})
