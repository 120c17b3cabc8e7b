/**
 * Draws `docs/report.svg`, the picture in the README, from a real run of the program in the lab:
 *
 *     bin/node test/report-picture.ts
 */
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { ROOT } from "../src/settings.ts"
import { terminalSvg } from "./terminal-svg.ts"

const DOMAIN = "bot-challenge.test"
const COLUMNS = 80

const { stdout } = await promisify(execFile)(
  join(ROOT, "bin/zygentrust"),
  ["analyze", DOMAIN, "--lab"],
  { env: { PATH: "/usr/bin:/bin", FORCE_COLOR: "1" } },
)
const file = join(ROOT, "docs/report.svg")
await writeFile(file, terminalSvg(stdout, `zygentrust analyze ${DOMAIN}`, COLUMNS))
process.stdout.write(`${file}\n`)
