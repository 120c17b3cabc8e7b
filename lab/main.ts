/**
 * The lab on its own: starts it, prints who is there and the settings that lead there, and keeps
 * it up until Ctrl-C, SIGTERM or (with `--until-stdin-closes`) the end of standard input.
 *
 * With `--json`, one line `{"settings":{…},"characters":[…]}` and nothing else.
 */
import { once } from "node:events"
import { parseArgs } from "node:util"
import type { Lab } from "./lab.ts"
import { startLab } from "./lab.ts"

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    "until-stdin-closes": { type: "boolean", default: false },
    "delay-ms": { type: "string", default: "0" },
  },
})

const ending = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve())
  if (values["until-stdin-closes"]) {
    process.stdin.resume()
    once(process.stdin, "close").then(() => resolve(), resolve)
  }
})
const lab = await startLab({ delayMs: Number(values["delay-ms"]) })
process.stdout.write(values.json ? `${JSON.stringify(summary(lab))}\n` : page(lab))
await ending
process.stdin.pause()
await lab.close()

function summary({ settings, characters }: Lab) {
  return {
    settings,
    characters: characters.map(({ name, domain, story, expect, because, ipv4, ipv6 }) => ({
      name,
      domain,
      story,
      expect,
      because,
      ipv4,
      ipv6,
    })),
  }
}

/** For a person: name, domain and verdict, then what to paste into a shell. */
function page({ settings, characters }: Lab): string {
  const rows = characters.map(
    ({ name, domain, expect, story }) =>
      `${expect.action.padEnd(8)} ${domain.padEnd(32)} ${name}: ${story}`,
  )
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}='${value}'`)
  return [
    ...rows,
    "",
    `${characters.length} characters on loopback. In another shell:`,
    "",
    ...lines,
    "",
    "Ctrl-C ends it.",
    "",
  ].join("\n")
}
