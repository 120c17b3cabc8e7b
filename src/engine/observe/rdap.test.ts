import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { canonicalJson } from "../../core/canonical-json.ts"
import type { Known, Why } from "../types.ts"
import { parseBootstrap } from "./bootstrap.ts"
import type { Fetched, Fetcher } from "./fetch.ts"
import { observeRegistration, readRegistration } from "./rdap.ts"

const ANSWER = {
  objectClassName: "domain",
  ldhName: "SHOP.EXAMPLE",
  status: ["client transfer prohibited", "serverHold", 7],
  events: [
    { eventAction: "registration", eventDate: "2001-02-03T04:05:06Z" },
    { eventAction: "expiration", eventDate: "2031-02-03T04:05:06+02:00" },
    { eventAction: "last changed", eventDate: "2020-01-01" },
    { eventAction: "transfer", eventDate: "2010-01-01T00:00:00Z" },
    { eventAction: "transfer", eventDate: "2015-01-01T00:00:00Z" },
    { eventAction: "transfer", eventDate: "2012-01-01T00:00:00Z" },
    { eventAction: "last update of RDAP database", eventDate: "2026-01-01T00:00:00Z" },
  ],
  entities: [
    { roles: ["abuse"], vcardArray: ["vcard", [["fn", {}, "text", "Not it"]]] },
    {
      roles: ["registrar"],
      vcardArray: [
        "vcard",
        [
          ["version", {}, "text", "4.0"],
          ["fn", {}, "text", "Example \u0007 Registrar"],
        ],
      ],
    },
  ],
}

describe("an RDAP answer", () => {
  it("is read (RFC 9083 §5.3)", () => {
    assert.deepEqual(readRegistration(JSON.stringify(ANSWER), "shop.example"), {
      registeredAt: "2001-02-03T04:05:06.000Z",
      expiresAt: "2031-02-03T02:05:06.000Z",
      changedAt: "2020-01-01T00:00:00.000Z",
      transferredAt: "2015-01-01T00:00:00.000Z",
      statuses: ["client transfer prohibited", "server hold"],
      registrar: "Example Registrar",
    })
  })

  for (const [eventDate, registeredAt, because] of [
    ["2001-02-03T04:05:06", "2001-02-03T04:05:06.000Z", "a time without an offset is UTC"],
    ["2001-02-03 04:05:06", "2001-02-03T04:05:06.000Z", "with a space, too"],
    ["2001-02-03", "2001-02-03T00:00:00.000Z", "a day begins in UTC"],
    ["2001-02-03T04:05:06.7+0900", "2001-02-02T19:05:06.700Z", "an offset counts"],
    ["3 Feb 2001", undefined, "other forms mean another moment in another place"],
  ] as const) {
    it(`says the same in every time zone: ${because}`, (t) => {
      const { TZ } = process.env
      t.after(() => {
        if (TZ === undefined) delete process.env["TZ"]
        else process.env["TZ"] = TZ
      })
      process.env["TZ"] = "Asia/Tokyo"
      const events = [{ eventAction: "registration", eventDate }]
      const read = readRegistration(JSON.stringify({ ...ANSWER, events }), "shop.example")
      assert.equal(read?.registeredAt, registeredAt)
    })
  }

  for (const [reregistration, registeredAt] of [
    ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"],
    ["1999-01-01T00:00:00Z", "2001-02-03T04:05:06.000Z"],
  ] as const) {
    it(`counts from the later of registration and reregistration: ${reregistration}`, () => {
      const event = { eventAction: "reregistration", eventDate: reregistration }
      const answer = { ...ANSWER, events: [...ANSWER.events, event] }
      const read = readRegistration(JSON.stringify(answer), "shop.example")
      assert.equal(read?.registeredAt, registeredAt)
    })
  }

  for (const [answer, because] of [
    ["not JSON", "not JSON"],
    ["[]", "a list"],
    ["null", "null"],
    [{ ...ANSWER, objectClassName: "entity" }, "about something else"],
    [{ ...ANSWER, ldhName: "other.example" }, "about another domain"],
    [{ errorCode: 500 }, "an error"],
  ] as const) {
    it(`is none: ${because}`, () => {
      const text = typeof answer === "string" ? answer : JSON.stringify(answer)
      assert.equal(readRegistration(text, "shop.example"), undefined)
    })
  }

  for (const [parts, because] of [
    [{ events: [{ eventAction: "registration", eventDate: "soon" }] }, "a date that is none"],
    [
      { events: [{ eventAction: "registration", eventDate: "+275760-09-13T00:00:00Z" }] },
      "a date that RFC 3339 cannot hold",
    ],
    [{ events: "none", entities: {}, status: null }, "members of other types"],
    [{ entities: [{ roles: ["registrar"] }] }, "a registrar without a card"],
    [{ entities: [{ roles: ["registrar"], vcardArray: ["vcard", "x"] }] }, "a card that is none"],
  ] as const) {
    it(`without usable particulars has none: ${because}`, () => {
      const text = JSON.stringify({ objectClassName: "domain", ...parts })
      assert.deepEqual(readRegistration(text, "shop.example"), { statuses: [] })
    })
  }

  it("of any JSON is read without throwing, and can be stored", () => {
    const members = fc.record(
      {
        objectClassName: fc.constant("domain"),
        status: fc.jsonValue(),
        events: fc.array(fc.record({ eventAction: fc.string(), eventDate: fc.jsonValue() })),
        entities: fc.jsonValue(),
      },
      { requiredKeys: ["objectClassName"] },
    )
    fc.assert(
      fc.property(fc.oneof(members, fc.jsonValue()), (value) => {
        const read = readRegistration(JSON.stringify(value), "shop.example")
        if (read !== undefined) canonicalJson({ ...read })
      }),
    )
  })
})

describe("registration", () => {
  const bootstrap = parseBootstrap(
    Buffer.from(
      JSON.stringify({
        version: "1.0",
        publication: "2026-01-01T00:00:00Z",
        services: [[["example"], ["https://rdap.example/v1/"]]],
      }),
    ),
  )

  function observe(status: number, body: unknown, authentic = true, why?: Why) {
    const asked: string[] = []
    const fetcher: Fetcher = {
      async get(url): Promise<Known<Fetched>> {
        asked.push(url.href)
        if (why !== undefined) return { unknown: why }
        const exchange = { url: url.href, status, headers: {} }
        const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body))
        return { value: { exchange, body: { value: bytes }, authentic } }
      },
    }
    return { asked, result: observeRegistration("shop.example", bootstrap, fetcher) }
  }

  it("is asked for at the registry, and says where it is from", async () => {
    const { asked, result } = observe(200, ANSWER)
    const found = await result
    assert.deepEqual(asked, ["https://rdap.example/v1/domain/shop.example"])
    assert.ok("value" in found)
    assert.equal(found.value?.source, "https://rdap.example/v1/domain/shop.example")
  })

  it("is null when the registry has none", async () => {
    assert.deepEqual(await observe(404, "").result, { value: null })
  })

  for (const [status, body, authentic, why, because] of [
    [404, "", false, "tls_failed", "anybody on the way can say that there is none"],
    [200, ANSWER, false, "tls_failed", "or that it is old"],
    [429, "", true, "challenge", "too many questions"],
    [403, "", true, "challenge", "not for robots"],
    [503, "", true, "server_error", "a server in trouble"],
    [400, "", true, "malformed", "a question that it does not understand"],
    [200, "<html>", true, "malformed", "no JSON"],
  ] as const) {
    it(`is unknown, ${why}: ${because}`, async () => {
      assert.deepEqual(await observe(status, body, authentic).result, { unknown: why })
    })
  }

  it("is unknown when the server does not answer", async () => {
    assert.deepEqual(await observe(200, "", true, "timeout").result, { unknown: "timeout" })
  })

  it("is not offered where the bootstrap knows no server", async () => {
    const nobody: Fetcher = { get: () => assert.fail("asked") }
    const found = await observeRegistration("shop.invalid", bootstrap, nobody)
    assert.deepEqual(found, { unknown: "not_offered" })
  })
})
