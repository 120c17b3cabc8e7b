/** The reference at /docs in a browser, under the policy that it is served with. */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { after, before, describe, it } from "node:test"
import { getRequestListener } from "@hono/node-server"
import type { Browser } from "playwright-core"
import { endpoints } from "../../src/http/reference-document.ts"
import { BROWSER, DESKTOP, isDark, LOW_CONTRAST, launch, OVERFLOW, PHONE } from "../browser.ts"
import { bareApp, contractDocument } from "./document.ts"

describe("the reference page in a browser", {
  skip: BROWSER ? false : "there is no Chromium here, so nobody looked at /docs",
}, () => {
  let browser: Browser
  let origin: string
  /** Put before the end of the page's body, for a page that is wrong. */
  let spoiler = ""
  const document = contractDocument("https://trust.invalid")
  const app = bareApp("https://trust.invalid")
  const listener = getRequestListener(
    async (request) => {
      const answer = await app.fetch(request, { requestUuid: "" })
      if (spoiler === "" || !request.url.endsWith("/docs")) return answer
      const page = (await answer.text()).replace("</body>", `${spoiler}</body>`)
      return new Response(page, { headers: answer.headers })
    },
    { overrideGlobalObjects: false },
  )
  const server = createServer((request, response) => void listener(request, response))

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    server.closeAllConnections()
    server.close()
  })

  /** Opens the page, all of it unfolded. @returns It, and what went wrong so far and later. */
  async function open(options: Parameters<Browser["newPage"]>[0]) {
    const page = await browser.newPage(options)
    const complaints: string[] = []
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`))
    await page.goto(`${origin}/docs`, { waitUntil: "load" })
    await page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    return { page, complaints }
  }

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      it(`on a ${device}, ${colorScheme}: nothing refused, too wide or hard to read`, async () => {
        const { page, complaints } = await open({ colorScheme, viewport })
        assert.equal(await page.evaluate(OVERFLOW), 0)
        assert.deepEqual(await page.evaluate(LOW_CONTRAST), [])
        assert.deepEqual(complaints, [])
        assert.equal(await isDark(page), colorScheme === "dark")
        await page.close()
      })
    }
  }

  it("says so when something is refused, too wide or hard to read", async () => {
    spoiler = `<p style="color: red">inline</p><script>1</script><img src="https://elsewhere.invalid/x.png" alt="">`
    const { page, complaints } = await open({ viewport: PHONE })
    spoiler = ""
    for (const what of ["inline style", "inline script", "elsewhere.invalid"]) {
      assert.ok(
        complaints.some((text) => text.includes(what)),
        `${what}: ${complaints}`,
      )
    }
    await page.evaluate(
      "document.querySelector('main h2').style.width = '500px'; document.querySelector('main p').style.color = '#999'",
    )
    assert.ok((await page.evaluate<number>(OVERFLOW)) > 0)
    assert.equal((await page.evaluate<string[]>(LOW_CONTRAST)).length, 1)
    await page.close()
  })

  it("leads from every link in it to a place that is there", async () => {
    const { page } = await open({ viewport: DESKTOP })
    const links = await page.evaluate<string[]>(
      "[...new Set([...document.links].map((a) => a.getAttribute('href')))]",
    )
    assert.ok(links.length > 15, `only ${links}`)
    for (const link of links) {
      if (link.startsWith("#")) {
        assert.equal(await page.locator(`[id="${link.slice(1)}"]`).count(), 1, link)
      } else {
        assert.equal((await fetch(origin + link)).status, 200, link)
      }
    }
    await page.close()
  })

  it("shows every operation, with its answers, parameters and refusals", async () => {
    const { page } = await open({ viewport: DESKTOP })
    const all = endpoints(document)
    assert.equal(await page.locator("article.operation").count(), all.length)
    for (const { operationId, method, path, parameters = [], responses = {} } of all) {
      const operation = page.locator(`article[id="${operationId}"]`)
      assert.equal(await operation.locator(".endpoint").textContent(), `${method} ${path}`)
      assert.equal(await page.locator(`nav a[href="#${operationId}"]`).count(), 1)
      const text = (await operation.textContent()) ?? ""
      const codes = Object.values(responses).flatMap(({ content = {} }) =>
        "application/problem+json" in content
          ? Object.keys(content["application/json"]?.examples ?? {})
          : [],
      )
      const fields = parameters.map(({ name }) => name)
      for (const part of [...Object.keys(responses), ...fields, ...codes]) {
        assert.ok(text.includes(part), `${operationId} does not show ${part}`)
      }
    }
    await page.close()
  })

  it("can be used from the keyboard: the first stop leads past the navigation", async () => {
    const { page } = await open({ viewport: DESKTOP })
    await page.keyboard.press("Tab")
    assert.equal(await page.evaluate("document.activeElement.className"), "skip")
    const top = await page.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    assert.equal(top, true, "the skip link stays out of sight")
    await page.keyboard.press("Enter")
    assert.equal(await page.evaluate("document.activeElement.id"), "main")
    await page.close()
  })

  it("has one main part, one first heading, and headings that leave out no level", async () => {
    const { page } = await open({ viewport: DESKTOP })
    assert.equal(await page.locator("main").count(), 1)
    const levels = await page.evaluate<number[]>(
      "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => Number(h.tagName[1]))",
    )
    assert.deepEqual(
      levels.filter((level) => level === 1),
      [1],
    )
    const jumps = levels.filter((level, i) => level > (levels[i - 1] ?? 0) + 1)
    assert.deepEqual(jumps, [])
    await page.close()
  })
})
