/** Checks of what is encrypted on disk. What is absent or not known is no failure: the program works. */
import type { Config } from "../config.ts"
import { assess, look } from "../disk/at-rest.ts"
import { thisMachine } from "../disk/machine.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { ok, warn } from "./doctor-check.ts"

const CHECK = "encryption"

export async function checkAtRest(config: Config, now: Date): Promise<Diagnosis[]> {
  const about = assess(await look(thisMachine, config.dataDir), {
    ownServer: config.databaseUrl !== undefined,
    declared: config.diskEncryptionDeclared,
    now,
  })
  return about.map(({ place, message, advice }) => {
    const text = `${place}: ${message}`
    return advice === undefined ? ok(CHECK, text) : warn(CHECK, text, advice)
  })
}
