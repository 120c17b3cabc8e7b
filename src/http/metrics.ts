/**
 * What `/v1/health/metrics` tells: the deployment's traffic, and how this instance does.
 *
 * Owns: which figures, and how fine. Invariant: it is open to all, so whatever depends on requests is of
 * the last whole quarter of an hour (UTC), and of this instance looked at once in a quarter: nobody sees
 * from it when somebody else asked. Only what `/v1/health` says as well is of now.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Admission } from "../admission/admission.ts"
import { LATENCY_BUCKETS_MS } from "../admission/batch.ts"
import type { Measured } from "../admission/meter.ts"
import type { Database, Environment } from "../db/database.ts"
import type { Connections } from "../floods/connections.ts"
import type { Handshakes } from "../floods/handshakes.ts"
import type { Strangers } from "../floods/strangers.ts"
import type { Traffic } from "../usage/traffic.ts"
import { readTraffic } from "../usage/traffic.ts"
import type { Health } from "./health.ts"
import type { Family, Sample } from "./openmetrics.ts"
import { histogramSamples } from "./openmetrics.ts"

const QUARTER_MS = 900_000
/** By then the outcomes of a quarter's last requests are written. */
const SETTLED_MS = 60_000
/** Whoever asks waits no longer for the database, and it is asked no more often where it fails. */
const WAIT_MS = 2_000
const RETRY_MS = 10_000

const LATENCY_BOUNDS = LATENCY_BUCKETS_MS.map((ms) => ms / 1000)

export interface MetricsOptions {
  readonly database: Database
  readonly admissions: Readonly<Record<Environment, Pick<Admission, "measured">>>
  readonly floods: Floods
  readonly health: Health
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Who counts what came beyond the limits of floods/. */
interface Floods {
  readonly strangers: Pick<Strangers, "refused">
  readonly connections: Pick<Connections, "refused">
  readonly handshakes: Pick<Handshakes, "held" | "refused">
}

export interface Window {
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly until: number
}

interface Quarter extends Window {
  readonly families: readonly Family[]
}

export class Metrics {
  readonly #options: MetricsOptions
  #quarter: Quarter | undefined
  #reading: Promise<void> | undefined
  #retryAt = Number.NEGATIVE_INFINITY

  constructor(options: MetricsOptions) {
    this.#options = options
  }

  /** @returns All families; those of the window are not there while the database does not answer. */
  async read(): Promise<{ window: Window | undefined; families: Family[] }> {
    const { now } = this.#options
    const until = Math.floor((now() - SETTLED_MS) / QUARTER_MS) * QUARTER_MS
    if (this.#quarter?.until !== until && now() >= this.#retryAt) {
      this.#reading ??= this.#read(until - QUARTER_MS, until).finally(() => {
        this.#reading = undefined
      })
      await Promise.race([this.#reading, sleep(WAIT_MS, undefined, { ref: false })])
    }
    const quarter = this.#quarter?.until === until ? this.#quarter : undefined
    return { window: quarter, families: [...(await this.#present()), ...(quarter?.families ?? [])] }
  }

  async #read(since: number, until: number): Promise<void> {
    const { database, admissions, floods, now } = this.#options
    try {
      const traffic = await readTraffic(database, since, until)
      const families = [
        ...trafficFamilies(traffic),
        ...admissionFamilies({
          live: admissions.live.measured(),
          test: admissions.test.measured(),
        }),
        ...floodFamilies(floods),
        ...processFamilies(),
      ]
      const end = { labels: {}, value: until / 1000 }
      families.push({
        name: "zygentrust_window_end_timestamp_seconds",
        type: "gauge",
        unit: "seconds",
        help: "End of the 15 minutes that the figures named recent are of.",
        samples: [end],
      })
      this.#quarter = { since, until, families }
    } catch {
      this.#retryAt = now() + RETRY_MS // health says what is wrong
    }
  }

  async #present(): Promise<Family[]> {
    const { health, version } = this.#options
    const { components } = await health.report()
    return [
      {
        name: "zygentrust_build",
        type: "info",
        help: "The program.",
        samples: [{ suffix: "_info", labels: { version }, value: 1 }],
      },
      {
        name: "zygentrust_component_state",
        type: "gauge",
        help: "1 for the state that a component is in; /v1/health says why, and what to do.",
        samples: Object.entries(components).flatMap(([component, { status }]) =>
          ["ok", "degraded", "down"].map((state) => ({
            labels: { component, state },
            value: Number(state === status),
          })),
        ),
      },
    ]
  }
}

function trafficFamilies(traffic: readonly Traffic[]): Family[] {
  const requests: Sample[] = []
  const latencies: Sample[] = []
  for (const { environment, answers } of traffic) {
    for (const [route, ofRoute] of Map.groupBy(answers, (answer) => answer.route)) {
      const byClass = Map.groupBy(ofRoute, ({ statusClass }) => statusClass)
      for (const [statusClass, part] of [...byClass].sort(([a], [b]) => (a ?? 9) - (b ?? 9))) {
        const status = statusClass === null ? "unknown" : `${statusClass}xx`
        const value = part.reduce((sum, one) => sum + one.requests, 0)
        requests.push({ labels: { environment, route, status }, value })
      }
      const counts: number[] = Array(LATENCY_BOUNDS.length + 1).fill(0)
      for (const { latencyBucket, requests: more } of ofRoute) {
        if (latencyBucket !== null) counts[latencyBucket] = (counts[latencyBucket] ?? 0) + more
      }
      const histogram = { bounds: LATENCY_BOUNDS, counts }
      latencies.push(...histogramSamples("gaugehistogram", { environment, route }, histogram))
    }
  }
  return [
    {
      name: "zygentrust_requests_recent",
      type: "gauge",
      help: "Recorded answers of 15 minutes, of all instances, by route and class of status.",
      samples: requests,
    },
    {
      name: "zygentrust_request_duration_recent_seconds",
      type: "gaugehistogram",
      unit: "seconds",
      help: "How long the recorded answers of 15 minutes took.",
      samples: latencies,
    },
    {
      name: "zygentrust_unknown_keys_recent",
      type: "gauge",
      help: "Requests of 15 minutes with well-formed keys that nobody has, of all instances.",
      samples: traffic.map(({ environment, unknownKeys }) => ({
        labels: { environment },
        value: unknownKeys,
      })),
    },
  ]
}

function admissionFamilies(measured: Readonly<Record<Environment, Measured>>): Family[] {
  const each = Object.entries(measured)
  return [
    {
      name: "zygentrust_admission_batch_size",
      type: "histogram",
      help: "Requests and outcomes in one admission statement of this instance.",
      samples: each.flatMap(([environment, { sizes }]) =>
        histogramSamples("histogram", { environment }, sizes),
      ),
    },
    {
      name: "zygentrust_admission_duration_seconds",
      type: "histogram",
      unit: "seconds",
      help: "How long the admission statements of this instance took.",
      samples: each.flatMap(
        ([
          environment,
          {
            durationsMs: { bounds, counts, sum },
          },
        ]) =>
          histogramSamples(
            "histogram",
            { environment },
            { bounds: bounds.map((ms) => ms / 1000), counts, sum: sum / 1000 },
          ),
      ),
    },
    {
      name: "zygentrust_admission_failures",
      type: "counter",
      help: "Admission statements of this instance that failed.",
      samples: each.map(([environment, { failures }]) => ({
        suffix: "_total",
        labels: { environment },
        value: failures,
      })),
    },
  ]
}

function floodFamilies({ strangers, connections, handshakes }: Floods): Family[] {
  const counter = (name: string, help: string, values: readonly [Sample["labels"], number][]) => ({
    name,
    type: "counter" as const,
    help,
    samples: values.map(([labels, value]) => ({ suffix: "_total" as const, labels, value })),
  })
  return [
    counter(
      "zygentrust_strangers_over_limit",
      "Requests without a known key that came to this instance beyond its limits.",
      [[{}, strangers.refused]],
    ),
    counter(
      "zygentrust_connections_dropped",
      "Connections that this instance dropped before their handshake: one address had too many, or those without a good key came too fast.",
      [
        [{ limit: "address" }, connections.refused],
        [{ limit: "pace" }, handshakes.refused],
      ],
    ),
    counter(
      "zygentrust_handshakes_held",
      "Connections without a good key whose handshake this instance began later.",
      [[{}, handshakes.held]],
    ),
  ]
}

function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage()
  const gauge = (name: string, unit: "seconds" | "bytes", help: string, value: number): Family => ({
    name,
    type: "gauge",
    unit,
    help,
    samples: [{ labels: {}, value }],
  })
  return [
    {
      name: "process_cpu_seconds",
      type: "counter",
      unit: "seconds",
      help: "CPU time of this instance.",
      samples: [{ suffix: "_total", labels: {}, value: (user + system) / 1e6 }],
    },
    gauge(
      "process_resident_memory_bytes",
      "bytes",
      "Memory of this instance.",
      process.memoryUsage.rss(),
    ),
    gauge(
      "process_start_time_seconds",
      "seconds",
      "When this instance started, since 1970.",
      Math.floor(Date.now() / 1000 - process.uptime()),
    ),
  ]
}
