/**
 * The verdict as a person reads it on a terminal: score, what counted, what could not be seen,
 * what to do. Pure: a verdict and a width → text.
 *
 * Invariants: no line is wider than `columns` (60 or more); the points shown add up to the score;
 * whatever a stranger wrote is made harmless by `plain`.
 */
import type { InspectColor } from "node:util"
import type { Insight, Name, Verdict } from "../engine/types.ts"
import type { Paint } from "./paint.ts"
import { painter } from "./paint.ts"
import { bar, largeNumber } from "./report-digits.ts"
import type { Explained } from "./report-signals.ts"
import { signalLines } from "./report-signals.ts"
import { fit, plain, signed, width, wrap } from "./report-text.ts"

export interface ReportOptions {
  /** Width of the terminal; lines use 60 to 96 of it. */
  readonly columns: number
  readonly color: boolean
  /** Every signal with what was seen, to be listed too. */
  readonly explained?: readonly Explained[]
}

const LEVEL_COLOR = {
  low: "green",
  medium: "yellow",
  high: "red",
  critical: "red",
} as const satisfies Record<Verdict["risk_level"], InspectColor>

const MARGIN = "  "
const POINTS_COLUMNS = 4
/** Less than this of what was seen is not worth showing. */
const MIN_SEEN_COLUMNS = 12

export function renderReport(verdict: Verdict, name: Name, options: ReportOptions): string {
  const paint = painter(options.color)
  const columns = Math.min(96, Math.max(60, options.columns)) - 2 * MARGIN.length
  const sections = [
    headLines(verdict, name, columns, paint),
    wrap(plain(verdict.summary), columns),
    ...countedSections(verdict, columns, paint),
    unseenLines(verdict, columns, paint),
    nextLines(verdict, columns, paint),
    options.explained === undefined ? [] : signalLines(options.explained, verdict, columns, paint),
    footLines(verdict, options.explained !== undefined, columns, paint),
  ]
  const text = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => (line === "" ? "" : MARGIN + line)).join("\n"))
    .join("\n\n")
  return `\n${text}\n`
}

/** The score in large digits; beside it the name, a gauge, and the same in words. */
function headLines(verdict: Verdict, name: Name, columns: number, paint: Paint): string[] {
  const color = LEVEL_COLOR[verdict.risk_level]
  const digits = largeNumber(verdict.trust_score)
  const room = columns - digits[0].length - 3
  const title = name.unicode === name.host ? name.host : `${name.host} (${plain(name.unicode)})`
  const score = ` ${verdict.trust_score}/100`
  const gauge = bar(verdict.trust_score / 100, room - score.length)
  const words = `${verdict.risk_level} risk · ${verdict.recommended_action}`
  return [
    paint("bold", fit(title, room).trimEnd()),
    paint(color, gauge.full) + paint("dim", gauge.rest) + score,
    `${paint(["bold", color], words)} · confidence ${percent(verdict.confidence)}`,
  ].map((line, i) => `${paint(["bold", color], digits[i] ?? "")}   ${line}`)
}

/** What counted for it and against it, each with its sum, and how they make the score. */
function countedSections(verdict: Verdict, columns: number, paint: Paint): string[][] {
  const counted = verdict.insights.filter(({ category }) => category !== "score")
  const gained = counted.filter(({ points }) => points > 0)
  const lost = counted.filter(({ points }) => points < 0)
  const [plus, minus] = [sum(gained), sum(lost)]
  // What the end of the scale takes or gives is nobody's merit.
  const bound = sum(verdict.insights) - plus - minus
  const equation = [
    `${verdict.base} to start`,
    plus > 0 ? `+ ${plus} for it` : "",
    minus < 0 ? `− ${-minus} against it` : "",
    bound < 0 ? `− ${-bound} beyond 100` : bound > 0 ? `+ ${bound} below 0` : "",
    `= ${verdict.trust_score}`,
  ].filter(Boolean)
  const sections = [
    gained.length === 0
      ? []
      : [
          heading("Counts for it", plus, columns, paint),
          ...byWeight(gained).flatMap((i) => insightLines(i, "✓", "green", columns, paint)),
        ],
    lost.length === 0
      ? []
      : [
          heading("Counts against it", minus, columns, paint),
          ...byWeight(lost).flatMap((i) => [
            ...insightLines(i, "✗", "red", columns, paint),
            ...impactLines(i, columns, paint),
          ]),
        ],
  ]
  if (-minus > plus) sections.reverse() // what decided comes first
  const lines = wrap(equation.join(" "), columns)
  return [...sections, lines.map((line) => paint("bold", line.padStart(columns)))]
}

function sum(insights: readonly Insight[]): number {
  return insights.reduce((all, { points }) => all + points, 0)
}

function byWeight(insights: readonly Insight[]): Insight[] {
  return insights.toSorted((a, b) => Math.abs(b.points) - Math.abs(a.points))
}

function heading(title: string, points: number, columns: number, paint: Paint): string {
  const room = columns - POINTS_COLUMNS
  return paint("bold", fit(title, room) + signed(points).padStart(POINTS_COLUMNS))
}

function insightLines(
  insight: Insight,
  mark: string,
  color: InspectColor,
  columns: number,
  paint: Paint,
): string[] {
  const room = columns - 2 - POINTS_COLUMNS - 1
  const lines = titleLines(plain(insight.title), room)
  return lines.map((line, i) => {
    const text = lines.length === 1 ? dimSeen(line, paint) : line
    const start = i === 0 ? `${paint(color, mark)} ${text}` : `  ${text}`
    if (i < lines.length - 1) return start
    const gap = room - width(line)
    const leader = gap > 2 ? ` ${"·".repeat(gap - 1)} ` : " ".repeat(gap + 1)
    const points = signed(insight.points).padStart(POINTS_COLUMNS)
    return start + paint("dim", leader) + paint(color, points)
  })
}

function dimSeen(line: string, paint: Paint): string {
  const end = line.indexOf(": ") + 1
  return end === 0 ? line : line.slice(0, end) + paint("dim", line.slice(end))
}

/** What was seen ("title: seen") is cut rather than wrapped; the long form has it all. */
function titleLines(title: string, room: number): string[] {
  const [says = ""] = title.split(": ", 1)
  if (width(title) > room && width(says) <= room) {
    return [room - width(says) < MIN_SEEN_COLUMNS ? says : fit(title, room)]
  }
  return wrap(title.replace(/\.$/, ""), room)
}

function impactLines(insight: Insight, columns: number, paint: Paint): string[] {
  const room = columns - 2 - POINTS_COLUMNS - 1
  return wrap(plain(insight.impact), room).map((line) => paint("dim", `  ${line}`))
}

function unseenLines(verdict: Verdict, columns: number, paint: Paint): string[] {
  const unseen = verdict.insights.filter(({ severity }) => severity === "unknown")
  if (unseen.length === 0) return []
  const impacts = new Set(unseen.map(({ impact }) => plain(impact)))
  return [
    paint("bold", "Could not be seen"),
    ...unseen.flatMap(({ title }) => hanging(paint("yellow", "?"), plain(title), columns)),
    ...[...impacts].flatMap((impact) =>
      wrap(impact, columns - 2).map((line) => paint("dim", `  ${line}`)),
    ),
  ]
}

function nextLines(verdict: Verdict, columns: number, paint: Paint): string[] {
  if (verdict.next_steps.length === 0) return []
  return [
    paint("bold", "Next"),
    ...verdict.next_steps.flatMap((step) => hanging(paint("cyan", "→"), plain(step), columns)),
  ]
}

function footLines(verdict: Verdict, explained: boolean, columns: number, paint: Paint): string[] {
  const more = verdict.insights.filter((i) => i.points === 0 && i.severity !== "unknown").length
  const text = explained
    ? `Ruleset ${verdict.ruleset}, observation ${verdict.observation_digest.slice(0, 23)}…`
    : `${more === 0 ? "" : `${more} more without weight; `}--explain shows every signal. Ruleset ${verdict.ruleset}.`
  return wrap(text, columns).map((line) => paint("dim", line))
}

/** A mark, then text whose further lines stand below its first. */
function hanging(mark: string, text: string, columns: number): string[] {
  return wrap(text, columns - 2).map((line, i) => `${i === 0 ? mark : " "} ${line}`)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
