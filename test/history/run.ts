/** One run: instances, operators, clients and mishaps, and what came of it. */
import { seeded } from "../kills/random.ts"
import { ask } from "./clients.ts"
import { Cluster } from "./cluster.ts"
import { History } from "./history.ts"
import { newSlots, operate } from "./life.ts"
import type { Mishaps } from "./mishaps.ts"
import { befall } from "./mishaps.ts"

const INSTANCES = 3
const KEYS_OF_A_TENANT = 5

export interface RunOptions {
  readonly requests: number
  /** Requests under way at once. */
  readonly clients: number
  /** Mean time between mishaps; none without. */
  readonly mishapEveryMs?: number
  /** That there are at a time. */
  readonly keys?: number
  /** They change the keys, each some a second. */
  readonly operators?: number
  /** It is over then, however few were answered. */
  readonly atMostMs?: number
  /** Loaded into one instance. */
  readonly preload?: string
}

export interface Outcome {
  readonly seed: number
  readonly history: History
  readonly mishaps: Mishaps | undefined
}

export async function runHistory(options: RunOptions): Promise<Outcome> {
  const random = seeded()
  const history = new History()
  const { preload, keys = 24, operators = 12, atMostMs = Number.POSITIVE_INFINITY } = options
  const cluster = await Cluster.open({
    size: INSTANCES,
    settings: (n) => ({ ...(n === 0 && preload && { NODE_OPTIONS: `--import=${preload}` }) }),
  })
  try {
    const length = Math.ceil(keys / KEYS_OF_A_TENANT)
    const names = Array.from({ length }, (_, n) => `Tenant ${n}`)
    const tenants = await Promise.all(names.map((name) => cluster.tenant(name)))
    const slots = newSlots(history, tenants, keys)
    let failed = false
    const end = performance.now() + atMostMs
    const isOver = () => failed || history.size >= options.requests || performance.now() > end
    const { mishapEveryMs } = options
    const befalling =
      mishapEveryMs === undefined ? undefined : befall(cluster, random, mishapEveryMs, isOver)
    await together(
      [
        ...Array.from({ length: operators }, (_, n) => {
          const own = slots.filter((__, slot) => slot % operators === n)
          return operate(cluster, history, random, own, isOver)
        }),
        ...Array.from({ length: options.clients }, () =>
          ask(cluster, history, random, slots, isOver),
        ),
        ...(befalling === undefined ? [] : [befalling]),
      ],
      () => {
        failed = true
      },
    )
    const mishaps = await befalling
    return { seed: random.seed, history, mishaps }
  } finally {
    await cluster.close()
  }
}

/** Waits for all of them, also when one fails: then the others are told. */
export async function together(
  works: readonly Promise<unknown>[],
  onFailure: () => void,
): Promise<void> {
  for (const work of works) work.catch(onFailure)
  const results = await Promise.allSettled(works)
  for (const result of results) if (result.status === "rejected") throw result.reason
}
