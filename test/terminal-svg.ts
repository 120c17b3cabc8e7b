/**
 * A terminal's output → an SVG that follows the reader's light or dark scheme. Pure.
 *
 * Every run of text is stretched to its place in the grid, and lines and blocks are drawn as
 * shapes, so that it looks the same whatever monospace font the reader has.
 */
import { width } from "../src/cli/report-text.ts"

const CELL = { width: 8.4, height: 20 }
const PADDING = { x: 14, top: 46, bottom: 14 }

/** SGR parameters (ECMA-48 §8.3.117) that the report uses, as CSS classes. */
const CLASSES: Readonly<Record<string, string>> = {
  "1": "bold",
  "2": "dim",
  "31": "red",
  "32": "green",
  "33": "yellow",
  "36": "cyan",
}
const RESETS: Readonly<Record<string, readonly string[]>> = {
  "22": ["bold", "dim"],
  "39": ["red", "green", "yellow", "cyan"],
}

/** Arms of a box-drawing character from the middle of its cell: left, right, up, down. */
const ARMS: Readonly<Record<string, string>> = {
  "━": "lr",
  "┃": "ud",
  "┏": "rd",
  "┓": "ld",
  "┗": "ru",
  "┛": "lu",
  "┣": "rud",
  "┫": "lud",
  "╺": "r",
  "╸": "l",
  "╹": "u",
  "╻": "d",
}
const EIGHTHS = " ▏▎▍▌▋▊▉█"

/** One box-drawing character; or blocks; or shade; or spaces; or words one space apart. */
const RUNS =
  /[\u2500-\u257f]|[\u2588-\u258f]+|░+| +|[^\u2500-\u257f\u2588-\u258f░ ]+(?: [^\u2500-\u257f\u2588-\u258f░ ]+)*/gu

const STYLE = `
svg { --fg: #1f2328; --dim: #6e7781; --bg: #ffffff; --edge: #d0d7de; --bar: #f6f8fa;
  --green: #1a7f37; --red: #cf222e; --yellow: #9a6700; --cyan: #0969da; }
@media (prefers-color-scheme: dark) {
  svg { --fg: #e6edf3; --dim: #8b949e; --bg: #0d1117; --edge: #30363d; --bar: #161b22;
    --green: #3fb950; --red: #f85149; --yellow: #d29922; --cyan: #58a6ff; } }
text { font: 14px ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
  "Liberation Mono", monospace; fill: var(--fg); white-space: pre; }
path { stroke: var(--fg); stroke-width: 2.5; fill: none; }
rect.cell { fill: var(--fg); }
.bold { font-weight: 600; }
text.dim { fill: var(--dim); }
${["green", "red", "yellow", "cyan"]
  .map(
    (name) =>
      `text.${name}, rect.cell.${name} { fill: var(--${name}); } path.${name} { stroke: var(--${name}); }`,
  )
  .join("\n")}
rect.empty { fill: var(--edge); }
`

/**
 * @param output - Text with SGR sequences, as written to a terminal.
 * @param title - Shown in the window's bar, and read by screen readers.
 */
export function terminalSvg(output: string, title: string, columns: number): string {
  const lines = output.replace(/\n+$/, "").split("\n")
  const [w, h] = [
    Math.ceil(columns * CELL.width + 2 * PADDING.x),
    Math.ceil(lines.length * CELL.height + PADDING.top + PADDING.bottom),
  ]
  const dots = [20, 38, 56].map((x) => `<circle cx="${x}" cy="17" r="5.5" fill="var(--edge)"/>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${xml(title)}">`,
    `<title>${xml(title)}</title><style>${STYLE}</style>`,
    `<rect x=".5" y=".5" width="${w - 1}" height="${h - 1}" rx="10" fill="var(--bg)" stroke="var(--edge)"/>`,
    `<path d="M.5 34.5H${w - 0.5}" style="stroke:var(--edge);stroke-width:1"/>`,
    ...dots,
    `<text x="${w / 2}" y="22" text-anchor="middle" class="dim">${xml(title)}</text>`,
    ...lines.flatMap((line, row) => lineShapes(line, PADDING.top + row * CELL.height)),
    "</svg>",
    "",
  ].join("\n")
}

function lineShapes(line: string, y: number): string[] {
  const shapes: string[] = []
  let column = 0
  for (const { text, classes } of styledRuns(line)) {
    const name = [...classes].join(" ")
    for (const run of text.match(RUNS) ?? []) {
      const x = PADDING.x + column * CELL.width
      const columns = width(run)
      if (run.trim() !== "") shapes.push(shape(run, columns, x, y, name))
      column += columns
    }
  }
  return shapes
}

function shape(run: string, columns: number, x: number, y: number, name: string): string {
  const arms = ARMS[run]
  if (arms !== undefined) return boxPath(arms, x, y, name)
  if (run.startsWith("░")) return gauge(x, y, columns, "empty")
  if (EIGHTHS.includes(run[0] ?? "")) {
    const cells = Array.from(run).reduce((sum, block) => sum + EIGHTHS.indexOf(block) / 8, 0)
    return gauge(x, y, columns, "empty") + gauge(x, y, cells, `cell ${name}`)
  }
  const length = (columns * CELL.width).toFixed(1)
  return `<text x="${x.toFixed(1)}" y="${y + 15}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${name ? ` class="${name}"` : ""}>${xml(run)}</text>`
}

function gauge(x: number, y: number, cells: number, name: string): string {
  const w = (cells * CELL.width).toFixed(1)
  return `<rect x="${x.toFixed(1)}" y="${y + 4}" width="${w}" height="${CELL.height - 8}" class="${name}"/>`
}

/** Two arms are one stroke, so that their corner is whole; ends overlap a little, without gaps. */
function boxPath(arms: string, x: number, y: number, name: string): string {
  const middle = `${(x + CELL.width / 2).toFixed(1)} ${y + CELL.height / 2}`
  const end: Readonly<Record<string, string>> = {
    l: `${(x - 0.4).toFixed(1)} ${y + CELL.height / 2}`,
    r: `${(x + CELL.width + 0.4).toFixed(1)} ${y + CELL.height / 2}`,
    u: `${(x + CELL.width / 2).toFixed(1)} ${y - 0.4}`,
    d: `${(x + CELL.width / 2).toFixed(1)} ${y + CELL.height + 0.4}`,
  }
  const [first = "", second, third] = Array.from(arms, (arm) => end[arm])
  const stroke = `M${first}L${middle}${second ? `L${second}` : ""}${third ? `M${middle}L${third}` : ""}`
  return `<path class="${name}" d="${stroke}"/>`
}

function* styledRuns(line: string): Generator<{ text: string; classes: ReadonlySet<string> }> {
  const classes = new Set<string>()
  const [first = "", ...parts] = line.split("\u001b[")
  if (first !== "") yield { text: first, classes }
  for (const part of parts) {
    const end = part.indexOf("m")
    for (const code of part.slice(0, end).split(";")) {
      const added = CLASSES[code]
      if (added !== undefined) classes.add(added)
      for (const removed of RESETS[code] ?? []) classes.delete(removed)
    }
    if (end + 1 < part.length) yield { text: part.slice(end + 1), classes }
  }
}

function xml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
}
