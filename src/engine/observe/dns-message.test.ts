import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Answer, Question as WireQuestion } from "dns-packet"
import dnsPacket from "dns-packet"
import fc from "fast-check"
import type { Question } from "./dns-message.ts"
import { decodeReply, encodeQuery, isDomainName } from "./dns-message.ts"

const ID = 4711

function reply(question: WireQuestion, answers: Answer[], flags = 0): Buffer {
  return dnsPacket.encode({
    type: "response",
    id: ID,
    flags: flags | dnsPacket.RECURSION_AVAILABLE,
    questions: [{ class: "IN", ...question }],
    answers,
  })
}

describe("a query", () => {
  it("asks for recursion, DNSSEC records and the resolver's word on them, in 1232 bytes", () => {
    const { bytes, id } = encodeQuery({ name: "shop.example", type: "MX" })
    const query = dnsPacket.decode(bytes)
    const [opt] = query.additionals ?? []
    assert.equal(query.id, id)
    assert.deepEqual([query.flag_rd, query.flag_ad, query.flag_cd], [true, true, false])
    assert.deepEqual(query.questions, [{ name: "shop.example", type: "MX", class: "IN" }])
    assert.ok(opt?.type === "OPT")
    assert.deepEqual([opt.udpPayloadSize, opt.flag_do], [1232, true])
  })

  it("can switch checking off", () => {
    const { bytes } = encodeQuery({ name: "a.example", type: "A", checkingDisabled: true })
    assert.equal(dnsPacket.decode(bytes).flag_cd, true)
  })
})

describe("a reply", () => {
  const question: Question = { name: "shop.example", type: "A" }
  const address: Answer = { type: "A", name: "Shop.Example", ttl: 60, data: "192.0.2.1" }
  const true_ = reply(question, [address])

  it("is read whatever case its names are in", () => {
    const decoded = decodeReply(reply({ name: "SHOP.example", type: "A" }, [address]), ID, question)
    assert.ok(decoded !== undefined && decoded !== "malformed")
    assert.deepEqual(decoded.records, [{ data: "192.0.2.1", ttl: 60 }])
  })

  const query = Buffer.from(true_)
  query[2] = (query[2] ?? 0) & 0x7f
  const noQuestion = Buffer.from(true_)
  noQuestion.writeUInt16BE(0, 4)
  for (const [bytes, id, result, because] of [
    [true_, ID + 1, undefined, "another id"],
    [reply({ name: "not-shop.example", type: "A" }, [address]), ID, undefined, "another name"],
    [reply({ name: "shop.example", type: "AAAA" }, []), ID, undefined, "another type"],
    [reply({ name: "shop.example", type: "A", class: "CH" }, []), ID, undefined, "another class"],
    [query, ID, undefined, "a query"],
    [Buffer.alloc(11), ID, undefined, "less than a header"],
    [noQuestion, ID, "malformed", "no question"],
    [true_.subarray(0, -1), ID, "malformed", "cut within a record"],
  ] as const) {
    it(`is not ours, or no reply: ${because}`, () => {
      assert.equal(decodeReply(bytes, id, question), result)
    })
  }

  for (const [pointer, because] of [
    [0xc00c, "a name that is a pointer to itself"],
    [0xc0ff, "a pointer past the end"],
    [0xc000, "a pointer into the header"],
  ] as const) {
    it(`does not hang on compression: ${because}`, () => {
      const bytes = Buffer.alloc(18)
      bytes.writeUInt16BE(ID, 0)
      bytes.writeUInt16BE(0x8180, 2)
      bytes.writeUInt16BE(1, 4)
      bytes.writeUInt16BE(pointer, 12)
      bytes.writeUInt16BE(1, 14)
      bytes.writeUInt16BE(1, 16)
      const decoded = decodeReply(bytes, ID, question)
      assert.ok(decoded === "malformed" || decoded === undefined)
    })
  }

  it("follows the aliases in it, and leaves out records of other names", () => {
    const decoded = decodeReply(
      reply(question, [
        { type: "CNAME", name: "shop.example", data: "a.cdn.example" },
        { type: "A", name: "elsewhere.example", ttl: 1, data: "192.0.2.66" },
        { type: "CNAME", name: "a.cdn.example", data: "B.cdn.example" },
        { type: "A", name: "b.cdn.example", ttl: 1, data: "192.0.2.7" },
      ]),
      ID,
      question,
    )
    assert.ok(typeof decoded === "object")
    assert.equal(decoded.target, "b.cdn.example")
    assert.deepEqual(decoded.records, [{ data: "192.0.2.7", ttl: 1 }])
  })

  it("stops following aliases that go round", () => {
    const loop: Answer[] = [
      { type: "CNAME", name: "shop.example", data: "other.example" },
      { type: "CNAME", name: "other.example", data: "shop.example" },
    ]
    const decoded = decodeReply(reply(question, loop), ID, question)
    assert.ok(typeof decoded === "object")
    assert.deepEqual(decoded.records, [])
  })

  it("is cut at 256 records", () => {
    const many = Array.from({ length: 400 }, (_, i) => ({ ...address, data: `192.0.2.${i % 256}` }))
    const decoded = decodeReply(reply(question, many), ID, question)
    assert.ok(typeof decoded === "object")
    assert.equal(decoded.records.length, 256)
  })

  it("that is truncated is not read further", () => {
    const bytes = reply(question, [address], dnsPacket.TRUNCATED_RESPONSE).subarray(0, -3)
    const decoded = decodeReply(bytes, ID, question)
    assert.ok(typeof decoded === "object")
    assert.deepEqual([decoded.truncated, decoded.records], [true, []])
  })

  it("may refuse without repeating the question", () => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt16BE(ID, 0)
    bytes.writeUInt16BE(0x8005, 2)
    const decoded = decodeReply(bytes, ID, question)
    assert.ok(typeof decoded === "object")
    assert.equal(decoded.rcode, "REFUSED")
  })

  for (const [answer, data, because] of [
    [{ type: "AAAA", name: "x", data: "2001:db8::1" }, "2001:db8::1", "IPv6"],
    [{ type: "NS", name: "x", data: "NS1.Example" }, "ns1.example", "names in lower case"],
    [
      { type: "MX", name: "x", data: { preference: 10, exchange: "Mail.Example" } },
      "10 mail.example",
      "preference first",
    ],
    [
      { type: "MX", name: "x", data: { preference: 0, exchange: "." } },
      "0 .",
      "null MX (RFC 7505)",
    ],
    [{ type: "TXT", name: "x", data: ["v=spf1 ", "-all"] }, "v=spf1 -all", "strings joined"],
    [
      { type: "CAA", name: "x", data: { flags: 128, tag: "issue", value: "ca.example" } },
      '128 issue "ca.example"',
      "CAA",
    ],
    [
      {
        type: "DS",
        name: "x",
        data: { keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.from("beef", "hex") },
      },
      "1 13 2 beef",
      "digest in hex",
    ],
    [
      { type: "DNSKEY", name: "x", data: { flags: 257, algorithm: 13, key: Buffer.from("key") } },
      "257 3 13 a2V5",
      "key in base64",
    ],
  ] as const satisfies readonly (readonly [Answer, string, string])[]) {
    it(`presents ${answer.type} as ${data}: ${because}`, () => {
      const asked: Question = { name: "x", type: answer.type }
      // dns-packet's encoder wants arrays that it may write to.
      const decoded = decodeReply(reply(asked, [structuredAnswer(answer)]), ID, asked)
      assert.ok(typeof decoded === "object")
      assert.deepEqual(decoded.records, [{ data, ttl: 0 }])
    })
  }

  it("of any bytes is read without throwing or hanging", () => {
    const header = Buffer.from(true_.subarray(0, 30))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, withHeader) => {
        const bytes = withHeader ? Buffer.concat([header, noise]) : Buffer.from(noise)
        if (bytes.length >= 2) bytes.writeUInt16BE(ID, 0)
        decodeReply(bytes, ID, question)
      }),
      { numRuns: 2000 },
    )
  })

  it("with any byte of it changed is read without throwing or hanging", () => {
    fc.assert(
      fc.property(fc.nat(true_.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const bytes = Buffer.from(true_)
        bytes[at] = value
        decodeReply(bytes, ID, question)
      }),
    )
  })
})

function structuredAnswer(answer: Answer): Answer {
  return answer.type === "TXT" && Array.isArray(answer.data)
    ? { ...answer, data: [...answer.data] }
    : answer
}

describe("isDomainName", () => {
  for (const [name, is, because] of [
    [".", true, "the root"],
    ["_dmarc.shop.example", true, "underscores are DNS's, if not a host's"],
    ["a..example", false, "an empty label"],
    [`${"a".repeat(64)}.example`, false, "64 bytes in a label"],
    [`${"a.".repeat(126)}aa`, false, "254 bytes in all"],
    ["", false, "nothing"],
  ] as const) {
    it(`${because}: ${is}`, () => assert.equal(isDomainName(name), is))
  }
})
