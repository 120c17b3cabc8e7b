/** One instance under steady load for a long time, and its figures all the while. */
import { readdirSync, readFileSync } from "node:fs"
import { Agent } from "node:https"
import { setTimeout as sleep } from "node:timers/promises"
import { generateKey } from "../../src/keys/format.ts"
import { savePlan } from "../../src/usage/plans.ts"
import { Cluster } from "../history/cluster.ts"
import { issue } from "../history/life.ts"
import { askOver } from "../program.ts"

const CLIENTS = 16
const PAUSE_MS = 20
/** A client comes anew after so many requests. */
const REUSE = 200
const DOMAINS = 2_000
const SAMPLES = 120
const PLAN = { units_per_month: 1_000_000_000, requests_per_second: 10_000, burst: 10_000 }
/** Well-formed, and nobody's. */
const UNKNOWN = generateKey("live")

export interface Sample {
  /** Since the start. */
  readonly seconds: number
  /** Resident, of the program. */
  readonly memoryMiB: number
  readonly files: number
  /** The program's to its database. */
  readonly connections: number
  readonly answers: number
  /** What was answered other than the request was made for: when, to what, and how. */
  readonly wrong: readonly string[]
  /** Usage rows of tomorrow have a place already. */
  readonly tomorrow: boolean
}

/** What is asked, and what it is answered with. */
const TARGETS = [
  { path: (n: number) => `/v1/analyze?domain=site-${n % 20}.test`, status: 200 },
  { path: (n: number) => `/v1/analyze?domain=site-${n % DOMAINS}.test`, status: 200 },
  { path: () => "/v1/usage", status: 200 },
  { path: () => "/v1/health", status: 200 },
  { path: () => "/v1/analyze?domain=not%20a%20name", status: 400 },
  { path: () => "/v1/usage", status: 401 },
]

/** @param told - Each sample as it is taken. */
export async function soak(minutes: number, told: (sample: Sample) => void): Promise<Sample[]> {
  const cluster = await Cluster.open({
    size: 1,
    settings: () => ({ ZT_OBSERVE_PER_MINUTE: "10000" }),
  })
  try {
    await cluster.admin.asOperator((tx) => savePlan(tx, "soak", PLAN, "test"))
    const client = await cluster.superuser()
    const keys = await Promise.all(
      ["one", "two", "three"].map(async (name) =>
        issue(client, await cluster.tenant(name, "soak")),
      ),
    )
    const program = cluster.instance(0)
    if (program === undefined) throw new Error("no instance")
    const ca = readFileSync(program.ca)
    let answers = 0
    const wrong: string[] = []
    let over = false
    const ask = async (first: number) => {
      let agent = new Agent({ ca, keepAlive: true })
      for (let n = first; !over; n += CLIENTS) {
        const { path, status } = TARGETS[n % TARGETS.length] ?? { path: () => "", status: 0 }
        const key = status === 401 ? UNKNOWN : (keys[n % keys.length] ?? "")
        const said = await askOver(agent, program.url, path(n), { key }).then(
          (answer) => (answer.status === status ? undefined : `${answer.status} ${answer.text}`),
          String,
        )
        answers++
        if (said !== undefined) wrong.push(`${secondsSince(began)} s, ${path(n)}: ${said}`)
        if (Math.floor(n / CLIENTS) % REUSE === 0) {
          agent.destroy()
          agent = new Agent({ ca, keepAlive: true })
        }
        await sleep(PAUSE_MS)
      }
      agent.destroy()
    }
    const began = performance.now()
    const clients = Array.from({ length: CLIENTS }, (_, n) => ask(n))
    const samples: Sample[] = []
    try {
      for (let n = 1; n <= SAMPLES; n++) {
        await sleep(Math.max(0, began + (n * minutes * 60_000) / SAMPLES - performance.now()))
        const { rows } = await client.query<{ connections: number; tomorrow: boolean }>(FIGURES)
        const sample = {
          seconds: secondsSince(began),
          memoryMiB: memoryOf(program.pid),
          files: readdirSync(`/proc/${program.pid}/fd`).length,
          connections: rows[0]?.connections ?? 0,
          answers,
          wrong,
          tomorrow: rows[0]?.tomorrow ?? false,
        }
        samples.push(sample)
        told(sample)
      }
    } finally {
      over = true
      await Promise.allSettled(clients)
      await client.end()
    }
    return samples
  } finally {
    await cluster.close()
  }
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 1000)
}

function memoryOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  return Math.round(Number(kibibytes) / 1024)
}

/** Where usage rows are not in partitions, there is always a place. */
const FIGURES = `
  select (select count(*)::integer from pg_stat_activity where usename = 'zt_runtime') as connections,
    (select relkind <> 'p' from pg_class where oid = 'live.usage'::regclass) or exists (
      select from pg_inherits i join pg_class c on c.oid = i.inhrelid,
        pg_get_expr(c.relpartbound, c.oid) as bound
      where i.inhparent = 'live.usage'::regclass
        and substring(bound from 'FROM \\(''([^'']+)')::timestamptz <= now() + interval '1 day'
        and substring(bound from 'TO \\(''([^'']+)')::timestamptz > now() + interval '1 day'
    ) as tomorrow`
