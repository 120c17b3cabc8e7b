/**
 * What every command is given, and what it must be. One file a command; `main.ts` loads the one
 * that was asked for, and prints its Problems.
 *
 * A command parses its own arguments with `parseArgs` of `node:util` (main turns what that throws
 * into wrong usage), and imports what is heavy inside `run`, so that help is quick.
 */
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"

export interface Cli {
  readonly config: Config
  /** Writes a line to standard output: the result, and nothing but the result. */
  out(text: string): void
  /** Writes a line to standard error: everything else that a person should read. */
  err(text: string): void
  /** `--json` was given: `out` is called once, with one document. */
  readonly json: boolean
  readonly terminal: Terminal
  /** Aborts on Ctrl-C and SIGTERM. A command that stops for it throws the signal's reason. */
  readonly signal: AbortSignal
}

export interface Terminal {
  /** Standard output shows colour (a terminal; `NO_COLOR` and `FORCE_COLOR` are heeded). */
  readonly color: boolean
  /** Width of standard output; 80 where it is no terminal. */
  readonly columns: number
  /** Standard error is a terminal, so progress can be shown on it. */
  readonly interactive: boolean
}

/** 0 done, 1 refused, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2

export interface Command {
  /** All that `--help` prints: usage, options, an example. */
  readonly help: string
  /**
   * @param argv - What follows the command's name; `--json` and `--help` are taken out.
   * @throws Problem, which main prints: exit 1, or 2 for `WRONG_USAGE`.
   */
  run(argv: string[], cli: Cli): Promise<ExitCode>
}

/** @param message - What is wrong and what would be right. Main adds where the help is. */
export function wrongUsage(message: string): Problem {
  return new Problem("WRONG_USAGE", { message })
}
