/**
 * What paying tenants notice of a flood of 50 times their load without a good key: p50 and p99 of their
 * requests, alone and under the flood, in interleaved rounds.
 *
 * `bin/node bench/flood.ts [--kind mixed] [--paying 100] [--times 50] [--addresses 500] [--rounds 5]
 * [--seconds 8] [--fresh] [--unlimited]`. Kinds: keyless, malformed, unknown (well-formed, another one each
 * time), mixed of all three. Both loads have fixed rates and keep them whatever comes back; latency counts
 * from when a request was due, so that who waits is seen. `--fresh`: the flood makes a new connection for
 * each request. `--unlimited`: without the limit, for comparison. The flooder is another machine in real
 * life: here it runs at the lowest priority (nice 19), so that it takes no turn of the program's.
 * Where others keep the cores busy it is starved, and the round says little: see how many a second it sent.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { Agent, request } from "node:https"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { SETTINGS } from "../src/settings.ts"
import { startProgram } from "../test/program.ts"

const TARGET = "/v1/analyze?domain=lindenshop.test"
const PAYING_CONNECTIONS = 16

const { values } = parseArgs({
  options: {
    kind: { type: "string", default: "mixed" },
    paying: { type: "string", default: "100" },
    times: { type: "string", default: "50" },
    addresses: { type: "string", default: "500" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
    fresh: { type: "boolean", default: false },
    unlimited: { type: "boolean", default: false },
  },
})
/** Paying requests that did not get their answer. */
let refused = 0
const paying = Number(values.paying)
const seconds = Number(values.seconds)

interface Round {
  readonly p50: number
  readonly p99: number
  /** Of the program, in cores. */
  readonly cpu: number
}

interface Flood {
  readonly perSecond: number
  readonly statuses: Readonly<Record<string, number>>
  /** Not sent, because each connection still waited for its answer. */
  readonly late: number
  readonly failed: number
  readonly cpu: number
}

const program = await startProgram({
  arguments: ["--lab"],
  environment: {
    ZT_STRANGERS_PER_SECOND: values.unlimited
      ? "1000000"
      : (SETTINGS.strangersPerSecond.fallback ?? ""),
  },
})
try {
  const agent = new Agent({
    ca: readFileSync(program.ca),
    keepAlive: true,
    maxSockets: PAYING_CONNECTIONS,
  })
  const key = program.keys?.live ?? ""
  await program.ask(TARGET, { key })
  await pay(agent, key, 3)
  const alone: Round[] = []
  const under: Round[] = []
  const floods: Flood[] = []
  for (let n = 0; n < Number(values.rounds); n++) {
    alone.push(await pay(agent, key, seconds))
    const end = await startFlood()
    under.push(await pay(agent, key, seconds))
    floods.push(await end())
    await sleep(3_000) // limits are whole again
  }
  agent.destroy()
  const limit = values.unlimited ? "without the limit" : "limited"
  console.log(
    `${paying} paying requests a second, flood of ${values.times} times as many (${values.kind}, ${values.addresses} addresses, ${values.fresh ? "a connection each" : "connections kept"}), ${limit}; ${availableParallelism()} cores, ${values.rounds} rounds of ${seconds} s, medians:`,
  )
  console.log(row("alone", alone))
  console.log(row("under the flood", under))
  const ratio = (field: "p50" | "p99") => (median(under, field) / median(alone, field)).toFixed(2)
  const each = under.map(({ p99 }, n) => (p99 / (alone[n]?.p99 ?? 0)).toFixed(2))
  console.log(
    `ratio            p50 ${ratio("p50")}, p99 ${ratio("p99")} (goal 2; rounds: ${each.join(", ")})`,
  )
  console.log(`paying requests refused: ${refused}`)
  for (const { perSecond, statuses, late, failed, cpu } of floods) {
    console.log(
      `flood            ${perSecond.toFixed(0)} a second, ${JSON.stringify(statuses)}, ${late} not sent, ${failed} connections failed, ${(cpu / seconds).toFixed(2)} cores of its own`,
    )
  }
} finally {
  await program.stop()
}

/** @returns What ends it. */
async function startFlood(): Promise<() => Promise<Flood>> {
  const { port } = new URL(program.url)
  const rate = String(paying * Number(values.times))
  const child = spawn(
    "nice",
    [
      ...["-n", "19", process.execPath],
      join(import.meta.dirname, "flooder.ts"),
      ...[port, program.ca, rate, values.addresses, values.kind, values.fresh ? "fresh" : "keep"],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  )
  const lines = createInterface({ input: child.stdout })
  await once(lines, "line")
  child.stdin.write("go\n")
  return async () => {
    const last = once(lines, "line")
    child.stdin.end()
    return JSON.parse((await last)[0])
  }
}

/** The paying load for so long: each request is due at its time, whatever became of the others. */
async function pay(agent: Agent, key: string, forSeconds: number): Promise<Round> {
  const latencies: number[] = []
  const open: Promise<void>[] = []
  const cpuBefore = await cpuSeconds(program.pid)
  const began = performance.now()
  for (let n = 0; n < paying * forSeconds; n++) {
    const due = began + (n * 1_000) / paying
    const early = due - performance.now()
    if (early > 0) await sleep(early)
    open.push(ask(agent, key).then(() => void latencies.push(performance.now() - due)))
  }
  await Promise.all(open)
  const took = (performance.now() - began) / 1_000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), cpu: ((await cpuSeconds(program.pid)) - cpuBefore) / took }
}

async function ask(agent: Agent, key: string): Promise<void> {
  const sent = request(`${program.url}${TARGET}`, { agent, headers: { "x-api-key": key } })
  sent.end()
  const [response] = await once(sent, "response")
  for await (const _ of response);
  if (response.statusCode !== 200) refused++
}

/** User and system time of a process (proc(5), fields 14 and 15, in ticks of 10 ms). */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function median(rounds: readonly Round[], field: keyof Round): number {
  const sorted = rounds.map((round) => round[field]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function row(name: string, rounds: readonly Round[]): string {
  const ms = (field: "p50" | "p99") => `${field} ${median(rounds, field).toFixed(2)} ms`
  return `${name.padEnd(16)} ${ms("p50")}, ${ms("p99")}, program ${median(rounds, "cpu").toFixed(2)} cores`
}
