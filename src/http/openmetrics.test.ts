import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { histogramSamples, openMetrics } from "./openmetrics.ts"

describe("OpenMetrics text", () => {
  it("is families with their samples, and an end", () => {
    const text = openMetrics([
      {
        name: "a_seconds",
        type: "counter",
        unit: "seconds",
        help: "What.",
        samples: [{ suffix: "_total", labels: { b: "c", d: "e" }, value: 1.5 }],
      },
      { name: "f", type: "gauge", help: "", samples: [{ labels: {}, value: 0 }] },
    ])
    assert.equal(
      text,
      `# TYPE a_seconds counter
# UNIT a_seconds seconds
# HELP a_seconds What.
a_seconds_total{b="c",d="e"} 1.5
# TYPE f gauge
# HELP f${" "}
f 0
# EOF
`,
    )
  })

  it("escapes what would end a value or a line", () => {
    const labels = { a: 'x"\n\\' }
    const text = openMetrics([
      { name: "f", type: "gauge", help: "", samples: [{ labels, value: 1 }] },
    ])
    assert.ok(text.includes('f{a="x\\"\\n\\\\"} 1'), text)
  })

  it("histograms are cumulative, with bounds as floating-point numbers", () => {
    const samples = histogramSamples(
      "histogram",
      {},
      { bounds: [0.5, 1], counts: [1, 2, 3], sum: 9 },
    )
    assert.deepEqual(
      samples.map(({ suffix, labels, value }) => [suffix, labels["le"], value]),
      [
        ["_bucket", "0.5", 1],
        ["_bucket", "1.0", 3],
        ["_bucket", "+Inf", 6],
        ["_count", undefined, 6],
        ["_sum", undefined, 9],
      ],
    )
  })
})
