import assert from "node:assert/strict"
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { TestBackup, TestIdentity } from "../../test/backup.ts"
import { backUp, fill } from "../../test/backup.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { Problem } from "../core/problem.ts"
import { AgeWriter, readAge } from "./age.ts"
import type { Frame } from "./frames.ts"
import { frameHead, readFrames } from "./frames.ts"
import { readBackup } from "./reader.ts"
import { restore } from "./restore.ts"
import { signerOf } from "./signature.ts"
import { BackupWriter } from "./writer.ts"

describe("a backup that is not whole, not its deployment's, or not for this program", () => {
  let db: TestDatabase
  let whole: TestBackup
  let later: TestBackup
  let foreign: TestBackup
  let folder: string
  let keyFile: string
  before(async () => {
    db = await createDatabase()
    await fill(db, 2_000)
    whole = await backUp(db)
    await fill(db, 10)
    ;[later, foreign] = await Promise.all([backUp(db, whole), backUp(db)])
    folder = await mkdtemp(join(tmpdir(), "zt-refused-"))
    keyFile = join(folder, "key.txt")
    await writeFile(keyFile, whole.identity, { mode: 0o600 })
  })
  after(async () => {
    const folders = [whole.folder, later.folder, foreign.folder, folder]
    await Promise.all(folders.map((one) => rm(one, { recursive: true })))
    await db.drop()
  })

  const read = (path: string, who: TestIdentity = whole) =>
    readBackup({ path, kind: "backup", identity: who.identity, deployment: who.deployment })
  const isRefused = (error: unknown) =>
    error instanceof Problem && error.code === "BACKUP" && error.message.includes(folder)

  it("cut anywhere is refused", async () => {
    const file = await readFile(whole.file)
    const path = join(folder, "cut.age")
    const header = file.indexOf("\n--- ") + 70
    for (const length of lengths(header, file.length)) {
      await writeFile(path, file.subarray(0, length))
      await assert.rejects(read(path), isRefused, `${length} of ${file.length} bytes`)
    }
  })

  it("with a flipped bit anywhere is refused", async () => {
    const file = await readFile(whole.file)
    const path = join(folder, "flipped.age")
    const header = file.indexOf("\n--- ") + 70
    for (const at of lengths(header, file.length)) {
      file[at] = (file[at] ?? 0) ^ (1 << (at % 8))
      await writeFile(path, file)
      await assert.rejects(read(path), isRefused, `byte ${at} of ${file.length}`)
      file[at] = (file[at] ?? 0) ^ (1 << (at % 8))
    }
  })

  /** What somebody can do who knows the recipient, and has the contents of backups. */
  const forge = async (change: (frames: Frame[], others: Frame[]) => Frame[]) => {
    const path = join(folder, "forged.age")
    const [frames, others] = await Promise.all([framesOf(whole), framesOf(later)])
    await using file = await open(path, "w")
    const age = await AgeWriter.start(file, [whole.recipient])
    for (const { kind, bytes } of counted(change(frames, others))) {
      await age.write(Buffer.concat([frameHead(kind, bytes.length), bytes]))
    }
    await age.end()
    return path
  }

  it("the same frames encrypted again are the same backup", async () => {
    const { rows } = await read(await forge((frames) => frames))
    assert.equal(rows, (await read(whole.file)).rows)
  })

  for (const [what, change, says] of [
    [
      "a table of another backup",
      (mine, others) => withTable(mine, tableOf(others, "entry")),
      /not signed/,
    ],
    ["a row less, and an honest digest", (mine) => withTable(mine, emptyTable(mine)), /not signed/],
    ["a table left out", (mine) => without(mine, "entry"), /not signed/],
    [
      "the secrets of another",
      (mine) => mine.map((f) => (f.kind === "S" ? { ...f, bytes: Buffer.from("{}") } : f)),
      /not signed/,
    ],
    ["no secrets", (mine) => mine.filter(({ kind }) => kind !== "S"), /not a whole backup/],
    ["no end", (mine) => mine.slice(0, -1), /not a whole backup/],
    ["something after its end", (mine) => [...mine, ...mine.slice(-1)], /not a whole backup/],
    [
      "data that its digest does not fit",
      (mine) => mine.map((f, i) => (i === mine.findIndex(isData) ? changed(f) : f)),
      /not a whole/,
    ],
    ["two headers", (mine) => [...mine.slice(0, 1), ...mine], /not a whole backup/],
    ["no frames at all", () => [{ kind: "D", bytes: Buffer.alloc(3) }], /not a whole backup/],
    [
      "a newer form",
      (mine) => withHeader(mine, { format: 2, program: "9.0.0" }),
      /newer release \(9\.0\.0\)/,
    ],
    [
      "a header of another form",
      (mine) => withHeader(mine, { at: "yesterday" }),
      /not a whole backup/,
    ],
    [
      "another deployment in its header",
      (mine) => withHeader(mine, { deployment: "x" }),
      /made by deployment x/,
    ],
  ] as readonly [string, (mine: Frame[], others: Frame[]) => Frame[], RegExp][]) {
    it(`with ${what} is refused`, async () => {
      const path = await forge(change)
      await assert.rejects(read(path), (error) => {
        assert.ok(isRefused(error), String(error))
        assert.match(String(error), says)
        return true
      })
    })
  }

  describe("restore refuses, and leaves the folder as it was:", () => {
    const attempt = (options: Partial<Parameters<typeof restore>[0]>) =>
      restore({
        dataDir: join(folder, "data", "below"),
        identity: { identityFile: keyFile },
        file: whole.file,
        actor: "test",
        signal: new AbortController().signal,
        ...options,
      })
    /** Signed by the deployment itself, as a program would that has other migrations. */
    const signed = async (migrations: object[]) => {
      const path = join(folder, "signed.age")
      await using file = await open(path, "w")
      const writer = new BackupWriter(
        await AgeWriter.start(file, [whole.recipient]),
        signerOf(whole.identity),
      )
      const { header } = await read(whole.file)
      await writer.header({
        ...header,
        program: "9.0.0",
        migrations: [...header.migrations, ...migrations] as never,
      })
      await writer.secrets({})
      await writer.sequences([])
      await writer.end()
      return path
    }
    const sha256 = "0".repeat(64)

    for (const [what, options, says] of [
      [
        "another's identity",
        async () => ({ file: foreign.file }),
        /not encrypted to this identity/,
      ],
      [
        "no identity",
        async () => ({ identity: {} }),
        /no identity to open the backup with: name its file in ZT_IDENTITY_FILE/,
      ],
      [
        "no tenants' keys",
        async () => ({ seeds: join(folder, "none.age") }),
        /must lie beside the backup/,
      ],
      [
        "another's tenants' keys",
        async () => ({ seeds: foreign.seeds }),
        /not encrypted to this identity/,
      ],
      [
        "the two files exchanged",
        async () => ({ file: whole.seeds, seeds: whole.file }),
        /holds tenants' keys, not a backup/,
      ],
      [
        "another deployment's than was said",
        async () => ({ deployment: foreign.deployment }),
        /made by deployment/,
      ],
      [
        "one of a newer release",
        async () => ({
          file: await signed([{ number: 99, name: "0099_later", sha256 }]),
          seeds: whole.seeds,
        }),
        /newer release \(9\.0\.0, with 0099_later\)/,
      ],
      [
        "a file that is not there",
        async () => ({ file: join(folder, "none.age"), seeds: whole.seeds }),
        /There is no .*none\.age/,
      ],
      [
        "being stopped",
        async () => ({ signal: AbortSignal.abort(new Error("stopped")) }),
        /stopped/,
      ],
    ] as const) {
      it(what, async () => {
        await assert.rejects(attempt(await options()), says)
        assert.ok(!(await readdir(folder)).includes("data"), "no folder is left")
      })
    }

    it("a folder that holds a deployment", async () => {
      await writeFile(join(folder, "secrets.age"), "")
      const used = attempt({ dataDir: folder })
      await assert.rejects(used, /holds a deployment already \('secrets.age'\)/)
      await rm(join(folder, "secrets.age"))
    })

    it("but finishes one that was killed between its last two steps", async () => {
      const dataDir = join(folder, "interrupted")
      await mkdir(join(dataDir, "restoring"), { recursive: true })
      await writeFile(join(dataDir, "postgres"), "in place already")
      for (const name of ["secrets.age", "complete"]) {
        await writeFile(join(dataDir, "restoring", name), "")
      }
      assert.equal(await attempt({ dataDir }), undefined)
      assert.deepEqual((await readdir(dataDir)).sort(), ["postgres", "secrets.age"])
    })

    it("and removes what one left that was killed before", async () => {
      const dataDir = join(folder, "left")
      await mkdir(join(dataDir, "restoring", "postgres"), { recursive: true })
      await writeFile(join(dataDir, "restoring", "secrets.age"), "")
      const signal = AbortSignal.abort(new Error("stopped"))
      await assert.rejects(attempt({ dataDir, signal }), /stopped/)
      assert.deepEqual(await readdir(dataDir), [])
    })
  })
})

/** All of the header, then now and then, the last bytes too. */
function lengths(header: number, end: number): number[] {
  const all: number[] = []
  for (let at = 0; at < end; at += at < header ? 3 : 9_973) all.push(at)
  return [...all, header + 65_552, end - 17, end - 16, end - 1].filter((at) => at < end)
}

async function framesOf({ file, identity }: TestBackup): Promise<Frame[]> {
  const frames = await Array.fromAsync(readFrames(readAge(file, identity)))
  return frames.map(({ kind, bytes }) => ({ kind, bytes: Buffer.from(bytes) }))
}

const isData = ({ kind }: Frame) => kind === "D"

/** The frames of a table, from its beginning to its end. */
function tableOf(frames: Frame[], name: string): Frame[] {
  const from = frames.findIndex(
    ({ kind, bytes }) => kind === "T" && JSON.parse(String(bytes)).name === name,
  )
  return frames.slice(from, from + frames.slice(from).findIndex(({ kind }) => kind === "E") + 1)
}

function withTable(frames: Frame[], table: Frame[]): Frame[] {
  const { name } = JSON.parse(String(table[0]?.bytes))
  const old = tableOf(frames, name)
  const at = frames.indexOf(old[0] as Frame)
  return [...frames.slice(0, at), ...table, ...frames.slice(at + old.length)]
}

function emptyTable(frames: Frame[]): Frame[] {
  const table = tableOf(frames, "entry")
  const end = {
    rows: 0,
    bytes: 0,
    sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  }
  return [table[0] as Frame, { kind: "E", bytes: Buffer.from(JSON.stringify(end)) }]
}

function without(frames: Frame[], name: string): Frame[] {
  const table = new Set(tableOf(frames, name))
  return frames.filter((frame) => !table.has(frame))
}

function changed({ kind, bytes }: Frame): Frame {
  const copy = Buffer.from(bytes)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return { kind, bytes: copy }
}

/** The end's totals made right: they are not signed themselves. */
function counted(frames: Frame[]): Frame[] {
  const ends = frames
    .filter(({ kind }) => kind === "E")
    .map(({ bytes }) => JSON.parse(String(bytes)))
  const totals = { tables: ends.length, rows: ends.reduce((sum, { rows }) => sum + rows, 0) }
  return frames.map(({ kind, bytes }) =>
    kind === "Z"
      ? { kind, bytes: Buffer.from(JSON.stringify({ ...JSON.parse(String(bytes)), ...totals })) }
      : { kind, bytes },
  )
}

function withHeader([header, ...rest]: Frame[], change: object): Frame[] {
  const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(String(header?.bytes)), ...change }))
  return [{ kind: "H", bytes }, ...rest]
}
