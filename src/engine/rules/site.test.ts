import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { brokenOff, observe } from "../../../test/observation.ts"
import { hostOf, isWithin, siteExchange, standardPage } from "./site.ts"

describe("hostOf", () => {
  for (const [url, host, because] of [
    ["https://Shop.Example/x", "shop.example", "lower case"],
    ["http://user:pass@shop.example:8080/", "shop.example", "without userinfo and port"],
    ["https://shop.example?x@evil.example", "shop.example", "the query is no host"],
    ["https://[2001:db8::1]:443/", "[2001:db8::1]", "an IPv6 literal"],
    ["mailto:a@shop.example", "", "another scheme has none"],
  ] as const) {
    it(`${because}: ${url}`, () => assert.equal(hostOf(url), host))
  }
})

describe("isWithin", () => {
  it("does not take a longer label for a subdomain", () => {
    assert.equal(isWithin("notshop.example", "shop.example"), false)
    assert.equal(isWithin("www.shop.example", "shop.example"), true)
  })
})

describe("siteExchange", () => {
  for (const [because, change, expected] of [
    ["the HTTPS visit comes first", () => {}, "https://shop.example/"],
    [
      "without HTTPS the plain visit counts",
      (o) => {
        o.http.secure = { unknown: "refused" }
        o.http.plain = {
          value: { hops: [{ url: "http://shop.example/", status: 200, headers: {} }] },
        }
      },
      "http://shop.example/",
    ],
    [
      "without both, HTTPS gives the reason",
      (o) => {
        o.http.secure = { unknown: "timeout" }
        o.http.plain = { unknown: "refused" }
      },
      "timeout",
    ],
    [
      "403 is a gatekeeper's",
      (o) => {
        o.http.secure = {
          value: { hops: [{ url: "https://shop.example/", status: 403, headers: {} }] },
        }
      },
      "challenge",
    ],
    [
      "a challenge may come with status 503",
      (o) => {
        o.http.secure = {
          value: {
            hops: [
              {
                url: "https://shop.example/",
                status: 503,
                headers: { "cf-mitigated": ["challenge"] },
              },
            ],
          },
        }
      },
      "challenge",
    ],
    [
      "500 shows nothing of the site",
      (o) => {
        o.http.secure = {
          value: { hops: [{ url: "https://shop.example/", status: 500, headers: {} }] },
        }
      },
      "server_error",
    ],
    [
      "another domain's answer is not the site's",
      (o) => {
        o.http.secure = {
          value: { hops: [{ url: "https://other.example/", status: 200, headers: {} }] },
        }
      },
      "not_observed",
    ],
    [
      "a way into a private network was not gone",
      (o) => {
        o.http.secure = {
          value: {
            hops: [{ url: "https://shop.example/", status: 302, headers: {} }],
            stopped: "blocked",
          },
        }
      },
      "blocked",
    ],
    [
      "behind a redirect into silence is what kept it from us",
      brokenOff("/slow", "unreachable", "timeout"),
      "timeout",
    ],
    ["which may not have been kept", brokenOff("/slow", "unreachable"), "unreachable"],
    ["further redirects than are followed", brokenOff("/7", "too_many_redirects"), "not_observed"],
    [
      "a loop ends nowhere",
      (o) => {
        o.http.secure = {
          value: {
            hops: [{ url: "https://shop.example/", status: 302, headers: {} }],
            stopped: "redirect_loop",
          },
        }
      },
      "malformed",
    ],
  ] as const satisfies readonly (readonly [string, Parameters<typeof observe>[0], string])[]) {
    it(because, () => {
      const exchange = siteExchange(observe(change))
      assert.equal("value" in exchange ? exchange.value.url : exchange.unknown, expected)
    })
  }
})

describe("standardPage", () => {
  for (const [because, change, expected] of [
    ["a page of its own is there", () => {}, true],
    [
      "404 is not there",
      (o) => {
        if ("value" in o.http.privacy) o.http.privacy.value.status = 404
      },
      false,
    ],
    [
      "the home page again is not it",
      (o) => {
        o.http.privacy = o.http.home
      },
      false,
    ],
    [
      "500 tells nothing",
      (o) => {
        if ("value" in o.http.privacy) o.http.privacy.value.status = 500
      },
      "server_error",
    ],
    [
      "behind an unseen home all is unseen",
      (o) => {
        o.http.home = { unknown: "challenge" }
      },
      "challenge",
    ],
  ] as const satisfies readonly (readonly [
    string,
    Parameters<typeof observe>[0],
    boolean | string,
  ])[]) {
    it(because, () => {
      const page = standardPage(observe(change), "privacy")
      assert.equal("value" in page ? page.value !== undefined : page.unknown, expected)
    })
  }
})
