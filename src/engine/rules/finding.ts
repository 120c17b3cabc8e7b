/** How a rule says what it found. Invariant: `seen` is plain text, 120 characters at most. */
import type { Finding, Known, Why } from "../types.ts"

const MAX_SEEN_LENGTH = 120

/** @param seen - What was seen, in a stranger's words; made plain here. */
export function found(state: boolean, seen?: string): Finding {
  const text = seen === undefined ? "" : plainText(seen)
  return text === "" ? { state } : { state, seen: text }
}

export function unknown(because: Why): Finding {
  return { state: "unknown", because }
}

/** Judges a fact that was seen; of one that was not, passes the reason on. */
export function whenKnown<T>(fact: Known<T>, judge: (value: T) => Finding): Finding {
  return "unknown" in fact ? unknown(fact.unknown) : judge(fact.value)
}

/** Control, format and separator characters become one space; what is too long ends in "…". */
export function plainText(text: string): string {
  if (text.length <= MAX_SEEN_LENGTH && /^[!-~]+(?: [!-~]+)*$/.test(text)) return text
  const plain = text
    .slice(0, 4 * MAX_SEEN_LENGTH)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
  return shortened(plain, MAX_SEEN_LENGTH)
}

/** @returns The text, ending in "…" where it had more than `max` UTF-16 units. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text
  // A cut within a surrogate pair would leave half of it, which has no canonical form.
  return `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`
}
