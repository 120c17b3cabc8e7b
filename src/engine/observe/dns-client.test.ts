import assert from "node:assert/strict"
import type { Socket as UdpSocket } from "node:dgram"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import type { AddressInfo, Server } from "node:net"
import { createServer } from "node:net"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import type { Answer, DecodedPacket } from "dns-packet"
import dnsPacket from "dns-packet"
import type { Endpoint } from "../../setting-values.ts"
import { anyAnswers, createLookup } from "./dns-client.ts"

const RCODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }

/** What a server sends back for one message; several datagrams where an array. */
type Behaviour = (query: DecodedPacket, transport: "udp" | "tcp") => Buffer | Buffer[]

function answer(query: DecodedPacket, answers: Answer[], flags = 0): Buffer {
  const { id = 0, questions = [] } = query
  return dnsPacket.encode({ type: "response", id, flags, questions, answers })
}

const address = (data: string): Answer => ({ type: "A", name: "shop.example", ttl: 60, data })

/** A resolver on loopback, over UDP and TCP, for one test. */
async function resolver(
  t: TestContext,
  behaviour: Behaviour,
): Promise<Endpoint & { asked: number }> {
  const state = { address: "127.0.0.1", port: 0, asked: 0 }
  const tcp: Server = createServer((socket) => {
    socket.on("error", () => {})
    socket.on("data", (bytes: Buffer) => {
      state.asked++
      for (const message of [behaviour(dnsPacket.decode(bytes.subarray(2)), "tcp")].flat()) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(message.length)
        socket.write(length)
        socket.end(message)
      }
    })
  })
  tcp.listen(0, "127.0.0.1")
  await once(tcp, "listening")
  state.port = (tcp.address() as AddressInfo).port
  const udp: UdpSocket = createSocket("udp4")
  udp.on("message", (bytes, from) => {
    state.asked++
    for (const message of [behaviour(dnsPacket.decode(bytes), "udp")].flat()) {
      udp.send(message, from.port, from.address)
    }
  })
  udp.bind(state.port, "127.0.0.1")
  await once(udp, "listening")
  t.after(() => {
    udp.close()
    tcp.close()
  })
  return state
}

function lookupAt(t: TestContext, ...resolvers: Endpoint[]) {
  const stop = new AbortController()
  t.after(() => stop.abort())
  return createLookup({ resolvers, trustedResolvers: [] }, stop.signal)
}

describe("the DNS client", () => {
  it("takes the true answer behind forged ones", async (t) => {
    const server = await resolver(t, (query) => [
      answer({ ...query, id: ((query.id ?? 0) + 1) & 0xffff }, [address("192.0.2.66")]),
      answer({ ...query, questions: [{ name: "not-shop.example", type: "A" }] }, [
        address("192.0.2.66"),
      ]),
      answer(query, [address("192.0.2.1")]),
    ])
    const found = await lookupAt(t, server)("shop.example", "A")
    assert.ok("value" in found)
    assert.deepEqual(found.value.records, [{ data: "192.0.2.1", ttl: 60 }])
  })

  it("asks over TCP when the answer did not fit", async (t) => {
    const server = await resolver(t, (query, transport) =>
      transport === "udp"
        ? answer(query, [], dnsPacket.TRUNCATED_RESPONSE)
        : answer(query, [address("192.0.2.1")]),
    )
    const found = await lookupAt(t, server)("shop.example", "A")
    assert.ok("value" in found)
    assert.equal(found.value.records.length, 1)
    assert.equal(server.asked, 2)
  })

  it("takes no forged answer over TCP either", async (t) => {
    const server = await resolver(t, (query, transport) =>
      transport === "udp"
        ? answer(query, [], dnsPacket.TRUNCATED_RESPONSE)
        : answer({ ...query, questions: [{ name: "x.example", type: "A" }] }, []),
    )
    assert.deepEqual(await lookupAt(t, server)("shop.example", "A"), { unknown: "malformed" })
  })

  it("goes to the next resolver on SERVFAIL", async (t) => {
    const broken = await resolver(t, (query) => answer(query, [], RCODES.SERVFAIL))
    const good = await resolver(t, (query) => answer(query, [address("192.0.2.1")]))
    const found = await lookupAt(t, broken, good)("shop.example", "A")
    assert.ok("value" in found)
    assert.deepEqual([broken.asked, good.asked], [1, 1])
  })

  it("goes to the next resolver when nobody listens", async (t) => {
    const closed = createSocket("udp4").bind(0, "127.0.0.1")
    await once(closed, "listening")
    const nobody = { address: "127.0.0.1", port: closed.address().port }
    closed.close()
    await once(closed, "close")
    const good = await resolver(t, (query) => answer(query, [address("192.0.2.1")]))
    assert.ok("value" in (await lookupAt(t, nobody, good)("shop.example", "A")))
  })

  it("asks again when a datagram is lost", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    let seen = 0
    const server = await resolver(t, (query) => {
      if (++seen > 1) return answer(query, [address("192.0.2.1")])
      setImmediate(() => t.mock.timers.tick(1500))
      return []
    })
    assert.ok("value" in (await lookupAt(t, server)("shop.example", "A")))
    assert.equal(server.asked, 2)
  })

  for (const [rcode, why] of [
    [RCODES.SERVFAIL, "servfail"],
    [RCODES.REFUSED, "refused"],
  ] as const) {
    it(`gives up on ${why} after three tries, and says so`, async (t) => {
      const server = await resolver(t, (query) => answer(query, [], rcode))
      assert.deepEqual(await lookupAt(t, server)("shop.example", "A"), { unknown: why })
      assert.equal(server.asked, 3)
    })
  }

  it("knows that a name does not exist, which is not a failure", async (t) => {
    const server = await resolver(t, (query) => answer(query, [], RCODES.NXDOMAIN))
    const found = await lookupAt(t, server)("shop.example", "A")
    assert.deepEqual(found, { value: { rcode: "NXDOMAIN", records: [], authenticated: false } })
  })

  for (const together of [true, false]) {
    const how = together ? "in one answer" : "asked for after the alias"
    it(`knows that a name exists whose alias leads nowhere, ${how} (RFC 6604)`, async (t) => {
      const server = await resolver(t, (query) => {
        const name = query.questions?.[0]?.name ?? ""
        if (name !== "shop.example") return answer(query, [], RCODES.NXDOMAIN)
        const alias: Answer = { type: "CNAME", name, data: "gone.example" }
        return answer(query, [alias], together ? RCODES.NXDOMAIN : 0)
      })
      const found = await lookupAt(t, server)("shop.example", "A")
      assert.deepEqual(found, { value: { rcode: "NOERROR", records: [], authenticated: false } })
    })
  }

  it("sees what is bogus by switching checking off", async (t) => {
    const server = await resolver(t, (query) =>
      query.flag_cd ? answer(query, [address("192.0.2.1")]) : answer(query, [], RCODES.SERVFAIL),
    )
    const lookup = lookupAt(t, server)
    assert.deepEqual(await lookup("shop.example", "A"), { unknown: "servfail" })
    assert.ok("value" in (await lookup("shop.example", "A", true)))
  })

  it("asks for an alias's target when the resolver gives the alias alone", async (t) => {
    const server = await resolver(t, (query) => {
      const name = query.questions?.[0]?.name ?? ""
      if (name === "shop.example") {
        return answer(query, [{ type: "CNAME", name, data: "cdn.example" }])
      }
      return answer(query, [{ type: "A", name, ttl: 5, data: "192.0.2.9" }])
    })
    const found = await lookupAt(t, server)("shop.example", "A")
    assert.ok("value" in found)
    assert.deepEqual(found.value.records, [{ data: "192.0.2.9", ttl: 5 }])
  })

  it("gives up on aliases without end", async (t) => {
    let link = 0
    const server = await resolver(t, (query) => {
      const name = query.questions?.[0]?.name ?? ""
      return answer(query, [{ type: "CNAME", name, data: `a${link++}.example` }])
    })
    assert.deepEqual(await lookupAt(t, server)("shop.example", "A"), { unknown: "servfail" })
    assert.ok(server.asked <= 8, `${server.asked} questions`)
  })

  it("believes the AD bit from loopback and trusted resolvers alone", async (t) => {
    const server = await resolver(t, (query) =>
      answer(query, [address("192.0.2.1")], dnsPacket.AUTHENTIC_DATA),
    )
    // Linux and macOS lead 0.0.0.0 to loopback: a resolver whose address is neither.
    const stranger = { address: "0.0.0.0", port: server.port }
    const { signal } = new AbortController()
    const authenticated = async (resolvers: Endpoint[], trustedResolvers: string[]) => {
      const found = await createLookup({ resolvers, trustedResolvers }, signal)("shop.example", "A")
      assert.ok("value" in found)
      return found.value.authenticated
    }
    assert.equal(await authenticated([server], []), true)
    assert.equal(await authenticated([stranger], []), undefined)
    assert.equal(await authenticated([stranger], ["0.0.0.0"]), true)
  })

  it("asks each name and type once", async (t) => {
    const server = await resolver(t, (query) => answer(query, [address("192.0.2.1")]))
    const lookup = lookupAt(t, server)
    await Promise.all([lookup("shop.example", "A"), lookup("shop.example", "A")])
    assert.equal(server.asked, 1)
  })

  it("does not ask for what is no name, and has no answer without resolvers", async (t) => {
    const server = await resolver(t, () => assert.fail("asked"))
    assert.deepEqual(await lookupAt(t, server)("a..example", "A"), { unknown: "malformed" })
    assert.deepEqual(await lookupAt(t)("shop.example", "A"), { unknown: "unreachable" })
  })

  it("finds out whether anybody answers, and knows the root", async (t) => {
    const good = await resolver(t, (query) =>
      answer(query, [{ type: "NS", name: ".", ttl: 60, data: "a.root-servers.net" }]),
    )
    const ignorant = await resolver(t, (query) => answer(query, [], RCODES.NXDOMAIN))
    const broken = await resolver(t, (query) => answer(query, [], RCODES.SERVFAIL))
    assert.equal(await anyAnswers([broken, good], 5000), true)
    assert.equal(await anyAnswers([broken], 5000), false)
    assert.equal(await anyAnswers([ignorant], 5000), false)
    assert.equal(await anyAnswers([], 5000), false)
  })
})
