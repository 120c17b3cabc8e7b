/**
 * Ours, a full `GET /v1/analyze` over HTTPS (key, rate, quota, charge and a durable row), against what a
 * TypeScript developer would take: better-auth's api-key plugin, which verifies a key with its rate limit
 * and its remaining count, over plain HTTP, on the same PostgreSQL, and with its storage in memory.
 *
 * `bin/node bench/peers.ts [--rounds 3] [--seconds 4] [--connections 64] [--keys 64] [--others 10000]
 * [--pool 20]`; needs `wrk`. All answer with the same bytes, and have other customers' keys besides, which
 * nobody uses. Once with a key for each connection, since the peer's requests for one key wait for its row,
 * once with one key; the limits are held against the nearer of the two.
 * Before it is measured, the peer must refuse the fourth use of three; afterwards it says what it counted.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import type { Deployment } from "./deployment.ts"
import { openDeployment, TARGET } from "./deployment.ts"
import type { Load, Target } from "./load.ts"
import { load, loadRow, medianLoad } from "./load.ts"
import { fillKeys } from "./many-keys.ts"
import type { PeerLook, PeerReady, PeerSettings, Store } from "./peer-server.ts"
import { tidily } from "./tidy.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64" },
    keys: { type: "string", default: "64" },
    others: { type: "string", default: "10000" },
    pool: { type: "string", default: "20" },
  },
})
/** Out of reach, and within PostgreSQL's integer. */
const PLENTY = 2_000_000_000
const LIMITS: Readonly<Record<Store, number>> = {
  PostgreSQL: 25,
  "its memory adapter": 8,
  "a map in memory": 8,
}
const keyCount = Number(values.keys)
const others = Number(values.others)

await tidily(async (stack) => {
  const deployment = await openDeployment(stack)
  const [program] = deployment.programs
  if (program === undefined) throw new Error("no program")
  if (others > 0) await fillKeys(await deployment.connect(), others)
  const keys = await deployment.keys(keyCount)
  const { headers, text } = await program.ask(TARGET, { key: keys[0] ?? "" })
  const { date: _, connection: __, "keep-alive": ___, ...sent } = headers
  const answer = { headers: sent as Record<string, string>, body: text }
  const ours = { name: "ours, HTTPS", ...program, keys }
  const peers: Peer[] = []
  for (const store of Object.keys(LIMITS) as Store[])
    peers.push(await startPeer(stack, deployment, { store, ...answer }))
  for (const peer of peers) await refusesTheFourth(peer)

  const served = new Map<Contestant, number>()
  const run = async (one: Contestant, count: number, seconds: number) => {
    const found = await load([one], {
      path: TARGET,
      keys: one.keys.slice(0, count),
      connections: Number(values.connections),
      seconds,
      dataDir: deployment.dataDir,
    })
    served.set(one, (served.get(one) ?? 0) + found.requests)
    return found
  }
  const contestants: Contestant[] = [ours, ...peers]
  for (const one of contestants) await run(one, keyCount, 2) // warm
  const runs = [keyCount, 1].flatMap((count) =>
    contestants.map((one) => ({ one, count, loads: [] as Load[] })),
  )
  for (let round = 0; round < Number(values.rounds); round++) {
    console.error(`round ${round + 1} of ${values.rounds}`)
    for (const { one, count, loads } of runs) {
      loads.push(await run(one, count, Number(values.seconds)))
    }
  }

  console.log(
    `${text.length} bytes, ${values.connections} connections, ${availableParallelism()} cores, ${values.rounds} rounds of ${values.seconds} s, medians; ${others} other keys; the peer's pool is ${values.pool}:`,
  )
  const found = runs.map(({ loads, ...rest }) => ({ ...rest, load: medianLoad(loads) }))
  for (const { one, count, load } of found) {
    console.log(loadRow(`${one.name}, ${count} key${count === 1 ? "" : "s"}`, load))
  }
  for (const peer of peers) {
    const ratios = [keyCount, 1].map((count) => {
      const [mine, theirs] = [ours, peer].map((who) =>
        found.find((run) => run.one === who && run.count === count),
      )
      return (mine?.load.perSecond ?? 0) / (theirs?.load.perSecond ?? 1)
    })
    const [many = 0, single = 0] = ratios
    console.log(
      `ours, of ${peer.name}: ${many.toFixed(1)} times the requests with ${keyCount} keys, ${single.toFixed(1)} with one (at least ${LIMITS[peer.store]})`,
    )
  }
  for (const peer of peers) {
    const left = await Promise.all(peer.keys.map((key) => look(peer, key)))
    const counted = left.reduce((sum, { remaining }) => sum + PLENTY - (remaining ?? 0) - 1, 0)
    console.log(`${peer.name} counted ${counted} uses of ${served.get(peer)} and what was cut off`)
  }
})

interface Contestant extends Target {
  readonly name: string
  readonly keys: readonly string[]
}

interface Peer extends Contestant, PeerReady {
  readonly store: Store
}

async function startPeer(
  stack: AsyncDisposableStack,
  { server, connect }: Deployment,
  answer: Pick<PeerSettings, "store" | "headers" | "body">,
): Promise<Peer> {
  const name = `peer_${Object.keys(LIMITS).indexOf(answer.store)}`
  const { address, superuser } = server
  if (superuser === undefined || !("socketFolder" in address)) throw new Error("not embedded")
  await (await connect()).query(`create database ${name}`)
  const child = spawn(process.execPath, [join(import.meta.dirname, "peer-server.ts")], {
    env: { NODE_ENV: "production" },
    stdio: ["pipe", "pipe", "inherit"],
  })
  stack.defer(async () => {
    child.stdin.end()
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  })
  const { user, password } = superuser
  const settings: PeerSettings = {
    database: {
      host: address.socketFolder,
      database: name,
      user,
      password,
      max: Number(values.pool),
    },
    keys: keyCount,
    others,
    uses: PLENTY,
    ...answer,
  }
  child.stdin.write(`${JSON.stringify(settings)}\n`)
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit"),
  ])
  if (typeof line !== "string") throw new Error(`the peer ended with ${line}`)
  const ready: PeerReady = JSON.parse(line)
  return {
    ...ready,
    store: answer.store,
    name: `better-auth, ${answer.store}`,
    url: `http://127.0.0.1:${ready.port}`,
    pid: child.pid ?? 0,
  }
}

/** @returns What the peer says of a key, which is a use of it. */
async function look(peer: Peer, key: string): Promise<PeerLook> {
  const answer = await fetch(`${peer.url}/look`, { headers: { "x-api-key": key } })
  return (await answer.json()) as PeerLook
}

/** A peer that let everything pass would be quick. @throws Error */
async function refusesTheFourth(peer: Peer): Promise<void> {
  for (const [key, code] of [
    [peer.spent, "USAGE_EXCEEDED"],
    [peer.paced, "RATE_LIMITED"],
    ["of nobody", "INVALID_API_KEY"],
  ] as const) {
    const looks: PeerLook[] = []
    for (let n = 0; n < 4; n++) looks.push(await look(peer, key))
    const valid = looks.filter((one) => one.valid).length
    if (valid !== (key === "of nobody" ? 0 : 3) || looks[3]?.code !== code) {
      throw new Error(`the peer does not hold its limits: ${JSON.stringify(looks)}`)
    }
  }
}
