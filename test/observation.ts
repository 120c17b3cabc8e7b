/** Observations and tables of cases for the tests of rules. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Draft } from "../src/engine/sandbox-site.ts"
import { goodSite } from "../src/engine/sandbox-site.ts"
import type { Exchange, Finding, Name, Observation, Rule, Visit, Why } from "../src/engine/types.ts"

export { daysFrom, none, page, records } from "../src/engine/sandbox-site.ts"

/** When every observation here was made. */
export const NOW = "2026-11-24T12:00:00.000Z"

export const SHOP: Name = {
  host: "shop.example",
  unicode: "shop.example",
  registrable: "shop.example",
  suffix: "example",
  shared: false,
}

export type Change = (draft: Draft<Observation>) => void

/** What a fact holds once it was seen. */
type Seen<T> = Draft<NonNullable<Extract<T, { value: unknown }>["value"]>>

/** The good site `shop.example`, changed. */
export function observe(change: Change): Observation {
  const draft = goodSite(SHOP, NOW)
  change(draft)
  return draft
}

/** Several changes, one after another. */
export function all(...changes: readonly Change[]): Change {
  return (o) => {
    for (const change of changes) change(o)
  }
}

/** A change to another name; suffix and registrable domain are its last one and two labels. */
export function named(unicode: string, ascii: string = unicode): Change {
  return (o) => {
    const labels = ascii.split(".")
    o.name = {
      host: ascii,
      unicode,
      registrable: labels.slice(-2).join("."),
      suffix: labels.at(-1) ?? "",
      shared: false,
    }
  }
}

/** A change to a name on a shared platform. */
export const onPlatform: Change = (o) => {
  o.name.shared = true
}

/** A change to a visit over HTTPS that ended with this answer of the home page. */
export function answered(
  headers: Exchange["headers"],
  status = 200,
  url = "https://shop.example/",
): Change {
  return (o) => {
    o.http.secure = {
      value: {
        hops: [{ url, status, headers: structuredClone(headers) as Draft<typeof headers> }],
      },
    }
  }
}

/** A change to a visit, over HTTPS unless told, whose redirect led no further. */
export function brokenOff(
  location: string,
  stopped: NonNullable<Visit["stopped"]>,
  why?: Why,
  front: "plain" | "secure" = "secure",
): Change {
  return (o) => {
    const url = front === "secure" ? "https://shop.example/" : "http://shop.example/"
    const hops = [{ url, status: 302, headers: { location: [location] } }]
    o.http[front] = { value: { hops, stopped, ...(why !== undefined && { why }) } }
  }
}

/** A change of facts of the home page. */
export function home(change: (draft: Seen<Observation["http"]["home"]>) => void): Change {
  return (o) => {
    if ("value" in o.http.home) change(o.http.home.value)
  }
}

/** A change of facts of the TLS handshake. */
export function tls(change: (draft: Seen<Observation["tls"]>) => void): Change {
  return (o) => {
    if ("value" in o.tls) change(o.tls.value)
  }
}

/** A change of facts of the registration. */
export function registration(change: (draft: Seen<Observation["registration"]>) => void): Change {
  return (o) => {
    if ("value" in o.registration && o.registration.value !== null) change(o.registration.value)
  }
}

/** True, false or why unknown; with what must have been seen ("" for nothing), where it matters. */
export type Case = readonly [because: string, change: Change, state: boolean | Why, seen?: string]

/**
 * Tests a rule by a table, which must have a case for each state that the rule can be in.
 * @param always - For a rule that is never unknown.
 */
export function judges(
  rule: Rule,
  cases: readonly Case[],
  always: { readonly never?: "unknown" } = {},
): void {
  describe(rule.code, () => {
    for (const [because, change, state, seen] of cases) {
      it(`${because}: ${state}`, () => {
        const finding = rule.judge(observe(change))
        assert.deepEqual(reduced(finding), state)
        if (seen !== undefined) {
          assert.equal(("seen" in finding ? finding.seen : undefined) ?? "", seen)
        }
      })
    }

    it("has a case for each state", () => {
      const states = new Set(
        cases.map(([, , state]) => (typeof state === "string" ? "unknown" : state)),
      )
      const expected = always.never === "unknown" ? [true, false] : [true, false, "unknown"]
      assert.deepEqual([...states].toSorted(), expected.toSorted())
    })
  })
}

function reduced(finding: Finding): boolean | Why {
  return finding.state === "unknown" ? finding.because : finding.state
}
