/**
 * How long a start takes (first and later ones), and what the program and its database hold in
 * memory at rest and with 1,000 analyses in flight.
 *
 * `bin/node bench/start-up.ts [--rounds 5]`. Memory is the proportional set size (proc(5),
 * smaps_rollup) of the API process, and of all PostgreSQL processes together. In flight: 20
 * tenants ask for 50 characters of a lab that adds a second to every round trip.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { rm } from "node:fs/promises"
import { parseArgs } from "node:util"
import { startLab } from "../lab/lab.ts"
import type { Program } from "../test/program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../test/program.ts"

const FIRST_LIMIT_MS = 2_000
const LATER_LIMIT_MS = 1_000
const TENANTS = 20
const CHARACTERS = 50

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } })
const rounds = Number(values.rounds)

const first: number[] = []
const later: number[] = []
for (let round = 0; round < rounds; round++) {
  const dataDir = await newDataDir()
  for (const times of [first, later]) {
    const began = performance.now()
    const program = await startProgram({ dataDir })
    times.push(performance.now() - began)
    await program.stop()
  }
  await rm(dataDir, { recursive: true })
}
console.log(row("first start", first, FIRST_LIMIT_MS))
console.log(row("later start", later, LATER_LIMIT_MS))

const lab = await startLab({ delayMs: 1_000 })
const program = await startProgram({
  environment: { ...lab.settings, ZT_OBSERVE_PER_MINUTE: "10000" },
})
try {
  console.log(`at rest      ${memory(program)}`)
  const keys = await Promise.all(Array.from({ length: TENANTS }, (_, n) => issueKey(program, n)))
  const domains = lab.characters.slice(0, CHARACTERS).map(({ domain }) => domain)
  const asked = keys.flatMap((key) =>
    domains.map((domain) => program.ask(`/v1/analyze?domain=${domain}`, { key })),
  )
  await new Promise((resolve) => setTimeout(resolve, 3_500))
  console.log(`in flight    ${memory(program)} (${asked.length} analyses)`)
  const answers = await Promise.all(asked)
  const statuses = Map.groupBy(answers, ({ status, json }) => `${status} ${json.error?.code ?? ""}`)
  const counts = [...statuses].map(([status, some]) => `${some.length} × ${status.trim()}`)
  console.log(`afterwards   ${memory(program)} (${counts.join(", ")})`)
} finally {
  await program.stop()
  await lab.close()
}

async function issueKey({ dataDir }: Program, n: number): Promise<string> {
  const args = ["keys", "issue", "--tenant", `tenant ${n}`, "--environment", "live", "--json"]
  const { stdout, stderr } = await runCommand(args, environment(dataDir))
  if (stdout === "") throw new Error(stderr)
  return JSON.parse(stdout).key
}

function row(name: string, times: readonly number[], limitMs: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)]
  return `${name}  ${median.toFixed(0)} ms, from ${low.toFixed(0)} to ${high.toFixed(0)} (limit ${limitMs})`
}

function memory({ pid, dataDir }: Program): string {
  const postgres = readdirSync("/proc").filter((entry) => isPostgresOf(entry, dataDir))
  const database = postgres.reduce((sum, entry) => sum + pssMiB(entry), 0)
  return `program ${pssMiB(String(pid)).toFixed(0)} MiB, database ${database.toFixed(0)} MiB in ${postgres.length} processes`
}

function isPostgresOf(entry: string, dataDir: string): boolean {
  try {
    return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`).startsWith(dataDir)
  } catch {
    return false
  }
}

/** @returns 0 for a process that ended meanwhile. */
function pssMiB(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
    return Number(/^Pss: +(\d+) kB/m.exec(text)?.[1]) / 1024
  } catch {
    return 0
  }
}
