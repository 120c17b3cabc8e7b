/** The long form of the report: every signal, what was seen, and what it is worth. Pure. */
import type { Category, Finding, Verdict, Why } from "../engine/types.ts"
import { CATEGORIES } from "../engine/types.ts"
import type { Paint } from "./paint.ts"
import { fit, plain, signed, wrap } from "./report-text.ts"

/** One signal as its rule found it. */
export interface Explained {
  readonly code: string
  readonly category: Category
  readonly finding: Finding
  /** What the rule says for that state; absent when unknown. */
  readonly says?: string
}

const BECAUSE: Readonly<Record<Why, string>> = {
  timeout: "No answer in time.",
  deadline: "The time for the whole observation was over.",
  refused: "The connection was refused or reset.",
  unreachable: "There is no address, or no way to it.",
  servfail: "The resolver failed.",
  blocked: "The way leads to an address that is not visited.",
  challenge: "A bot challenge or a login stood in the way.",
  malformed: "The answer does not parse.",
  too_large: "The answer is larger than what is read.",
  server_error: "The server reported an error of its own.",
  tls_failed: "There is no HTTPS connection to see it through.",
  not_offered: "Nobody serves this here.",
  not_observed: "It was not asked for, or only one whose word does not count answered.",
  platform: "It describes the shared platform, not this name.",
}

const CODE_COLUMNS = 30

export function signalLines(
  signals: readonly Explained[],
  verdict: Verdict,
  columns: number,
  paint: Paint,
): string[] {
  const lines = [paint("bold", "Every signal")]
  for (const category of CATEGORIES) {
    const members = signals.filter((signal) => signal.category === category)
    if (members.length === 0) continue
    lines.push("", paint("bold", category))
    for (const signal of members) lines.push(...oneSignal(signal, verdict, columns, paint))
  }
  return lines
}

function oneSignal(signal: Explained, verdict: Verdict, columns: number, paint: Paint): string[] {
  const { code, finding } = signal
  const insight = verdict.insights.find(({ evidence }) => evidence[0] === code)
  const points = insight?.points ?? 0
  const state = finding.state === "unknown" ? "unknown" : finding.state ? "yes" : "no"
  const color =
    points > 0 ? "green" : points < 0 ? "red" : state === "unknown" ? "yellow" : undefined
  const row = fit(code, CODE_COLUMNS) + state
  const painted = state === "unknown" ? row : row + signed(points).padStart(columns - row.length)
  const about = [
    finding.state === "unknown" ? BECAUSE[finding.because] : (signal.says ?? ""),
    finding.state !== "unknown" && finding.seen !== undefined ? `Seen: ${finding.seen}` : "",
    points === 0 ? "" : (insight?.impact ?? ""),
  ]
  return [
    color === undefined ? painted : paint(color, painted),
    ...about
      .flatMap((text) => wrap(plain(text), columns - 2))
      .map((line) => paint("dim", `  ${line}`)),
  ]
}
