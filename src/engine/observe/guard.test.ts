import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { isOpenPort, isPublicAddress } from "./guard.ts"

describe("the guard's addresses", () => {
  for (const [address, because] of [
    ["0.0.0.0", "this host, by its unspecified address"],
    ["0.1.2.3", "this network"],
    ["10.0.0.1", "private (RFC 1918)"],
    ["100.64.0.1", "carrier-grade NAT (RFC 6598)"],
    ["100.100.100.200", "Alibaba's metadata"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback is all of 127/8"],
    ["168.63.129.16", "Azure's wire server, on a public-looking address"],
    ["169.254.169.254", "metadata of most clouds"],
    ["169.254.170.2", "metadata of container tasks"],
    ["172.16.0.1", "private, first"],
    ["172.31.255.255", "private, last"],
    ["192.0.0.192", "Oracle's metadata"],
    ["192.0.2.1", "documentation"],
    ["192.31.196.1", "AS112"],
    ["192.52.193.1", "AMT"],
    ["192.88.99.1", "6to4 relay anycast"],
    ["192.168.1.1", "private"],
    ["192.175.48.1", "AS112"],
    ["198.18.0.1", "benchmarking, first half"],
    ["198.19.255.255", "benchmarking, second half"],
    ["198.51.100.1", "documentation"],
    ["203.0.113.1", "documentation"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.250", "multicast: SSDP"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "limited broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback, written out"],
    ["::127.0.0.1", "IPv4-compatible loopback"],
    ["::ffff:127.0.0.1", "IPv4-mapped loopback"],
    ["::ffff:7f00:1", "IPv4-mapped loopback in hex"],
    ["::ffff:8.8.8.8", "mapped, even of a public address"],
    ["::ffff:0:127.0.0.1", "IPv4-translated (SIIT)"],
    ["64:ff9b::7f00:1", "NAT64 of loopback"],
    ["64:ff9b::169.254.169.254", "NAT64 of metadata"],
    ["64:ff9b:1::a00:1", "local-use NAT64"],
    ["100::1", "discard-only"],
    ["2001::1", "Teredo"],
    ["2001:0:7f00:1::", "Teredo with loopback inside"],
    ["2001:2::1", "benchmarking"],
    ["2001:10::1", "ORCHID"],
    ["2001:20::1", "ORCHIDv2"],
    ["2001:db8::1", "documentation"],
    ["2002:7f00:1::", "6to4 of loopback"],
    ["2002:a9fe:a9fe::", "6to4 of metadata"],
    ["2620:4f:8000::1", "AS112"],
    ["3fff::1", "documentation (RFC 9637)"],
    ["5f00::1", "SRv6 identifiers"],
    ["fc00::1", "unique local"],
    ["fd00:ec2::254", "AWS's metadata over IPv6"],
    ["fd20:ce::254", "Google's metadata over IPv6"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local with a zone"],
    ["2606:4700::1%lo", "a zone on a public address"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
    ["4000::1", "not global unicast yet"],
    ["0177.0.0.1", "octal is no address here: it has to be resolved by the URL standard first"],
    ["0x7f.0.0.1", "nor is hex"],
    ["2130706433", "nor a number"],
    ["127.1", "nor a short form"],
    ["1.1.1.1.", "nor a trailing dot"],
    ["[2606:4700::1]", "nor brackets"],
    ["localhost", "a name is no address"],
    ["", "nothing"],
  ] as const) {
    it(`blocks ${address}: ${because}`, () => assert.equal(isPublicAddress(address), false))
  }

  for (const [address, because] of [
    ["1.1.1.1", "a public resolver"],
    ["9.255.255.255", "just below 10/8"],
    ["11.0.0.0", "just above 10/8"],
    ["100.63.255.255", "just below 100.64/10"],
    ["100.128.0.0", "just above 100.64/10"],
    ["172.15.255.255", "just below 172.16/12"],
    ["172.32.0.0", "just above 172.16/12"],
    ["198.17.255.255", "just below 198.18/15"],
    ["198.20.0.0", "just above 198.18/15"],
    ["223.255.255.255", "just below multicast"],
    ["2001:200::1", "just above 2001::/23"],
    ["2003::1", "just above 6to4"],
    ["2606:4700:4700::1111", "a public resolver"],
    ["2a00:1450:4001::1", "Europe"],
  ] as const) {
    it(`lets ${address} through: ${because}`, () => assert.equal(isPublicAddress(address), true))
  }

  it("blocks every form of IPv6 that has an IPv4 address inside, whichever that is", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "::", "64:ff9b::"), (inner, prefix) =>
        assert.equal(isPublicAddress(prefix + inner), false),
      ),
    )
  })

  it("never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(isPublicAddress(text), false)))
  })
})

describe("the guard's ports", () => {
  it("are 80 and 443", () => {
    const open = Array.from({ length: 65_536 }, (_, port) => port).filter(isOpenPort)
    assert.deepEqual(open, [80, 443])
  })
})
