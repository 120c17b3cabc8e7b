/** Text on a terminal: made harmless, measured in columns, wrapped. Pure. */
import { stripVTControlCharacters } from "node:util"

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Two columns: East Asian Wide and Fullwidth (UAX #11), and what is drawn as an emoji. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])/u

/**
 * A stranger's text, harmless: no escape sequence, no control or invisible character, no change
 * of direction, no tower of accents, and no line break unless `keepLines`.
 */
export function plain(text: string, { keepLines = false } = {}): string {
  if (keepLines) {
    return text
      .split("\n")
      .map((line) => plain(line))
      .join("\n")
  }
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/\p{Cf}/gu, "") // bidirectional controls, zero-width characters, tags
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/[\p{Co}\p{Cn}]/gu, "\ufffd")
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
}

/** @param text - Without escape sequences. @returns Columns that a terminal gives it. */
export function width(text: string): number {
  let columns = 0
  for (const { segment } of GRAPHEMES.segment(text)) columns += graphemeWidth(segment)
  return columns
}

function graphemeWidth(grapheme: string): 0 | 1 | 2 {
  if (WIDE.test(grapheme)) return 2
  return /^[\p{M}\p{Cf}\p{Cc}]+$/u.test(grapheme) ? 0 : 1
}

/** Breaks at spaces, and inside of a word only where it has no room of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ""
  const flush = () => {
    if (line !== "") lines.push(line)
    line = ""
  }
  for (const word of text.split(" ")) {
    if (word === "") continue
    const joined = line === "" ? word : `${line} ${word}`
    if (width(joined) <= columns) {
      line = joined
      continue
    }
    flush()
    for (const piece of cut(word, columns)) {
      flush()
      line = piece
    }
  }
  flush()
  return lines
}

function cut(word: string, columns: number): string[] {
  const pieces: string[] = []
  let piece = ""
  for (const { segment } of GRAPHEMES.segment(word)) {
    if (piece !== "" && width(piece) + graphemeWidth(segment) > columns) {
      pieces.push(piece)
      piece = ""
    }
    piece += segment
  }
  return [...pieces, piece]
}

/** The text, followed by spaces up to a width; cut with an ellipsis when it is longer. */
export function fit(text: string, columns: number): string {
  const all = width(text)
  if (all <= columns) return text + " ".repeat(columns - all)
  const [head = ""] = cut(text, columns - 1)
  return fit(`${head}…`, columns)
}

/** @returns `+4`, `−4` (U+2212) or `0`. */
export function signed(points: number): string {
  return points > 0 ? `+${points}` : points < 0 ? `−${-points}` : "0"
}
