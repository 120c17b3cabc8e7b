/** Commands that are given secrets, by mistake or as it must be, and all that they write. */
import { generateKeyPairSync } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { environment, runCommand } from "../program.ts"
import type { Place } from "./places.ts"
import type { Canary } from "./search.ts"
import { keyCanary, pemCanaries } from "./secrets.ts"
import { freePort } from "./send.ts"

export interface Setting {
  readonly dataDir: string
  /** A folder that nothing is gathered from. */
  readonly outside: string
  readonly settings: Readonly<Record<string, string>>
  readonly live: string
}

/** Addresses of an administrator, with a password where one belongs and where none does. */
const ADDRESSES: Readonly<Record<string, (secret: string, port: number) => string>> = {
  "that nobody answers": (secret, port) => `postgresql://admin:${secret}@127.0.0.1:${port}/x`,
  malformed: (secret) => `postgresql://admin:${secret}@127.0.0.1:port/x`,
  "with a broken escape": (secret, port) => `postgresql://admin:${secret}%zz@127.0.0.1:${port}/x`,
  "with a parameter": (secret, port) =>
    `postgresql://127.0.0.1:${port}/x?user=admin&password=${secret}`,
}

/** @param plant - Makes a secret. @param canaries - Gets the keys that are issued. */
export async function runCommands(
  { dataDir, outside, settings, live }: Setting,
  plant: (name: string) => string,
  canaries: Canary[],
): Promise<Place[]> {
  const env = environment(dataDir, settings)
  const places: Place[] = []
  const run = async (args: string[], more: Readonly<Record<string, string>> = {}, what = "") => {
    const { stdout, stderr } = await runCommand(args, { ...env, ...more })
    const name = [...args.map((word) => (word.includes(live) ? "KEY" : word)), what].join(" ")
    places.push({ name: `standard output of ${name}`, bytes: stdout })
    places.push({ name: `standard error of ${name}`, bytes: stderr })
    return stdout
  }
  const names = ["--tenant", plant("told: a tenant"), "--name", plant("told: a key's name")]
  const issued = await run(["keys", "issue", "--environment", "live", "--json", ...names])
  canaries.push(keyCanary("an issued key", JSON.parse(issued).key))
  const tenants: { id: string }[] = JSON.parse(await run(["tenants", "list", "--json"])).tenants
  const contact = `${plant("told: a contact")}@shop.example`
  await run(["tenants", "contact", tenants.at(-1)?.id ?? "", "--set", contact])
  const port = await freePort()
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  canaries.push(...pemCanaries("an operator's TLS key", pem))
  const misfit = {
    ZT_TLS_CERT_FILE: join(dataDir, "authority.pem"),
    ZT_TLS_KEY_FILE: join(outside, "key.pem"),
  }
  await writeFile(misfit.ZT_TLS_KEY_FILE, pem, { mode: 0o600 })
  const mistyped = { ZT_IDENTITY_FILE: join(outside, "identity") }
  const identity = `AGE-SECRET-KEY-1${plant("a mistyped identity").toUpperCase()}`
  await writeFile(mistyped.ZT_IDENTITY_FILE, identity, { mode: 0o600 })
  const wrong = { ZT_PASSPHRASE: plant("a wrong passphrase") }
  const mistakes: Parameters<typeof run>[] = [
    [["keys", "list"]],
    [["tenants", "list"]],
    [["usage"]],
    [["requests", "list", "--all"]],
    [["events", "list"]],
    [["doctor"]],
    [["keys", "revoke", live]],
    [[live]],
    [["keys", `--${live}`]],
    [["analyze", live, "--json"]],
    [["start", "--json"], misfit, "with another certificate's key"],
    [["doctor"], misfit, "with another certificate's key"],
    [["keys", "list"], mistyped, "with a mistyped identity"],
    [["keys", "list"], wrong, "with a wrong passphrase"],
    ...Object.entries(ADDRESSES).flatMap(([kind, address]): Parameters<typeof run>[] => {
      const admin = {
        ZT_DATABASE_URL: `postgresql://127.0.0.1:${port}/x`,
        ZT_ADMIN_DATABASE_URL: address(plant(`address ${kind}: an administrator's`), port),
      }
      const own = { ZT_DATABASE_URL: address(plant(`address ${kind}: the database's`), port) }
      return [
        [["migrate", "--bootstrap"], admin, kind],
        [["start", "--json"], own, kind],
      ]
    }),
  ]
  const worker = async () => {
    for (let next = mistakes.pop(); next !== undefined; next = mistakes.pop()) await run(...next)
  }
  await Promise.all([worker(), worker()])
  return places
}
