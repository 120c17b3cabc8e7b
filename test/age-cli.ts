/** The `age` and `age-keygen` of the system: other people's judgement of our files. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"

const run = promisify(execFile)

/** @returns False, or why not, which is also said on standard error. */
export async function ageIsMissing(): Promise<string | false> {
  try {
    await run("age", ["--version"])
    return false
  } catch {
    const why = "age is not installed, so its judgement is MISSING (Debian: apt install age)"
    console.error(why)
    return why
  }
}

/** @returns What it wrote on standard output. @throws Error with what it said. */
export async function age(...args: readonly string[]): Promise<string> {
  return (await run("age", args)).stdout
}

/** Asks on a terminal, as age does for passphrases alone. @returns What came out of it. */
export async function ageOnTerminal(
  args: readonly string[],
  typed: readonly string[],
): Promise<string> {
  const child = spawn("script", ["-qec", ["age", ...args].join(" "), "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  child.stdin.write(typed.map((line) => `${line}\n`).join(""))
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (code !== 0) throw new Error(`age ended with ${code}: ${said}`)
  return said
}
