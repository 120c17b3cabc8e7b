/** PROXY headers as balancers send them, in every number of pieces, and what is none. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { matcherOf, parseHeader } from "./proxy-protocol.ts"

const SIGNATURE = "0d0a0d0a000d0a515549540a"
const text = (line: string) => Buffer.from(`${line}\r\n`, "latin1")
const binary = (hex: string) => Buffer.from(SIGNATURE + hex.replaceAll(" ", ""), "hex")
const IPV4 = "c0000207 cb007109 d431 01bb"
const IPV6 = "20010db8000000000000000000000007 20010db8000000000000000000000001 d431 01bb"
const MAPPED = "00000000000000000000ffffc0000207 00000000000000000000ffffcb007109 d431 01bb"

describe("a PROXY header", () => {
  for (const [what, bytes, address] of [
    ["version 1, IPv4", text("PROXY TCP4 192.0.2.7 203.0.113.9 54321 443"), "192.0.2.7"],
    ["version 1, IPv6", text("PROXY TCP6 2001:db8::7 2001:db8::1 54321 443"), "2001:db8::7"],
    ["version 1, unknown", text("PROXY UNKNOWN"), undefined],
    ["version 1, unknown with more", text("PROXY UNKNOWN ff:: ff:: 65535 65535"), undefined],
    ["version 1, longest", text(`PROXY UNKNOWN ${"x".repeat(91)}`), undefined],
    ["version 2, IPv4", binary(`21 11 000c ${IPV4}`), "192.0.2.7"],
    ["version 2, IPv6", binary(`21 21 0024 ${IPV6}`), "2001:db8:0:0:0:0:0:7"],
    ["version 2, IPv4 inside IPv6", binary(`21 21 0024 ${MAPPED}`), "::ffff:192.0.2.7"],
    ["version 2, with what else it says", binary(`21 11 0010 ${IPV4} 040001ff`), "192.0.2.7"],
    ["version 2, of the balancer itself", binary("20 00 0000"), undefined],
    ["version 2, of the balancer, addresses all the same", binary(`20 11 000c ${IPV4}`), undefined],
    ["version 2, no address", binary("21 00 0000"), undefined],
    ["version 2, a Unix socket", binary(`21 31 00d8 ${"00".repeat(216)}`), undefined],
    ["version 2, UDP", binary(`21 12 000c ${IPV4}`), undefined],
  ] as const) {
    it(`${what}: ${address ?? "nobody else's address"}`, () => {
      const sent = Buffer.concat([bytes, Buffer.from("\x16\x03 the rest")])
      for (let n = 0; n < bytes.length; n++) {
        assert.equal(parseHeader(sent.subarray(0, n)), undefined, `${n} bytes`)
      }
      for (let n = bytes.length; n <= sent.length; n++) {
        const header = parseHeader(sent.subarray(0, n))
        assert.deepEqual(header, { length: bytes.length, address }, `${n} bytes`)
      }
    })
  }

  for (const [what, bytes] of [
    ["a TLS handshake", Buffer.from("1603010200", "hex")],
    ["a request", Buffer.from("GET / HTTP/1.1\r\n")],
    ["a method that begins like it", Buffer.from("PROPFIND / HTTP/1.1\r\n")],
    ["another family", text("PROXY TCP5 192.0.2.7 203.0.113.9 1 2")],
    ["small letters", text("PROXY tcp4 192.0.2.7 203.0.113.9 1 2")],
    ["IPv6 that says it is IPv4", text("PROXY TCP4 2001:db8::7 2001:db8::1 1 2")],
    ["no address", text("PROXY TCP4 shop.example 203.0.113.9 1 2")],
    ["an address with a zone", text("PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2")],
    ["numbers with zeros before", text("PROXY TCP4 192.0.2.007 203.0.113.9 1 2")],
    ["no port", text("PROXY TCP4 192.0.2.7 203.0.113.9 1")],
    ["a port that is none", text("PROXY TCP4 192.0.2.7 203.0.113.9 01 2")],
    ["two spaces", text("PROXY TCP4  192.0.2.7 203.0.113.9 1 2")],
    ["a line that does not end", text(`PROXY UNKNOWN ${"x".repeat(92)}`)],
    ["version 3", binary("31 11 000c")],
    ["another command", binary("22 11 000c")],
    ["an address that is cut off", binary("21 11 000b c0000207cb007109d43101")],
    ["IPv6 that is cut off", binary(`21 21 000c ${IPV4}`)],
    ["more than anybody says", binary("21 11 ffff")],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.throws(() => parseHeader(bytes))
    })
  }

  it("is none, or incomplete, or one, whatever comes: nothing else is thrown", () => {
    const start = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from("PROXY "),
      binary("21"),
      binary("2111"),
    )
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, rest) => {
        const bytes = Buffer.concat([head, rest])
        try {
          const header = parseHeader(bytes)
          if (header !== undefined) assert.ok(header.length <= bytes.length)
        } catch (error) {
          assert.match(String(error), /PROXY header|cut off/)
        }
      }),
    )
  })
})

describe("a balancer", () => {
  const isBalancer = matcherOf([
    { address: "10.0.0.0", prefix: 8, family: "ipv4" },
    { address: "2001:db8::", prefix: 32, family: "ipv6" },
  ])
  for (const address of ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8:7::1"]) {
    it(`is ${address}`, () => assert.ok(isBalancer(address)))
  }
  for (const address of ["11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "::1"]) {
    it(`is not ${address}`, () => assert.ok(!isBalancer(address)))
  }
  it("is nobody where none is named", () => assert.ok(!matcherOf([])("127.0.0.1")))
})
