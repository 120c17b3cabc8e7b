/**
 * A repeated `GET /v1/analyze` answered from memory, authenticated, held to a rate and a quota, charged
 * and recorded in PostgreSQL, over HTTPS with a live key, against a bare `node:https` server that sends
 * the same bytes.
 *
 * `bin/node bench/hot-path.ts [--rounds 5] [--seconds 4] [--connections 64] [--unlimited]`; needs `wrk`.
 * The plan has a rate and a quota that are never reached; with `--unlimited` it has none. Rounds are
 * interleaved. CPU is the API process's own (user and system); wall is requests a second with
 * everything (load generator, API, PostgreSQL) on this machine's cores.
 */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs, promisify } from "node:util"
import { makeAuthority, makeLeaf } from "../src/edge/x509.ts"
import { environment, runCommand, startProgram } from "../test/program.ts"

const TARGET = "/v1/analyze?domain=lindenshop.test"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64" },
    unlimited: { type: "boolean", default: false },
  },
})
const rounds = Number(values.rounds)

interface Round {
  readonly perSecond: number
  readonly cpuMicros: number
  readonly p99Ms: number
}

const program = await startProgram({ arguments: ["--lab"] })
try {
  const key = values.unlimited ? (program.keys?.live ?? "") : await limitedKey(program.dataDir)
  await program.ask(TARGET, { key })
  const { headers, text } = await program.ask(TARGET, { key })
  const { date: _, connection: __, "keep-alive": ___, ...sent } = headers
  const answerFile = join(program.dataDir, "bench-answer.json")
  await writeFile(answerFile, JSON.stringify({ headers: sent, body: text }))
  // A certificate like the program's own: same kind of key, same chain.
  const authority = await makeAuthority("localhost", new Date())
  const leaf = await makeLeaf(authority, ["localhost"], new Date())
  const certFile = join(program.dataDir, "bench-leaf.pem")
  await writeFile(certFile, leaf.key + leaf.certificate, { mode: 0o600 })
  const bare = spawn(
    process.execPath,
    [join(import.meta.dirname, "bare-server.ts"), certFile, answerFile],
    { stdio: ["pipe", "pipe", "inherit"] },
  )
  const [port] = await once(createInterface({ input: bare.stdout }), "line")

  const ours: Round[] = []
  const theirs: Round[] = []
  await measure(program.pid, program.url, key, "1") // both warm
  await measure(bare.pid ?? 0, `https://localhost:${port}`, key, "1")
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure(program.pid, program.url, key, values.seconds))
    theirs.push(await measure(bare.pid ?? 0, `https://localhost:${port}`, key, values.seconds))
  }
  bare.stdin.end()

  const usage = await program.ask("/v1/usage", { key })
  console.log(
    `${text.length} bytes, ${values.connections} connections, ${availableParallelism()} cores, ${rounds} rounds of ${values.seconds} s, medians:`,
  )
  console.log(row("ours", ours))
  console.log(row("bare node:https", theirs))
  const cpu = median(theirs, "cpuMicros") / median(ours, "cpuMicros")
  const wall = median(ours, "perSecond") / median(theirs, "perSecond")
  const p99 = median(ours, "p99Ms") / median(theirs, "p99Ms")
  console.log(
    `ratio            CPU ${cpu.toFixed(2)} of bare (goal 0.75), wall ${wall.toFixed(2)} (goal 0.55), p99 ${p99.toFixed(1)} times (goal 4)`,
  )
  console.log(`recorded         ${usage.json.total.requests} usage rows`)
} finally {
  await program.stop()
}

async function measure(pid: number, url: string, key: string, seconds: string): Promise<Round> {
  const before = await cpuMicros(pid)
  const { stdout } = await promisify(execFile)("wrk", [
    ...[
      "-t",
      "1",
      "--latency",
      "-c",
      values.connections,
      "-d",
      `${seconds}s`,
      "-H",
      `x-api-key: ${key}`,
    ],
    `${url}${TARGET}`,
  ])
  const after = await cpuMicros(pid)
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (/Non-2xx/.test(stdout)) throw new Error(stdout)
  const perSecond = Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1])
  return { perSecond, cpuMicros: (after - before) / requests, p99Ms: p99Of(stdout) }
}

/** Of what `wrk --latency` prints. */
function p99Of(text: string): number {
  const [, number, unit = ""] = /99% +([\d.]+)(us|ms|s)/.exec(text) ?? []
  return Number(number) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? Number.NaN)
}

/** @returns A live key of a tenant whose plan has a rate and a quota, both out of reach. */
async function limitedKey(dataDir: string): Promise<string> {
  const command = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCommand([...args, "--json"], environment(dataDir))
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout)
  }
  const limits = ["--units", "1000000000", "--rate", "1000000", "--burst", "1000000"]
  await command("plans", "set", "bench", ...limits)
  const whose = ["--tenant", "Bench", "--plan", "bench", "--environment", "live"]
  return (await command("keys", "issue", ...whose)).key
}

/** User and system time of a process (proc(5), fields 14 and 15, in ticks of 10 ms). */
async function cpuMicros(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function median(results: readonly Round[], field: keyof Round): number {
  const sorted = results.map((round) => round[field]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function row(name: string, results: readonly Round[]): string {
  const perSecond = median(results, "perSecond").toFixed(0).padStart(6)
  const cpu = median(results, "cpuMicros").toFixed(1)
  return `${name.padEnd(16)} ${perSecond} requests/s, ${cpu} µs of CPU each, p99 ${median(results, "p99Ms").toFixed(1)} ms`
}
