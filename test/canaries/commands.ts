/** Commands that are given secrets, by mistake or as it must be, and all that they write. */
import { environment, runCommand } from "../program.ts"
import type { Place } from "./places.ts"
import type { Canary } from "./search.ts"
import { keyCanary } from "./secrets.ts"
import { freePort } from "./send.ts"

export interface Setting {
  readonly dataDir: string
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
  { dataDir, settings, live }: Setting,
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
  const port = await freePort()
  await Promise.all([
    run(["keys", "list"]),
    run(["tenants", "list"]),
    run(["doctor"]),
    run(["keys", "revoke", live]),
    run([live]),
    run(["keys", `--${live}`]),
    run(["analyze", live, "--json"]),
    ...Object.entries(ADDRESSES).flatMap(([kind, address]) => {
      const admin = {
        ZT_DATABASE_URL: `postgresql://127.0.0.1:${port}/x`,
        ZT_ADMIN_DATABASE_URL: address(plant(`address ${kind}: an administrator's`), port),
      }
      const own = { ZT_DATABASE_URL: address(plant(`address ${kind}: the database's`), port) }
      return [run(["migrate", "--bootstrap"], admin, kind), run(["start", "--json"], own, kind)]
    }),
  ])
  return places
}
