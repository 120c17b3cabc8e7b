/** S2: a setting that is refused is named, and its value never shown. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { readConfig } from "../../src/config.ts"
import { Problem } from "../../src/core/problem.ts"
import { SETTINGS } from "../../src/settings.ts"
import { createSearch } from "./search.ts"
import { newWord } from "./secrets.ts"

/** What people put into a setting by mistake. */
const MISTAKES: Readonly<Record<string, (secret: string) => string>> = {
  "a word": (secret) => secret,
  "an address with a password": (secret) => `postgresql://admin:${secret}@db.example:port/x`,
  "a list": (secret) => `${secret},${secret}`,
  "a pair": (secret) => `127.0.0.1:1=${secret}:2`,
  "a port": (secret) => `127.0.0.1:${secret}`,
  "a private key": (secret) =>
    `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
  "a web address": (secret) => `http://u:${secret}@shop.example/`,
}

describe("a refused setting does not show its value", () => {
  const names = Object.values(SETTINGS).flatMap((setting) =>
    "file" in setting ? [setting.name, `${setting.name}_FILE`] : [setting.name],
  )
  for (const [mistake, write] of Object.entries(MISTAKES)) {
    it(mistake, () => {
      let refused = 0
      for (const name of names) {
        const secret = newWord()
        try {
          readConfig({ [name]: write(secret) })
        } catch (error) {
          assert.ok(error instanceof Problem)
          assert.match(error.message, new RegExp(`^${name.replace("KEY_FILE", "(KEY|CERT)_FILE")}`))
          const search = createSearch([{ name, secret }])
          assert.deepEqual(search(error.message, error.message), [])
          refused += 1
        }
      }
      assert.ok(refused > names.length / 2, `${refused} of ${names.length} were refused`)
    })
  }

  for (const name of names.filter((name) => name.endsWith("_FILE") && !name.includes("URL"))) {
    it(`${name} is no place for what the file is to hold`, () => {
      const secret = newWord()
      for (const mistake of ["a private key", "a web address"]) {
        const value = MISTAKES[mistake]?.(secret) ?? ""
        assert.throws(() => readConfig({ [name]: value }), /is no path|names no file/)
      }
    })
  }
})
