/** What a secret looks like in a source: secretlint's rules, and those for secrets of our own kinds. */
import { lintSource } from "@secretlint/core"
import { creator } from "@secretlint/secretlint-rule-preset-recommend"
import { findKeys } from "../../src/keys/format.ts"

export interface Secret {
  /** Which rule found it. */
  readonly rule: string
  readonly text: string
}

/** Of our own kinds, by syntax; a placeholder in a URL (`${…}`, `<…>`, `…`) and a word of less than 8 characters is no password. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  "an age identity": /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,}/gi,
  "a SCRAM verifier": /SCRAM-SHA-256\$\d+:[\w+/=]{8,}\$[\w+/=]{40,}:[\w+/=]{40,}/g,
  "a private key": /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\w+/=\s\\]{40,}-----END/g,
  "a JSON Web Key": /"d"\s*:\s*"[\w-]{43,}"/g,
  "a password in a database's address": /postgres(?:ql)?:\/\/[^\s:@/"'`]*:[^\s@/"'`$<{…]{8,}@/g,
}

const CONFIG = { rules: [{ id: "recommend", rule: creator }] }

/** Secretlint keeps a record of every call, and goes through it at each. */
const BATCH_CHARACTERS = 2_000_000

/** @returns For each text, what is in it. */
export async function secretsIn(texts: readonly string[]): Promise<Secret[][]> {
  const found = texts.map(ours)
  let start = 0
  for (let end = 1, size = 0; start < texts.length; end++) {
    size += texts[end - 1]?.length ?? 0
    if (size < BATCH_CHARACTERS && end < texts.length) continue
    const batch = texts.slice(start, end)
    for (const [at, secret] of await theirs(batch)) found[start + at]?.push(secret)
    start = end
    size = 0
  }
  return found
}

function ours(text: string): Secret[] {
  return [
    ...findKeys(text).map((key) => ({ rule: "an API key", text: key })),
    ...Object.entries(PATTERNS).flatMap(([rule, pattern]) =>
      [...text.matchAll(pattern)].map(([match]) => ({ rule, text: match })),
    ),
  ]
}

/** @returns Secretlint's findings, each with the number of its text. */
async function theirs(texts: readonly string[]): Promise<[number, Secret][]> {
  const content = texts.join("\n").replaceAll("secretlint-", "secretlint_") // heeds no directive
  const source = { filePath: "/repository", content, ext: "", contentType: "text" } as const
  const { messages } = await lintSource({ source, options: { config: CONFIG } })
  const ends: number[] = []
  for (const text of texts) ends.push((ends.at(-1) ?? 0) + text.length + 1)
  return messages.map(({ ruleId, range }) => {
    const rule = ruleId.split("/").at(-1) ?? ruleId
    return [ends.findIndex((end) => range[0] < end), { rule, text: content.slice(...range) }]
  })
}
