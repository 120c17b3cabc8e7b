/** What main prints when a command fails. Loaded only then. */
import { Problem } from "../core/problem.ts"
import { wrongUsage } from "./cli.ts"
import { plain } from "./report-text.ts"

/** Most letters that a command may be off by and still be suggested. */
const NEAR = 2

interface Context {
  readonly command: string | undefined
  readonly json: boolean
  /** Print the stack too (`ZT_LOG_LEVEL=debug`). */
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
  if ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_")) {
    const [what] = error.message.split(". To specify", 1)
    return wrongUsage(`${what}. See 'zygentrust ${command} --help'.`)
  }
  const more = debug ? "" : " ZT_LOG_LEVEL=debug shows where."
  return new Problem("INTERNAL", {
    message: `Something unexpected went wrong: ${error.message}.${more}`,
    cause: error,
  })
}

function stackOf(error: unknown): string {
  const stacks: string[] = []
  for (let e = error; e instanceof Error; e = e.cause) stacks.push(e.stack ?? e.message)
  return stacks.join("\ncaused by ")
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

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (di: number, dj: number) => (di === 0 ? row : rows[i - di])?.[j - dj] ?? Infinity
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(1, 0) + 1,
          at(0, 1) + 1,
          at(1, 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? at(2, 2) + 1 : Infinity,
        ),
      )
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? Infinity
}
