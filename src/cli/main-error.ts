/** What main prints when a command fails. Loaded only then. */
import { editDistance } from "../core/edit-distance.ts"
import { Problem } from "../core/problem.ts"
import { codeOf, withCauses } from "../core/thrown.ts"
import { findKeys } from "../keys/format.ts"
import { wrongUsage } from "./cli.ts"
import { plain } from "./report-text.ts"

/** Most letters that a command may be off by and still be suggested. */
const NEAR = 2

interface Context {
  readonly command: string | undefined
  readonly json: boolean
  /** Print too where it came from (`ZT_LOG_LEVEL=debug`). */
  readonly debug: boolean
}

/**
 * Prints what went wrong: a line, or `{"error": …}` with `json`.
 * @param error - A Problem, what `parseArgs` threw, or something unexpected.
 * @returns The exit code.
 */
export function report(error: unknown, context: Context, err: (text: string) => void): 1 | 2 {
  const problem = asProblem(error, context)
  const { code, message, details } = problem
  if (context.json) err(JSON.stringify({ error: { code, message, details } }))
  else err(`zygentrust: ${plain(message)}`)
  if (context.debug) err(plain(stackOf(error), { keepLines: true }))
  return code === "WRONG_USAGE" ? 2 : 1
}

function asProblem(error: unknown, { command, debug }: Context): Problem {
  if (error instanceof Problem) return error
  if (!(error instanceof Error)) return new Problem("INTERNAL")
  if (codeOf(error)?.startsWith("ERR_PARSE_ARGS_")) {
    const [what] = error.message.split(". To specify", 1)
    return wrongUsage(`${what}. See 'zygentrust ${command} --help'.`)
  }
  if (codeOf(error) === "ERR_MODULE_NOT_FOUND") {
    const message =
      "A package that this version needs is not installed: run 'npm ci' in the checkout, then try again."
    return new Problem("INTERNAL", { message, cause: error })
  }
  const more = debug ? "" : " ZT_LOG_LEVEL=debug shows where."
  return new Problem("INTERNAL", {
    message: `Something unexpected went wrong (${whatOf(error)}).${more}`,
    cause: error,
  })
}

/** Only the system's own messages are shown, a path or an address in them: others quote values. */
function whatOf(error: Error): string {
  if ("syscall" in error) return error.message
  const [{ name, code } = { name: "Error" }] = withCauses(error)
  return code === undefined ? name : `${name} ${code}`
}

function stackOf(error: unknown): string {
  return withCauses(error)
    .map(({ name, code, frames }) => [[name, code].join(" ").trim(), ...frames].join("\n  "))
    .join("\ncaused by ")
}

/** @returns The refusal of words that hold a well-formed key; undefined where none does. */
export function keyInArguments(argv: readonly string[]): Problem | undefined {
  if (argv.flatMap(findKeys).length === 0) return undefined
  return wrongUsage(
    "an API key stands among the arguments, where process lists and shell histories keep it. Treat it as exposed: revoke it by its id ('zygentrust keys list' shows ids), and issue another.",
  )
}

/** @returns A `WRONG_USAGE` that names the nearest command, if one is near. */
export function unknownCommand(name: string, commands: readonly string[]): Problem {
  const [nearest] = commands
    .map((command) => ({ command, distance: editDistance(name, command) }))
    .filter(({ distance }) => distance <= NEAR)
    .sort((a, b) => a.distance - b.distance)
  const advice = nearest
    ? `Did you mean '${nearest.command}'?`
    : `There are ${commands.join(", ")}; see 'zygentrust --help'.`
  return wrongUsage(`there is no command '${name}'. ${advice}`)
}
