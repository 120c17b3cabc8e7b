import assert from "node:assert/strict"
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { editSecrets, openedSecrets } from "../../test/secrets.ts"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "./files.ts"
import type { SecretName } from "./store.ts"

const NAME = "zt_runtime-password"

describe("the secret store", () => {
  let dataDir: string
  let file: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-secrets-"))
    file = join(dataDir, "secrets.age")
  })
  afterEach(() => rm(dataDir, { recursive: true }))

  const values = async (name: SecretName = NAME) =>
    (await fileSecrets(dataDir).generations(name)).map(({ number, value }) => [number, value])

  it("gives nothing for a secret that was never made, and makes nothing for it", async () => {
    assert.equal(await fileSecrets(dataDir).get(NAME), undefined)
    assert.deepEqual(await fileSecrets(dataDir).generations(NAME), [])
    assert.deepEqual(await readdir(dataDir), [])
  })

  it("keeps what was made, in files that only their owner may read", async () => {
    const made = await fileSecrets(dataDir).getOrCreate(NAME, () => "first")
    const again = await fileSecrets(dataDir).getOrCreate(NAME, () => "second")
    assert.deepEqual([made, again], ["first", "first"])
    for (const name of ["secrets.age", "identity.txt"]) {
      assert.equal((await stat(join(dataDir, name))).mode & 0o777, 0o600, name)
    }
  })

  it("makes its folder for its owner alone", async () => {
    const folder = join(dataDir, "deep", "er")
    await fileSecrets(folder).set(NAME, "value")
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
  })

  it("holds no plain text at rest, only what the identity opens", async () => {
    await fileSecrets(dataDir).set(NAME, "correct-horse-battery")
    const bytes = await readFile(file)
    for (const word of ["correct-horse", NAME, "generation", "number"]) {
      assert.equal(bytes.indexOf(word), -1, word)
    }
    assert.match(await openedSecrets(dataDir), /correct-horse-battery/)
  })

  it("gives racers one value", async () => {
    const racers = Array.from({ length: 20 }, (_, racer) =>
      fileSecrets(dataDir).getOrCreate(NAME, () => `racer ${racer}`),
    )
    assert.equal(new Set(await Promise.all(racers)).size, 1)
    const left = ["identity.txt", "secrets.age", "secrets.lock"]
    assert.deepEqual((await readdir(dataDir)).sort(), left, "no file is left behind")
  })

  it("loses none of many changes at once", async () => {
    const stores = Array.from({ length: 4 }, () => fileSecrets(dataDir))
    const numbers = await Promise.all(
      stores.flatMap((store, n) => [
        store.rotate(NAME, `a${n}`),
        store.rotate("root-key", `b${n}`),
      ]),
    )
    assert.deepEqual(numbers.sort(), [1, 1, 2, 2, 3, 3, 4, 4])
    assert.equal((await values()).length, 4)
    assert.equal((await values("root-key")).length, 4)
  })

  it("keeps older generations until they are retired, and uses no number twice", async () => {
    const store = fileSecrets(dataDir)
    await store.set(NAME, "a long first value")
    assert.equal(await store.rotate(NAME, "two"), 2)
    assert.equal(await store.rotate(NAME, "three"), 3)
    assert.equal(await store.get(NAME), "three")
    await store.retire(NAME, 2)
    await store.retire(NAME, 2)
    assert.deepEqual(await values(), [
      [3, "three"],
      [1, "a long first value"],
    ])
    await assert.rejects(store.retire(NAME, 3), RangeError)
    await store.set(NAME, "four")
    assert.deepEqual(await values(), [[4, "four"]])
  })

  it("takes generations back as they were, as a restore does", async () => {
    const store = fileSecrets(dataDir)
    const all = [
      { number: 9, value: "nine", createdAt: new Date("2026-01-09T00:00:00Z") },
      { number: 4, value: "four", createdAt: new Date("2026-01-04T00:00:00Z") },
    ]
    await store.restore("root-key", all)
    assert.deepEqual(await fileSecrets(dataDir).generations("root-key"), all)
    for (const [bad, why] of [
      [[], "none"],
      [[...all].reverse(), "oldest first"],
      [[{ ...all[0], number: 65_536 }], "more than 16 bits"],
      [[{ ...all[0], value: "" }], "an empty value"],
    ] as const) {
      await assert.rejects(store.restore("root-key", bad as typeof all), TypeError, why)
    }
    assert.deepEqual(await fileSecrets(dataDir).generations("root-key"), all)
  })

  it("refuses an empty value", async () => {
    await assert.rejects(fileSecrets(dataDir).set(NAME, ""), TypeError)
    assert.deepEqual(await readdir(dataDir), ["secrets.lock"])
  })

  it("sees at once what another program changed, and tells of it", async () => {
    const [one, other] = [fileSecrets(dataDir), fileSecrets(dataDir)]
    await one.set(NAME, "first")
    assert.equal(await other.get(NAME), "first")
    const told = new Promise<void>((resolve) => {
      const stop = other.onChange(() => {
        stop()
        resolve()
      })
    })
    await one.set(NAME, "second")
    assert.equal(await other.get(NAME), "second")
    const keepAlive = setInterval(() => {}, 1_000)
    await told
    clearInterval(keepAlive)
  })

  it("keeps names that only a newer release knows", async () => {
    const store = fileSecrets(dataDir)
    const later = "later-token" as SecretName
    await store.set(NAME, "value")
    await editSecrets(dataDir, (document) => {
      document.secrets[later] = document.secrets[NAME]
    })
    await fileSecrets(dataDir).set("verdict-key", "key")
    assert.match(await openedSecrets(dataDir), /later-token/)
  })

  describe("refuses, says why, and changes nothing", () => {
    const other = "AGE-SECRET-KEY-1"
    for (const [what, arrange, says] of [
      ["an empty file", () => truncate(file, 0), /secrets\.age is damaged.*restore a backup/],
      ["a torn one", async () => truncate(file, (await stat(file)).size - 20), /is damaged/],
      ["one torn in its header", () => truncate(file, 40), /is damaged/],
      ["text", () => writeFile(file, "{}"), /does not begin as an age file/],
      [
        "another store's identity",
        async () => {
          const folder = join(dataDir, "other")
          await fileSecrets(folder).set(NAME, "value")
          await rename(join(folder, "identity.txt"), join(dataDir, "identity.txt"))
          await rm(folder, { recursive: true })
        },
        /identity does not open .*secrets\.age/,
      ],
      [
        "no identity",
        () => rm(join(dataDir, "identity.txt")),
        /identity that opens .* is not there/,
      ],
      [
        "a cut identity",
        () => writeFile(join(dataDir, "identity.txt"), other),
        /identity\.txt is no age identity/,
      ],
      ["a file that others may read", () => chmod(file, 0o640), /chmod 600 .*secrets\.age/],
      [
        "an identity that others may read",
        () => chmod(join(dataDir, "identity.txt"), 0o604),
        /chmod 600 .*identity\.txt/,
      ],
      [
        "another release's file",
        () =>
          editSecrets(dataDir, (document) => {
            document.format = "zygentrust-secrets/2"
          }),
        /another release/,
      ],
      [
        "what no release writes",
        () =>
          editSecrets(dataDir, (document) => {
            document.secrets[NAME] = [{ number: 0 }]
          }),
        /not what this program writes/,
      ],
    ] as const) {
      it(what, async () => {
        await fileSecrets(dataDir).set(NAME, "correct-horse")
        await arrange()
        const before = await snapshot()
        for (const act of [
          () => fileSecrets(dataDir).get(NAME),
          () => fileSecrets(dataDir).getOrCreate(NAME, () => "new"),
          () => fileSecrets(dataDir).set(NAME, "new"),
          () => fileSecrets(dataDir).rotate(NAME, "new"),
        ]) {
          await assert.rejects(act, (error) => {
            assert.ok(error instanceof Problem && error.code === "DATA_FOLDER", String(error))
            assert.match(error.message, says)
            assert.doesNotMatch(`${error.message} ${error.cause}`, /correct-horse/)
            return true
          })
        }
        assert.deepEqual(await snapshot(), before)
      })
    }

    it("a folder in which others may write", async () => {
      await chmod(dataDir, 0o770)
      await assert.rejects(
        fileSecrets(dataDir).set(NAME, "value"),
        (error) => error instanceof Problem && /chmod 700/.test(error.message),
      )
      assert.deepEqual(await readdir(dataDir), [])
    })

    it("any flipped bit", async () => {
      await fileSecrets(dataDir).set(NAME, "value")
      const whole = await readFile(file)
      for (let at = 0; at < whole.length; at += 1) {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
        await writeFile(file, bytes)
        await assert.rejects(fileSecrets(dataDir).get(NAME), Problem, `byte ${at}`)
      }
    })
  })

  it("is a whole file of before or after, when a write fails", async () => {
    const store = fileSecrets(dataDir)
    await store.set(NAME, "before")
    await mkdir(`${file}.new`) // no file can take that name
    await assert.rejects(store.set(NAME, "after"), Problem)
    assert.equal(await fileSecrets(dataDir).get(NAME), "before")
    assert.equal(await store.get(NAME), "before")
    await rm(`${file}.new`, { recursive: true })
    await store.set(NAME, "after")
    assert.equal(await fileSecrets(dataDir).get(NAME), "after")
  })

  it("knows no names but its own", async () => {
    const name = "../../etc/passwd" as SecretName
    await assert.rejects(fileSecrets(dataDir).get(name), TypeError)
    await assert.rejects(fileSecrets(dataDir).set(name, "value"), TypeError)
  })

  async function snapshot(): Promise<unknown> {
    const names = (await readdir(dataDir)).filter((name) => name !== "secrets.lock").sort()
    return Promise.all(
      names.map(async (name) => {
        const path = join(dataDir, name)
        return [name, (await stat(path)).mode, await readFile(path, "base64")]
      }),
    )
  }
})
