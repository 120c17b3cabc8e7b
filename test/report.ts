/**
 * What a test run says: one line a file, failures in full, and a closing that hides nothing.
 *
 * Owns: reading the events of node:test, the verdict over all files. No I/O.
 * Invariant: a test, or a suite, that was not run is named in the closing; where it must not be
 * (continuous integration), it fails the run.
 */
import { styleText } from "node:util"

/** As `node:test` emits them; only what is read here. */
export interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly nesting?: number
    readonly line?: number
    readonly skip?: string | boolean
    readonly todo?: string | boolean
    readonly message?: string
    readonly file?: string
    readonly details?: {
      readonly type?: string
      readonly error?: { readonly failureType?: string; readonly cause?: unknown }
    }
    readonly counts?: Counts
  }
}

export interface Counts {
  readonly tests: number
  readonly passed: number
  readonly failed: number
  readonly cancelled: number
}

interface Failure {
  readonly name: string
  readonly line: number | undefined
  readonly reason: string
}

/** What came of one file. */
export interface FileResult {
  /** Relative to the checkout, `/` between folders. */
  readonly file: string
  readonly durationMs: number
  readonly counts: Counts
  readonly failures: readonly Failure[]
  /** Tests and whole suites that did not run, each with its reason. */
  readonly notRun: readonly { readonly name: string; readonly because: string }[]
  /** What the file wrote to its output, for when it failed. */
  readonly output: string
}

const NONE: Counts = { tests: 0, passed: 0, failed: 0, cancelled: 0 }

/** Reads the events of one file's run. */
export function readEvents(
  file: string,
  path: string,
  durationMs: number,
  events: readonly TestEvent[],
): FileResult {
  const failures: Failure[] = []
  const notRun: { name: string; because: string }[] = []
  const output: string[] = []
  let counts = NONE
  for (const { type, data } of events) {
    const name = data.name ?? ""
    if (type === "test:stdout" || type === "test:stderr") output.push(data.message ?? "")
    if (type === "test:summary" && data.file === undefined) counts = data.counts ?? NONE
    if (type === "test:fail" && data.details?.error?.failureType !== "subtestsFailed") {
      failures.push({ name: name === path ? file : name, line: data.line, reason: reason(data) })
    }
    if (type === "test:pass" && name === path) {
      failures.push({ name: file, line: undefined, reason: "There is no test in it." })
    }
    const skip = data.skip ?? data.todo
    if (type === "test:pass" && skip !== undefined && skip !== false) {
      notRun.push({ name, because: typeof skip === "string" ? skip : "no reason is given" })
    }
  }
  return { file, durationMs, counts, failures, notRun, output: output.join("") }
}

/** Node's own cause of the failure; an aborted file has none. */
function reason({ details }: TestEvent["data"]): string {
  const error = details?.error
  if (error?.failureType === "testAborted") return "It did not end in time, and was stopped."
  const cause = error?.cause
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? "It failed.")
}

/** @returns The file's line, and what went wrong in it. */
export function fileText(result: FileResult): string {
  const { file, durationMs, counts, failures, notRun } = result
  const failed = failures.length > 0
  const mark = failed ? styleText("red", "✗") : styleText("green", "✓")
  const skipped = notRun.length > 0 ? styleText("yellow", ` ${notRun.length} not run`) : ""
  const time = styleText("dim", `${Math.round(durationMs)} ms`)
  const line = `${mark} ${file.padEnd(48)} ${String(counts.tests).padStart(4)} ${time}${skipped}`
  if (!failed) return line
  const details = failures.map(
    ({ name, line: at, reason }) =>
      `${styleText(["red", "bold"], name)} ${styleText("dim", at ? `${file}:${at}` : "")}\n${reason}`,
  )
  const output = result.output.trim()
  if (output !== "") details.push(`${styleText("bold", "Its output:")}\n${output}`)
  return [line, ...details.map(indent)].join("\n")
}

/** What the whole run came to. `strict`: what was not run is a failure. */
export function closing(
  results: readonly FileResult[],
  options: { strict: boolean; durationMs: number; notes: readonly string[] },
): { ok: boolean; text: string } {
  const sum = (pick: (result: FileResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  const notRun = results.flatMap(({ file, notRun }) =>
    notRun.map(({ name, because }) => ({ file, name, because })),
  )
  const broken = results.filter((result) => result.failures.length > 0)
  const pass = sum(({ counts }) => counts.passed)
  const ok = broken.length === 0 && pass > 0 && !(options.strict && notRun.length > 0)
  const box = [
    ...byReason(notRun),
    ...(notRun.length > 0 && options.strict
      ? ["Nothing may be left out here, so this fails."]
      : []),
    ...options.notes,
  ]
  const lines = [
    "",
    ...broken.flatMap(({ file, failures }) => [
      styleText("red", `✗ ${file}: ${failures.length} failed`),
      ...failures.map(({ name, line, reason }) => {
        const where = line === undefined ? "" : ` (line ${line})`
        return `    ${name}${where}: ${reason.split("\n", 1)}`
      }),
    ]),
    ...(box.length > 0 ? [framed("NOT RUN", box)] : []),
    `# files ${results.length}`,
    `# tests ${sum(({ counts }) => counts.tests)}`,
    `# pass ${pass}`,
    `# fail ${sum(({ failures }) => failures.length)}`,
    `# cancelled ${sum(({ counts }) => counts.cancelled)}`,
    `# skipped ${notRun.length}`,
    `# duration_ms ${Math.round(options.durationMs)}`,
  ]
  return { ok, text: lines.join("\n") }
}

function byReason(
  notRun: readonly { file: string; name: string; because: string }[],
): readonly string[] {
  return [...Map.groupBy(notRun, ({ because }) => because)].flatMap(([because, tests]) => [
    `${tests.length} for this reason: ${because}`,
    ...tests.map(({ file, name }) => `  ${file}: ${name}`),
  ])
}

function framed(title: string, lines: readonly string[]): string {
  const rule = (corner: string, text: string) => `${corner}${text.padEnd(78, "─")}`
  return styleText(
    ["yellow", "bold"],
    [rule("┌", `─ ${title} `), ...lines.map((line) => `│ ${line}`), rule("└", "")].join("\n"),
  )
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ")
}
