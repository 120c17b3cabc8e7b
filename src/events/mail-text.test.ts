import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { EventDetails, EventKind, ShownEvent } from "./events.ts"
import { EVENT_KINDS } from "./events.ts"
import { mailOf } from "./mail-text.ts"

const ORIGIN = "https://trust.example"
const quota = { month: "2026-11", units: 8_000, per_month: 10_000 }
const DETAILS: { readonly [Kind in EventKind]: EventDetails[Kind] } = {
  quota_80: quota,
  quota_100: quota,
  key_expiring: { days: 7, expires_at: "2026-12-01T10:00:00.000Z" },
  key_leaked: { partner: "github", action: "disabled" },
  key_sent_in_clear: {},
  abuse_suspected: { detector: "guessing", requests: 900 },
  key_throttled: { detector: "burst" },
  throttle_lifted: {},
}

const event = (kind: EventKind): ShownEvent => ({
  id: "evt_01kar2f6h8k0m2p4r6t8v0x2z4",
  kind,
  at: "2026-11-25T03:04:05.678Z",
  environment: "live",
  key: kind.startsWith("quota") ? null : "key_01kar0v9z8fjrbh3p5t7wxyqm4",
  details: { ...DETAILS[kind] },
  mailed_at: null,
})

describe("the mail to an owner", () => {
  for (const kind of EVENT_KINDS) {
    it(`${kind}: says what happened, when, and what to do, in lines of a mail`, () => {
      const { subject, text } = mailOf(ORIGIN, [event(kind)])
      assert.match(subject, /^ZygenTrust: [ -~]{5,80}$/)
      assert.match(text, /\* 2026-11-25 03:04 UTC: /)
      assert.match(text, /https:\/\/trust\.example\/v1\/events/)
      if (kind.startsWith("key_")) assert.match(text, /live key key_01kar0v9z8fjrbh3p5t7wxyqm4/)
      for (const line of text.split("\n")) assert.ok(line.length <= 120, line)
      for (const value of Object.values(DETAILS[kind] as object)) {
        if (typeof value === "string" && value.length < 12 && value !== "disabled") {
          assert.ok(text.includes(value), value)
        }
      }
      assert.doesNotMatch(text, /undefined|\[object|zt_live_/)
    })
  }

  it("of several is one, with each of them", () => {
    const { subject, text } = mailOf(ORIGIN, EVENT_KINDS.map(event))
    assert.equal(subject, "ZygenTrust: 8 things to know about your API keys")
    assert.equal(text.match(/^\* /gm)?.length, 8)
  })
})
