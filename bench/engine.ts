/**
 * Wall time of a fresh observation against the slowest chain of round trips in it, with a lab that
 * adds 0, 20 and 100 ms to each.
 *
 * `bin/node bench/engine.ts [--rounds 15]`. The chain is walked by nothing but `node:dgram` and
 * `node:https`, in the same run, one step after the other: the address, the connection and its
 * handshake, the home page, and two pages over the same connection, since five pages share four
 * connections. At 0 ms there is no distance to wait for, and what is compared is this machine's
 * work for two dozen exchanges against three; so the limit is for the others.
 */
import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import type { Agent } from "node:https"
import { get, Agent as HttpsAgent } from "node:https"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { parseArgs } from "node:util"
import dnsPacket from "dns-packet"
import { startLab } from "../lab/lab.ts"
import type { Config } from "../src/config.ts"
import { readConfig } from "../src/config.ts"
import { normalizeName } from "../src/engine/name.ts"
import { createObserver, observerOptions } from "../src/engine/observe/observer.ts"
import { endpointKey } from "../src/setting-values.ts"

const LIMIT = 1.2
const NAME = normalizeName("lindenshop.test")
const PATHS = ["/", "/privacy", "/terms"]

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, lab: { type: "string" } },
})

if (values.lab === undefined) {
  for (const delayMs of [0, 20, 100]) await measure(delayMs, Number(values.rounds))
} else {
  const lab = await startLab({ delayMs: Number(values.lab) })
  console.log(JSON.stringify(lab.settings))
  process.stdin.resume().on("end", () => lab.close())
}

async function measure(delayMs: number, rounds: number): Promise<void> {
  // A process of its own, so that the lab's work is not taken for ours.
  const lab = spawn(process.execPath, [import.meta.filename, "--lab", String(delayMs)], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  const [settings] = await once(createInterface({ input: lab.stdout }), "line")
  const config = readConfig(JSON.parse(settings))
  const observer = createObserver(await observerOptions(config))
  const observe = () => observer.observe(NAME)
  const chain = () => walkChain(config)
  await observe()
  await chain()

  const chains: number[] = []
  const observations: number[] = []
  let cpuMicros = 0
  for (let round = 0; round < rounds; round++) {
    chains.push(await wallMs(chain))
    const start = process.cpuUsage()
    observations.push(await wallMs(observe))
    const { user, system } = process.cpuUsage(start)
    cpuMicros += user + system
  }
  lab.stdin.end()
  await once(lab, "exit")

  const ratio = median(observations) / median(chains)
  console.log(
    [
      `${delayMs} ms`.padStart(7),
      `chain ${median(chains).toFixed(0).padStart(4)} ms`,
      `observation ${median(observations).toFixed(0).padStart(4)} ms`,
      `ratio ${ratio.toFixed(2)}`,
      `CPU ${(cpuMicros / rounds / 1000).toFixed(1)} ms`,
    ].join("   "),
  )
  if (delayMs > 0 && ratio > LIMIT) {
    console.error(`More than ${LIMIT} times the chain.`)
    process.exitCode = 1
  }
}

async function walkChain({ resolvers = [], addressMap }: Config): Promise<void> {
  const [resolver] = resolvers
  const socket = createSocket("udp4")
  const query = { type: "query", id: 1, flags: dnsPacket.RECURSION_DESIRED } as const
  const questions = [{ type: "A", name: NAME.host } as const]
  socket.send(dnsPacket.encode({ ...query, questions }), resolver?.port, resolver?.address)
  const [answer] = await once(socket, "message")
  socket.close()
  const [record] = dnsPacket.decode(answer).answers ?? []
  const address = record?.type === "A" ? record.data : ""
  const { address: host = "", port = 0 } = addressMap.get(endpointKey(address, 443)) ?? {}
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: 1 })
  for (const path of PATHS) await fetchText(agent, host, port, path)
  agent.destroy()
}

async function fetchText(agent: Agent, host: string, port: number, path: string): Promise<void> {
  const headers = { host: NAME.host }
  const options = { agent, host, port, path, headers, servername: NAME.host }
  const [response] = await once(get({ ...options, rejectUnauthorized: false }), "response")
  await text(response)
}

async function wallMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}
