/** What a person reads when the server is ready: where it is, the first keys, a line to paste. */
import type { Running } from "../main.ts"
import { painter } from "./paint.ts"

export interface GreetingOptions {
  readonly color: boolean
  /** The lab stands in for the internet. */
  readonly lab: boolean
  /** How long the start took. */
  readonly seconds: string
}

/** @returns Lines; the one that begins with `curl` works when pasted. */
export function greeting(running: Omit<Running, "stop">, options: GreetingOptions): string {
  const { url, caFile, firstKeys } = running
  const paint = painter(options.color)
  const row = (label: string, text: string) => `  ${paint("dim", label.padEnd(12))}${text}`
  const curl = ["curl", ...(caFile ? ["--cacert", quote(caFile)] : [])].join(" ")
  const key = firstKeys?.[options.lab ? "live" : "test"] ?? "YOUR_KEY"
  const domain = options.lab ? "lindenshop.test" : "approve.test"
  return [
    `${paint(["bold", "green"], "ZygenTrust is ready")}, in ${options.seconds} s.`,
    "",
    row("Address", paint("bold", url)),
    row("Reference", `${url}/docs`),
    ...(caFile ? [row("Authority", caFile)] : []),
    ...(options.lab ? [row("Internet", "the lab on this machine, not the real one")] : []),
    "",
    ...(firstKeys
      ? [
          paint("bold", "Two keys, shown this once:"),
          "",
          row("Test", firstKeys.test),
          row("Live", firstKeys.live),
        ]
      : [
          paint("bold", "For a new key:"),
          "",
          "  bin/zygentrust keys issue --tenant default --environment live",
        ]),
    "",
    paint("bold", firstKeys ? "Try it:" : "Then:"),
    "",
    `  ${curl} -H 'x-api-key: ${key}' '${url}/v1/analyze?domain=${domain}'`,
    "",
    paint("dim", "Ctrl-C stops it."),
  ].join("\n")
}

/** @returns The text as one word of a POSIX shell. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
