import assert from "node:assert/strict"
import { Socket } from "node:net"
import { describe, it } from "node:test"
import { SHOP as NAME } from "../../../test/observation.ts"
import type { DnsObservation, HttpObservation, Known } from "../types.ts"
import type { Connections } from "./connections.ts"
import type { Fetched, Fetcher } from "./fetch.ts"
import { observeSite } from "./site.ts"
import { createTrustStore } from "./tls.ts"

const trust = createTrustStore()

interface Answer {
  readonly status?: number
  readonly headers?: Fetched["exchange"]["headers"]
  readonly body?: string
  readonly authentic?: boolean
}

/** A site without HTTPS unless its answers have an `https:` URL; no certificate is looked at. */
async function observe(
  answers: Readonly<Record<string, Answer>>,
  mtaSts: DnsObservation["mtaSts"] = { unknown: "timeout" },
) {
  const asked: string[] = []
  const fetcher: Fetcher = {
    async get(url): Promise<Known<Fetched>> {
      asked.push(url.href)
      const answer = answers[url.href]
      const isServed = Object.keys(answers).some((known) => new URL(known).origin === url.origin)
      if (!isServed) return { unknown: "refused" }
      const { status = 200, headers = {}, body = "", authentic = true } = answer ?? { status: 404 }
      const exchange = { url: url.href, status, headers }
      return { value: { exchange, body: { value: Buffer.from(body) }, authentic } }
    },
  }
  const connections: Connections = {
    take: () => assert.fail("the fetcher's"),
    give: () => assert.fail("the fetcher's"),
    async begin() {
      return { value: new Socket() }
    },
  }
  const parts = observeSite(NAME, Promise.resolve(mtaSts), { connections, fetcher, trust })
  const entries = Object.entries(parts).map(async ([key, part]) => [key, await part])
  const seen: HttpObservation = Object.fromEntries(await Promise.all(entries))
  return { seen, asked }
}

function titleOf(page: HttpObservation["home"]): string | undefined {
  return "value" in page ? page.value.title : page.unknown
}

const page = (title: string): Answer => ({
  body: `<title>${title}</title><link rel=icon href=/i.png>`,
})

describe("the web part", () => {
  it("takes the page of the secure address for home", async () => {
    const { seen } = await observe({
      "http://shop.example/": page("plain"),
      "https://shop.example/": page("secure"),
    })
    assert.equal(titleOf(seen.home), "secure")
  })

  it("takes the plain one where there is no HTTPS, and looks for files there", async () => {
    const { seen } = await observe({
      "http://shop.example/": page("plain"),
      "http://shop.example/robots.txt": { body: "User-agent: *" },
    })
    assert.equal(titleOf(seen.home), "plain")
    assert.ok("value" in seen.robotsTxt)
    assert.equal(seen.robotsTxt.value.text, "User-agent: *")
  })

  it("says of every page why there is none", async () => {
    const { seen } = await observe({})
    for (const part of [seen.home, seen.privacy, seen.imprint, seen.robotsTxt, seen.securityTxt]) {
      assert.deepEqual(part, { unknown: "refused" })
    }
  })

  it("looks for pages where home is, if that is the domain's own", async () => {
    const { asked } = await observe({
      "https://shop.example/": {
        status: 301,
        headers: { location: ["https://www.shop.example/"] },
      },
      "https://www.shop.example/": page("home"),
    })
    assert.ok(asked.includes("https://www.shop.example/privacy"))
  })

  it("and else at the domain itself", async () => {
    const { asked } = await observe({
      "https://shop.example/": { status: 301, headers: { location: ["https://other.example/"] } },
      "https://other.example/": page("home"),
    })
    assert.ok(asked.includes("https://shop.example/privacy"))
    assert.ok(!asked.includes("https://other.example/privacy"))
  })

  for (const [icon, favicon, because] of [
    [{ headers: { "content-type": ["image/x-icon"] } }, true, "an image"],
    [{ headers: { "content-type": ["text/html"] } }, false, "a page in its place"],
    [{ status: 404, headers: { "content-type": ["image/png"] } }, false, "none, said by an image"],
  ] as const) {
    it(`looks for an icon at the usual path where the page names none: ${because}`, async () => {
      const { seen } = await observe({
        "https://shop.example/": { body: "<title>home</title>" },
        "https://shop.example/favicon.ico": icon,
      })
      assert.ok("value" in seen.home)
      assert.equal(seen.home.value.favicon, favicon)
    })
  }

  for (const [paths, url, because] of [
    [
      ["/.well-known/security.txt", "/security.txt"],
      "/.well-known/security.txt",
      "the well-known one first",
    ],
    [["/security.txt"], "/security.txt", "the legacy one where it is alone"],
    [[], "/.well-known/security.txt", "neither"],
  ] as const) {
    it(`takes security.txt from ${url}: ${because}`, async () => {
      const files = paths.map((path) => [`http://shop.example${path}`, { body: "Contact: x" }])
      const { seen } = await observe({
        "http://shop.example/": page("x"),
        ...Object.fromEntries(files),
      })
      assert.ok("value" in seen.securityTxt)
      assert.equal(new URL(seen.securityTxt.value.url).pathname, url)
      assert.equal(seen.securityTxt.value.status, paths.length > 0 ? 200 : 404)
    })
  }
})

describe("the MTA-STS policy (RFC 8461 §3.3)", () => {
  const POLICY = "https://mta-sts.shop.example/.well-known/mta-sts.txt"
  const record = (...texts: string[]): DnsObservation["mtaSts"] => ({
    value: { rcode: "NOERROR", records: texts.map((data) => ({ data, ttl: 60 })) },
  })
  const redirect = { status: 302, headers: { location: ["https://evil.example/"] } }

  it("is fetched when a record says that there is one", async () => {
    const { seen } = await observe(
      { [POLICY]: { body: "version: STSv1" } },
      record("v=STSv1; id=1"),
    )
    assert.ok("value" in seen.mtaStsPolicy)
    assert.equal(seen.mtaStsPolicy.value.text, "version: STSv1")
  })

  it("is not asked for without a record", async () => {
    const { seen, asked } = await observe({ [POLICY]: {} }, record("v=STSv2"))
    assert.deepEqual(seen.mtaStsPolicy, { unknown: "not_offered" })
    assert.ok(!asked.includes(POLICY))
  })

  it("does not count from a server that does not prove its name", async () => {
    const { seen } = await observe({ [POLICY]: { authentic: false } }, record("v=STSv1; id=1"))
    assert.deepEqual(seen.mtaStsPolicy, { unknown: "tls_failed" })
  })

  it("is not followed elsewhere", async () => {
    const { seen, asked } = await observe({ [POLICY]: redirect }, record("v=STSv1; id=1"))
    assert.ok("value" in seen.mtaStsPolicy)
    assert.equal(seen.mtaStsPolicy.value.status, 302)
    assert.ok(!asked.includes("https://evil.example/"))
  })
})
