/**
 * What the store's file holds once it is open: one JSON document.
 *
 *     {"format": "zygentrust-secrets/1", "secrets": {"root-key": [
 *       {"number": 2, "createdAt": "2026-11-25T08:00:00.000Z", "value": "…"}, …]}}
 *
 * Invariant: generations lie newest first, their numbers fall, and no value is empty. Names of a
 * newer release are kept as they are.
 */
import { Problem } from "../core/problem.ts"
import type { Generation, SecretName } from "./store.ts"

const FORMAT = "zygentrust-secrets/1"
const MAX_NUMBER = 65_535

/** Secrets by name; what `parseDocument` gives is never changed, only replaced. */
export type Secrets = ReadonlyMap<string, readonly Generation[]>

export function serialiseDocument(secrets: Secrets): string {
  return `${JSON.stringify({ format: FORMAT, secrets: Object.fromEntries(secrets) }, null, 1)}\n`
}

/**
 * @param file - Where it lay, for the message.
 * @throws Problem `DATA_FOLDER`, without a word of the text.
 */
export function parseDocument(text: string, file: string): Secrets {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The cause would quote the text.
  }
  if (isRecord(document) && document["format"] !== FORMAT) {
    throw new Problem("DATA_FOLDER", {
      message: `${file} was written by another release: its format is not ${FORMAT}. Use the release it was made with, or a newer one.`,
    })
  }
  const entries = isRecord(document) && isRecord(document["secrets"]) ? document["secrets"] : {}
  const secrets = new Map(
    Object.entries(entries).map(([name, list]) => [name, readGenerations(list)] as const),
  )
  if (!isRecord(document) || [...secrets.values()].includes(undefined)) {
    throw new Problem("DATA_FOLDER", {
      message: `${file} opens, but is not what this program writes. Restore it from a backup.`,
    })
  }
  return secrets as Secrets
}

/** @returns The same with one more generation of a name, the newest. */
export function withGeneration(secrets: Secrets, name: SecretName, value: string): Secrets {
  const older = secrets.get(name) ?? []
  return withGenerations(secrets, name, [nextGeneration(older, value), ...older])
}

/** @throws TypeError where these are not what a store can hold. */
export function withGenerations(
  secrets: Secrets,
  name: SecretName,
  generations: readonly Generation[],
): Secrets {
  if (readGenerations(JSON.parse(JSON.stringify(generations))) === undefined) {
    throw new TypeError(`these are no generations of ${name}`)
  }
  return new Map([...secrets, [name, generations]])
}

/** @returns One with the number after all of `older`. */
export function nextGeneration(older: readonly Generation[], value: string): Generation {
  return { number: (older[0]?.number ?? 0) + 1, value, createdAt: new Date() }
}

function readGenerations(list: unknown): Generation[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined
  const generations: Generation[] = []
  let below = MAX_NUMBER + 1
  for (const { number, value, createdAt } of list as Record<string, unknown>[]) {
    const at = new Date(String(createdAt))
    const good =
      Number.isInteger(number) && Number(number) > 0 && Number(number) < below && !Number.isNaN(+at)
    if (!good || typeof value !== "string" || value === "") return undefined
    below = Number(number)
    generations.push({ number: below, value, createdAt: at })
  }
  return generations
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
