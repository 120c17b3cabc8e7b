/** K7, both ways, in a browser: with and without scripts, on a desktop and a phone. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Browser, Page } from "playwright-core"
import { BROWSER, DESKTOP, isDark, LOW_CONTRAST, launch, OVERFLOW, PHONE } from "../browser.ts"
import type { Mailbox } from "../mailbox.ts"
import { openMailbox } from "../mailbox.ts"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

describe("keys by request in a browser", {
  skip: BROWSER ? false : "there is no Chromium here, so nobody asked for a key in it",
}, () => {
  let program: Program
  let mailbox: Mailbox
  let browser: Browser
  before(async () => {
    mailbox = await openMailbox()
    ;[program, browser] = await Promise.all([
      startProgram({ environment: mailbox.settings }),
      launch(),
    ])
  })
  after(async () => {
    await browser?.close()
    await program?.stop()
    await mailbox.close()
  })

  async function open(path: string, options: Parameters<Browser["newPage"]>[0] = {}) {
    const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: DESKTOP, ...options })
    const complaints: string[] = []
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`))
    await page.goto(program.url + path)
    return { page, complaints }
  }
  const fill = async (page: Page, who: string) => {
    await page.fill("#name", `${who} & Sons`)
    await page.fill("#organisation", who)
    await page.fill("#contact", `${who}@x.example`)
    await page.fill("#purpose", "Because.")
  }
  const linkIn = (text: string) => /https:\S+#zt_link_[0-9a-f]{64}/.exec(text)?.[0] ?? ""
  const keyOn = (page: Page) => page.textContent("#key")
  const works = async (key: string | null) =>
    (await program.ask("/v1/keys/me", { key: key ?? "" })).status === 200

  it("by self-service: asked on the page, the link from the mail, the key on the page", async () => {
    const { page, complaints } = await open("/request-a-key")
    await fill(page, "bea")
    await page.check("input[value=free]")
    await page.click("button")
    assert.equal(await page.textContent("h1"), "Your request came in")
    const link = linkIn((await mailbox.mail(0)).text)
    await page.goto(link)
    assert.equal(page.url(), `${program.url}/claim-a-key`, "the token is out of the address")
    assert.equal(await page.isVisible("#token"), false)
    await page.dblclick("button") // the second press must not leave the answer to the first
    await page.waitForSelector("#key")
    assert.ok(await works(await keyOn(page)))
    await page.goto("about:blank")
    await page.goto(link)
    await page.click("button")
    await page.waitForSelector("text=This link was used")
    assert.deepEqual(
      complaints.filter((text) => !text.includes("410")),
      [],
    )
    await page.close()
  })

  it("by approval, without scripts: the link is pasted", async () => {
    const { page } = await open("/request-a-key", { javaScriptEnabled: false })
    await fill(page, "cid")
    await page.click("button")
    await page.waitForSelector("text=Your request came in")
    const run = (...args: string[]) => runCommand(args, environment(program.dataDir))
    const { requests } = JSON.parse((await run("requests", "list", "--json")).stdout)
    const { id } = requests.find(
      ({ organisation }: { organisation: string }) => organisation === "cid",
    )
    const { stdout } = await run(
      "requests",
      "approve",
      id,
      "--plan",
      "starter",
      "--environment",
      "test",
    )
    const token = /#\S+/.exec(stdout)?.[0]
    await page.goto(`${program.url}/claim-a-key${token}`)
    await page.click("button")
    assert.equal(await page.isVisible("#key"), false, "an empty field is sent nowhere")
    await page.fill("#token", `https://localhost/claim-a-key${token}`)
    await page.click("button")
    const key = await keyOn(page)
    assert.match(key ?? "", /^zt_test_/)
    assert.ok(await works(key))
    await page.close()
  })

  it("a second press, before the answer to the first, goes nowhere", async () => {
    const { page } = await open("/claim-a-key")
    const went = await page.evaluate<boolean[]>(`[1, 2].map(() => document.querySelector("form")
      .dispatchEvent(new SubmitEvent("submit", { cancelable: true, bubbles: true })))`)
    assert.deepEqual(went, [true, false])
    await page.close()
  })

  for (const path of [
    "/request-a-key",
    "/request-a-key/sent",
    "/claim-a-key",
    `/claim-a-key#zt_link_${"0".repeat(64)}`,
  ]) {
    it(`${path.slice(0, 30)}: on a phone and a desktop, light and dark, nothing refused, too wide or hard to read`, async () => {
      const { page, complaints } = await open(path)
      for (const colorScheme of ["light", "dark"] as const) {
        for (const viewport of [PHONE, DESKTOP]) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize(viewport)
          assert.equal(await page.evaluate(OVERFLOW), 0)
          assert.deepEqual(await page.evaluate(LOW_CONTRAST), [])
          assert.equal(await isDark(page), colorScheme === "dark")
        }
      }
      assert.deepEqual(complaints, [])
      await page.close()
    })
  }
})
