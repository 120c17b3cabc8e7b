/** Metrics as text (OpenMetrics 1.0, as Prometheus reads it) out of families. Pure. */

export interface Family {
  /** Without the suffixes of its samples. */
  readonly name: string
  readonly type: "gauge" | "counter" | "histogram" | "gaugehistogram" | "info"
  /** Then it is the name's last word. */
  readonly unit?: "seconds" | "bytes"
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** `_total`, `_bucket`, …; none for gauges. */
  readonly suffix?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export const OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

export function openMetrics(families: readonly Family[]): string {
  return [...families.flatMap(familyLines), "# EOF", ""].join("\n")
}

function familyLines({ name, type, unit, help, samples }: Family): string[] {
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(({ suffix = "", labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
      return `${name}${suffix}${pairs.length === 0 ? "" : `{${pairs}}`} ${value}`
    }),
  ]
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')
}

/**
 * @param bounds - Upper ones; `counts` has one more, of what is above them all.
 * @param sum - Where it is known.
 * @returns Samples of a histogram, cumulative as they must be.
 */
export function histogramSamples(
  type: "histogram" | "gaugehistogram",
  labels: Sample["labels"],
  { bounds, counts, sum }: { bounds: readonly number[]; counts: readonly number[]; sum?: number },
): Sample[] {
  const prefix = type === "histogram" ? "_" : "_g"
  let total = 0
  const buckets = counts.map((count, n) => {
    total += count
    const le = bounds[n] === undefined ? "+Inf" : decimal(bounds[n])
    return { suffix: "_bucket", labels: { ...labels, le }, value: total }
  })
  return [
    ...buckets,
    { suffix: `${prefix}count`, labels, value: total },
    ...(sum === undefined ? [] : [{ suffix: `${prefix}sum`, labels, value: sum }]),
  ]
}

/** Bounds are written as floating-point numbers. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : `${value}`
}
