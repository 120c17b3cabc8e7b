/**
 * Full load by `wrk` on one server or several, and whose CPU it took.
 *
 * Keys go by turns, one a request. Latencies are those of the slowest server's clients.
 */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { interrupted } from "./tidy.ts"

const TICK_MICROS = 10_000
/** In less, a busy machine may not even have shaken all hands. */
const MIN_SECONDS = 2

/** A server process. */
export interface Target {
  readonly url: string
  readonly pid: number
}

export interface LoadOptions {
  /** Path and query. */
  readonly path: string
  readonly keys: readonly string[]
  /** Together, over all targets. */
  readonly connections: number
  readonly seconds: number
  /** For the script with the keys, and to know the PostgreSQL that runs below it. */
  readonly dataDir: string
}

export interface Load {
  readonly requests: number
  readonly perSecond: number
  readonly p99Ms: number
  /** User and system time a request, of all targets together. */
  readonly apiMicros: number
  /** The same of all PostgreSQL processes below the data folder. */
  readonly databaseMicros: number
}

/** @throws Error where an answer is no 2xx, or none came: a load that fails measures nothing. */
export async function load(targets: readonly Target[], options: LoadOptions): Promise<Load> {
  const { path, keys, connections, seconds, dataDir } = options
  const cpu = () => [
    targets.reduce((sum, { pid }) => sum + cpuMicros(pid), 0),
    databaseCpuMicros(dataDir),
  ]
  const sent = await keyOptions(keys, path, dataDir)
  const [apiBefore = 0, databaseBefore = 0] = cpu()
  const outputs = await Promise.all(
    targets.map(({ url }) =>
      promisify(execFile)(
        "wrk",
        [
          ...["-t1", "--latency", "--timeout", "10s"],
          `-c${Math.ceil(connections / targets.length)}`,
          ...[`-d${Math.max(MIN_SECONDS, seconds)}s`, ...sent, `${url}${path}`],
        ],
        { signal: interrupted },
      ),
    ),
  )
  const [apiAfter = 0, databaseAfter = 0] = cpu()
  const read = outputs.map(({ stdout }) => readWrk(stdout))
  const requests = read.reduce((sum, one) => sum + one.requests, 0)
  return {
    requests,
    perSecond: read.reduce((sum, one) => sum + one.perSecond, 0),
    p99Ms: Math.max(...read.map(({ p99Ms }) => p99Ms)),
    apiMicros: (apiAfter - apiBefore) / requests,
    databaseMicros: (databaseAfter - databaseBefore) / requests,
  }
}

/** One key needs no script; with several, they go by turns. */
async function keyOptions(
  keys: readonly string[],
  path: string,
  folder: string,
): Promise<string[]> {
  if (keys.length === 1) return ["-H", `x-api-key: ${keys[0]}`]
  const script = join(folder, "bench-keys.lua")
  await writeFile(script, luaOf(keys, path), { mode: 0o600 })
  return ["-s", script]
}

/** Requests written out once: a script that formats each would be the load generator's own load. */
function luaOf(keys: readonly string[], path: string): string {
  return `local keys = {${keys.map((key) => JSON.stringify(key)).join(",")}}
local requests, n = {}, 0
init = function()
  for i, key in ipairs(keys) do
    requests[i] = wrk.format("GET", ${JSON.stringify(path)}, { ["x-api-key"] = key })
  end
end
request = function()
  n = n % #requests + 1
  return requests[n]
end
`
}

function readWrk(text: string): Pick<Load, "requests" | "perSecond" | "p99Ms"> {
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(text)
  const [, number, unit = ""] = /99% +([\d.]+)(us|ms|s)/.exec(text) ?? []
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  const perSecond = Number(/Requests\/sec: +([\d.]+)/.exec(text)?.[1])
  const p99Ms = Number(number) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? Number.NaN)
  if (!(requests > 0)) throw new Error(text)
  return { requests, perSecond, p99Ms }
}

/** User and system time of a process (proc(5), fields 14 and 15, in ticks of 10 ms). */
export function cpuMicros(pid: number): number {
  const [user = 0, system = 0] = times(String(pid))
  return (user + system) * TICK_MICROS
}

/** Of the servers below a folder, with their processes that have ended (fields 16 and 17). */
export function databaseCpuMicros(dataDir: string): number {
  let ticks = 0
  for (const pid of readdirSync("/proc")) {
    if (/^\d+$/.test(pid) && runsBelow(pid, dataDir)) ticks += times(pid).reduce((a, b) => a + b, 0)
  }
  return ticks * TICK_MICROS
}

function runsBelow(pid: string, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(dataDir)
  } catch {
    return false
  }
}

/** @returns utime, stime, cutime, cstime; nothing of a process that has just ended. */
function times(pid: string): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 15)
      .map(Number)
  } catch {
    return []
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** Medians of several rounds, field by field. */
export function medianLoad(rounds: readonly Load[]): Load {
  const of = (field: keyof Load) => median(rounds.map((round) => round[field]))
  return {
    requests: rounds.reduce((sum, { requests }) => sum + requests, 0),
    perSecond: of("perSecond"),
    p99Ms: of("p99Ms"),
    apiMicros: of("apiMicros"),
    databaseMicros: of("databaseMicros"),
  }
}

export function loadRow(
  name: string,
  { perSecond, p99Ms, apiMicros, databaseMicros }: Load,
): string {
  return `${name.padEnd(40)} ${perSecond.toFixed(0).padStart(6)} a second, p99 ${p99Ms.toFixed(1).padStart(6)} ms, CPU each: API ${apiMicros.toFixed(1).padStart(6)} µs, PostgreSQL ${databaseMicros.toFixed(0).padStart(4)} µs`
}
