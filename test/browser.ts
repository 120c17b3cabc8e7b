/** The system's Chromium, and what a page is looked at for. */
import { existsSync } from "node:fs"
import type { Browser, Page } from "playwright-core"
import { chromium } from "playwright-core"

/** The system's Chromium; undefined where there is none. */
export const BROWSER = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => existsSync(path))
const BROWSER_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1280, height: 900 }

/**
 * Texts whose contrast is below WCAG 2.2 AA (SC 1.4.3): 4.5, or 3 from 24 px or bold 18.66 px on.
 * Backgrounds are taken to be opaque where they have any colour.
 */
export const LOW_CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor
      if ((channels(color)[3] ?? 1) > 0) return color
    }
    return "rgb(255, 255, 255)"
  }
  const low = new Set()
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim()
    if (text === "") continue
    const { color, fontSize, fontWeight } = getComputedStyle(element)
    const [dark, light] = [luminance(color), luminance(behind(element))].sort((a, b) => a - b)
    const ratio = (light + 0.05) / (dark + 0.05)
    const size = parseFloat(fontSize)
    const large = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700)
    if (ratio < (large ? 3 : 4.5)) low.add(text.slice(0, 40) + " " + ratio.toFixed(2))
  }
  return [...low]
})()`

/** Pixels by which the page is wider than its window. */
export const OVERFLOW =
  "document.documentElement.scrollWidth - document.documentElement.clientWidth"

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER ?? "", args: BROWSER_ARGUMENTS })
}

export async function isDark(page: Page): Promise<boolean> {
  const color = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")
  return (color.match(/\d+/g) ?? []).every((channel) => Number(channel) < 64)
}
