/**
 * Sealing and opening small values, against node:crypto's AES-256-GCM with nothing around it.
 *
 * `bin/node bench/sealing.ts [--rounds 7]`. One core, by CPU time, rounds by turns, the best of each.
 * The bare form has one key, no associated data and no header, and asks for its nonces as sparingly.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto"
import { parseArgs } from "node:util"
import { openSealed, sealValue } from "../src/secrets/sealing.ts"

const GOAL = 200_000
const VALUES = 20_000
const PLAIN = "lindenshop.example" // a domain, a name: what is sealed mostly

const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" } } })
const key = createSecretKey(randomBytes(32))
const places = Array.from({ length: VALUES }, (_, n) => ({
  table: "live.analysis",
  column: "sealed",
  tenantId: "0192f0c1-2345-7abc-8def-0123456789ab",
  rowId: `0192f0c1-2345-7abc-8def-${String(n).padStart(12, "0")}`,
}))
const place = (n: number) => places[n] as (typeof places)[number]

const nonces = randomBytes(12 * VALUES)
const nonce = (n: number) => nonces.subarray(n * 12, n * 12 + 12)
const sealedBare: Buffer[] = []
const sealed: Buffer[] = []
const works = {
  "sealing, bare": (n: number) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce(n))
    const text = cipher.update(PLAIN, "utf8")
    cipher.final()
    sealedBare[n] = Buffer.concat([text, cipher.getAuthTag()])
  },
  sealing: (n: number) => {
    sealed[n] = sealValue(key, 1, place(n), PLAIN)
  },
  "opening, bare": (n: number) => {
    const bytes = sealedBare[n] ?? Buffer.alloc(0)
    const decipher = createDecipheriv("aes-256-gcm", key, nonce(n))
    decipher.setAuthTag(bytes.subarray(-16))
    const text = decipher.update(bytes.subarray(0, -16))
    decipher.final()
    return text.toString("utf8")
  },
  opening: (n: number) => openSealed(key, place(n), sealed[n] ?? Buffer.alloc(0)),
}

const best = new Map<string, number>()
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, work] of Object.entries(works)) {
    const start = process.cpuUsage()
    for (let n = 0; n < VALUES; n++) work(n)
    const { user, system } = process.cpuUsage(start)
    best.set(name, Math.max(best.get(name) ?? 0, (VALUES * 1e6) / (user + system)))
  }
}
for (const [name, perSecond] of best) {
  const share = perSecond / (best.get(`${name}, bare`) ?? perSecond)
  const against = name.endsWith("bare") ? "" : `, ${share.toFixed(2)} of bare (goal ${GOAL})`
  console.log(
    `${name.padEnd(14)} ${Math.round(perSecond).toLocaleString("en").padStart(8)} a second a core${against}`,
  )
}
if (["sealing", "opening"].some((name) => (best.get(name) ?? 0) < GOAL)) process.exitCode = 1
