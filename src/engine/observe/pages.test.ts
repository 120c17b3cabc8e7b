import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { SHOP as NAME } from "../../../test/observation.ts"
import type { Known, Page } from "../types.ts"
import type { Fetcher } from "./fetch.ts"
import { readHtml } from "./page.ts"
import type { PageKind } from "./pages.ts"
import { createPageFinder } from "./pages.ts"

const BASE = new URL("https://www.shop.example/")

function finder(
  home: Known<Page> | string,
  answer: (path: string) => { status: number; html: string },
) {
  const asked: string[] = []
  const fetcher: Fetcher = {
    async get(url) {
      asked.push(url.href)
      const { status, html } = answer(url.pathname)
      const headers = { "content-type": ["text/html"] }
      const exchange = { url: url.href, status, headers }
      return { value: { exchange, body: { value: Buffer.from(html) }, authentic: true } }
    },
  }
  const page = typeof home === "string" ? pageFrom(home) : home
  return { asked, find: createPageFinder(fetcher, { name: NAME, base: BASE, home: page }) }
}

function pageFrom(html: string): Known<Page> {
  return { value: { url: BASE.href, status: 200, ...readHtml(html, BASE.href) } }
}

const notFound = { status: 404, html: "not found" }

describe("where a page is looked for", () => {
  for (const [kind, html, path, because] of [
    ["privacy", '<a href="/p1">Privacy Policy</a>', "/p1", "English"],
    ["privacy", '<a href="/datenschutz">x</a>', "/datenschutz", "German, by its path"],
    ["privacy", '<a href="/p">Política de privacidad</a>', "/p", "Spanish"],
    ["privacy", '<a href="/p">Politique de confidentialité</a>', "/p", "French"],
    ["privacy", '<a href="/p">個人情報保護 プライバシー</a>', "/p", "Japanese"],
    ["terms", '<a href="/agb">AGB</a>', "/agb", "German"],
    [
      "terms",
      '<a href="/t">Condiciones</a><a href="/u">Terms of use</a>',
      "/u",
      "the first that says so",
    ],
    ["contact", '<a href="/k">Kontakt</a>', "/k", "German, Polish, Danish"],
    ["about", '<a href="/a">Über uns</a>', "/a", "German"],
    ["about", '<a href="/chi-siamo">x</a>', "/chi-siamo", "Italian"],
    ["imprint", '<a href="/i">Impressum</a>', "/i", "German"],
    ["imprint", '<a href="/i">Mentions légales</a>', "/i", "French"],
    ["privacy", '<a href="https://legal.shop.example/p">Privacy</a>', "/p", "below the domain"],
    [
      "privacy",
      '<a href="https://other.example/p">Privacy</a>',
      "/privacy",
      "another's page is not theirs",
    ],
    [
      "privacy",
      '<a href="https://notshop.example/p">Privacy</a>',
      "/privacy",
      "nor a name that ends alike",
    ],
    ["terms", "no links at all", "/terms", "the usual path"],
  ] as const satisfies readonly (readonly [PageKind, string, string, string])[]) {
    it(`${kind}, ${because}: ${path}`, async () => {
      const { asked, find } = finder(html, () => notFound)
      await find(kind)
      assert.equal(new URL(asked[0] ?? "").pathname, path)
    })
  }
})

describe("a page at its usual path", () => {
  const page = (words: string, title = words) => ({
    status: 200,
    html: `<title>${title}</title><p>${words}</p>`,
  })
  const home = "<title>Shop</title><p>welcome</p>"

  for (const [answer, status, because] of [
    [() => notFound, 404, "it is not there"],
    [
      (path: string) => (path === "/privacy" ? page("our policy") : notFound),
      200,
      "it is there, and others are not",
    ],
    [() => page("our shop", "Shop: everything"), 404, "every path has the same page"],
    [(path: string) => page(`no ${path}`, "Oops"), 404, "every path has a page of the same title"],
    [() => page("welcome", "Shop"), 404, "it is the home page again"],
    [(path: string) => page(`this is ${path}`), 200, "every path has a page of its own"],
  ] as const) {
    it(`has status ${status}: ${because}`, async () => {
      const found = await finder(home, answer).find("privacy")
      assert.ok("value" in found)
      assert.equal(found.value.status, status)
    })
  }

  it("that is linked counts, without asking for what cannot exist", async () => {
    const { asked, find } = finder('<a href="/privacy">Privacy</a>', () => page("same"))
    const found = await find("privacy")
    assert.ok("value" in found)
    assert.equal(found.value.status, 200)
    assert.equal(asked.length, 1)
  })

  it("is compared with one that cannot exist, the same for the same host", async () => {
    const first = finder(home, () => page("same"))
    await Promise.all([first.find("privacy"), first.find("terms")])
    const second = finder(home, () => page("same"))
    await second.find("about")
    const nowhere = (asked: string[]) => asked.filter((url) => /\/[0-9a-f]{24}$/.test(url))
    assert.equal(new Set(nowhere(first.asked)).size, 1)
    assert.deepEqual(nowhere(second.asked), [...new Set(nowhere(first.asked))])
  })

  it("is unknown where nothing can be told from a path that cannot exist", async () => {
    const { find } = finder(home, (path) =>
      path === "/privacy" ? page("x") : { status: 503, html: "" },
    )
    assert.deepEqual(await find("privacy"), { unknown: "server_error" })
  })

  for (const why of ["timeout", "challenge", "blocked"] as const) {
    it(`is not asked for when the home page is unknown: ${why}`, async () => {
      const { asked, find } = finder({ unknown: why }, () => page("x"))
      assert.deepEqual(await find("privacy"), { unknown: why })
      assert.deepEqual(asked, [])
    })
  }

  it("is asked for when the home page is too large to read", async () => {
    const { find } = finder({ unknown: "too_large" }, (path) =>
      path === "/privacy" ? page("our policy") : notFound,
    )
    assert.ok("value" in (await find("privacy")))
  })
})
