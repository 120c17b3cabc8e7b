import assert from "node:assert/strict"
import diagnostics from "node:diagnostics_channel"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { after, afterEach, before, beforeEach, describe, it } from "node:test"
import type { Known, Why } from "../types.ts"
import type { AddressMap } from "./dial.ts"
import { createDialer } from "./dial.ts"
import type { Lookup } from "./dns-client.ts"

/** A name's answers, one for each time that it is asked; the last one stays. */
type Zone = Readonly<Record<string, readonly (readonly string[] | Why)[]>>

function lookupIn(zone: Zone, asked: string[] = []): Lookup {
  return async (name, type) => {
    asked.push(`${name} ${type}`)
    const answers = zone[`${name} ${type}`] ?? [[]]
    const turn = asked.filter((question) => question === `${name} ${type}`).length - 1
    const answer = answers[Math.min(turn, answers.length - 1)] ?? []
    if (typeof answer === "string") return { unknown: answer }
    return { value: { rcode: "NOERROR", records: answer.map((data) => ({ data, ttl: 0 })) } }
  }
}

describe("the dialer", () => {
  /** Every TCP socket that anything in this process begins to open. */
  let opened = 0
  const count = () => {
    opened++
  }
  const server = createServer((socket) => socket.on("error", () => {}).resume())
  let map: AddressMap = new Map()
  let stop = new AbortController()

  before(async () => {
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    map = new Map([["8.8.4.4:443", { address: "127.0.0.1", port }]])
    diagnostics.subscribe("net.client.socket", count)
  })
  beforeEach(() => {
    opened = 0
    stop = new AbortController()
  })
  afterEach(() => stop.abort())
  after(() => {
    diagnostics.unsubscribe("net.client.socket", count)
    server.close()
  })

  async function dial(host: string, port: number, zone: Zone = {}): Promise<Known<true>> {
    const dialer = createDialer(lookupIn(zone), map, stop.signal)
    const socket = await dialer.dial(host, port)
    dialer.close()
    return "unknown" in socket ? socket : { value: true }
  }

  it("reaches what the address map leads to, so that a count of nought means something", async () => {
    const zone = { "shop.example A": [["8.8.4.4"]] }
    assert.deepEqual(await dial("shop.example", 443, zone), { value: true })
    assert.equal(opened, 1)
  })

  for (const [url, because] of [
    ["http://127.0.0.1/", "dotted decimals"],
    ["http://127.1/", "short form"],
    ["http://2130706433/", "one number"],
    ["http://0x7f000001/", "hex"],
    ["http://0x7f.0.0.1/", "hex part"],
    ["http://0177.0.0.1/", "octal part"],
    ["http://017700000001/", "octal"],
    ["http://127.0.0.1./", "trailing dot"],
    ["http://①②⑦.⓪.⓪.①/", "enclosed digits (UTS #46)"],
    ["http://127。0。0。1/", "ideographic full stops"],
    ["http://%31%32%37.0.0.1/", "percent-encoded"],
    ["http://0/", "zero"],
    ["http://[::1]/", "IPv6 loopback"],
    ["http://[::]/", "IPv6 unspecified"],
    ["http://[::ffff:127.0.0.1]/", "mapped"],
    ["http://[0:0:0:0:0:ffff:7f00:1]/", "mapped, written out"],
    ["http://[64:ff9b::7f00:1]/", "NAT64"],
    ["http://[2002:7f00:1::]/", "6to4"],
    ["http://[fd00:ec2::254]/", "metadata"],
    ["http://169.254.169.254/latest/meta-data/", "metadata"],
    ["http://user:secret@127.0.0.1/", "behind credentials"],
    ["http://8.8.8.8:8080/", "another port"],
    ["https://8.8.8.8:22/", "SSH's port"],
  ] as const) {
    it(`opens nothing for ${url}: ${because}`, async () => {
      const { hostname, port } = new URL(url)
      assert.deepEqual(await dial(hostname, Number(port) || 80), { unknown: "blocked" })
      assert.equal(opened, 0)
    })
  }

  for (const url of [
    "http://[fe80::1%25eth0]/",
    "http://1.2.3.256/",
    "http://[::1/",
    "http://a b/",
  ]) {
    it(`never sees ${url}: the URL standard refuses it`, () => assert.equal(URL.parse(url), null))
  }

  for (const [addresses, because] of [
    [{ "trick.example A": [["127.0.0.1"]] }, "a name of loopback"],
    [{ "trick.example A": [["8.8.4.4", "10.0.0.1"]] }, "one of two is private"],
    [{ "trick.example A": [["8.8.4.4"]], "trick.example AAAA": [["::1"]] }, "IPv6 is loopback"],
    [{ "trick.example AAAA": [["::ffff:10.0.0.1"]] }, "mapped in an AAAA record"],
    [{ "trick.example A": [["169.254.169.254"]] }, "metadata"],
  ] as const) {
    it(`opens nothing for a name whose addresses are not all public: ${because}`, async () => {
      assert.deepEqual(await dial("trick.example", 443, addresses), { unknown: "blocked" })
      assert.equal(opened, 0)
    })
  }

  it("does not let a rebinding name through: public when vetted, private when asked again", async () => {
    const zone = { "rebind.example A": [["8.8.4.4"], ["127.0.0.1"]] }
    const asked: string[] = []
    const dialer = createDialer(lookupIn(zone, asked), map, stop.signal)
    const first = await dialer.dial("rebind.example", 443)
    assert.ok("value" in first, "the first answer is public, and mapped to the server")
    assert.deepEqual(asked, ["rebind.example AAAA", "rebind.example A"], "resolved once to connect")
    assert.equal(first.value.remoteAddress, "127.0.0.1")
    assert.equal(first.value.remotePort, map.get("8.8.4.4:443")?.port, "the vetted address")
    opened = 0
    assert.deepEqual(await dialer.dial("rebind.example", 443), { unknown: "blocked" })
    assert.equal(opened, 0)
    dialer.close()
  })

  it("maps an address for the port that is in the map alone", async () => {
    const zone = { "trick.example A": [["192.168.7.7"]] }
    const { port } = server.address() as AddressInfo
    const lab = new Map([["192.168.7.7:443", { address: "127.0.0.1", port }]])
    const dialer = createDialer(lookupIn(zone), lab, stop.signal)
    assert.ok("value" in (await dialer.dial("trick.example", 443)))
    assert.deepEqual(await dialer.dial("trick.example", 80), { unknown: "blocked" })
    dialer.close()
  })

  it("tries the next address when one refuses", async () => {
    const closed = createServer()
    closed.listen(0, "127.0.0.1")
    await once(closed, "listening")
    const nobody = { address: "127.0.0.1", port: (closed.address() as AddressInfo).port }
    await new Promise((resolve) => closed.close(resolve))
    const zone = { "shop.example A": [["8.8.8.8", "8.8.4.4"]] }
    const dialer = createDialer(
      lookupIn(zone),
      new Map([...map, ["8.8.8.8:443", nobody]]),
      stop.signal,
    )
    assert.ok("value" in (await dialer.dial("shop.example", 443)))
    dialer.close()
  })

  for (const [zone, why, because] of [
    [{}, "unreachable", "no address at all"],
    [{ "x.example A": ["servfail"], "x.example AAAA": ["servfail"] }, "servfail", "no answer"],
  ] as const) {
    it(`says ${why}: ${because}`, async () => {
      assert.deepEqual(await dial("x.example", 443, zone), { unknown: why })
    })
  }

  it("closes what is still open", async () => {
    const zone = { "shop.example A": [["8.8.4.4"]] }
    const dialer = createDialer(lookupIn(zone), map, stop.signal)
    const socket = await dialer.dial("shop.example", 443)
    dialer.close()
    assert.ok("value" in socket && socket.value.destroyed)
  })
})
