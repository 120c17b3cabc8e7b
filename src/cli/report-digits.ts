/** A number in large digits, three rows high, out of box-drawing characters. Pure. */

const DIGITS = [
  ["┏━┓", "┃ ┃", "┗━┛"],
  [" ╺┓", "  ┃", "  ╹"],
  ["╺━┓", "┏━┛", "┗━╸"],
  ["╺━┓", " ━┫", "╺━┛"],
  ["╻ ╻", "┗━┫", "  ╹"],
  ["┏━╸", "┗━┓", "╺━┛"],
  ["┏━╸", "┣━┓", "┗━┛"],
  ["╺━┓", "  ┃", "  ╹"],
  ["┏━┓", "┣━┫", "┗━┛"],
  ["┏━┓", "┗━┫", "╺━┛"],
] as const

/** @param value - A whole number, not negative. @returns Three rows of equal width. */
export function largeNumber(value: number): readonly [string, string, string] {
  const row = (i: 0 | 1 | 2) =>
    Array.from(String(value), (digit) => DIGITS[Number(digit)]?.[i] ?? "   ").join(" ")
  return [row(0), row(1), row(2)]
}

/** @param share - 0 to 1. @returns How many of `columns` are full, to an eighth, and the rest. */
export function bar(share: number, columns: number): { full: string; rest: string } {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8)
  const partial = " ▏▎▍▌▋▊▉"[eighths % 8] ?? " "
  const full = "█".repeat(Math.floor(eighths / 8)) + (eighths % 8 === 0 ? "" : partial)
  return { full, rest: "░".repeat(columns - full.length) }
}
