/** The searcher itself: a leak is planted in every form and every place, and must be found. */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { inspect } from "node:util"
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib"
import { filesIn, processPlaces } from "./places.ts"
import { createSearch } from "./search.ts"

const PLAIN = "x7Qm2vKp9Zt4LwRb8Yc3NdFs"
/** One piece, which hardly an encoder leaves as it is. */
const SPECIAL = `é"'<\\& /`
/** Bytes whose base64 has a `+` or a `/`, and base64url a `-` or a `_`, wherever it begins. */
const DENSE = Buffer.from("fbfffbfffbfffbff", "hex")
const BINARY = randomBytes(32)
/** Nothing in it is a piece of a secret. */
const AROUND = "a line of an honest log, "

const search = createSearch([
  { name: "plain", secret: PLAIN },
  { name: "special", secret: SPECIAL },
  { name: "binary", secret: BINARY },
  { name: "dense", secret: DENSE },
])

const FORMS: readonly (readonly [string, (secret: string) => string | Uint8Array])[] = [
  ["as it is", (s) => s],
  ["in JSON", (s) => JSON.stringify({ message: `${AROUND}${s}` })],
  ["in JSON inside JSON", (s) => JSON.stringify(JSON.stringify({ s }))],
  ["in JSON of ASCII alone", (s) => JSON.stringify(s).replaceAll(/[^ -~]/g, unicodeEscape)],
  ["in a query", (s) => `?next=${encodeURIComponent(s)}`],
  ["in a form", (s) => new URLSearchParams({ s }).toString()],
  ["percent-encoded whole", (s) => bytesAs(s, (hex) => `%${hex}`)],
  ["in lower-case percents", (s) => bytesAs(s, (hex) => `%${hex}`).toLowerCase()],
  ["as base64", (s) => Buffer.from(s).toString("base64")],
  ["as base64, 1 byte in", (s) => Buffer.from(`:${s}`).toString("base64")],
  ["as base64, 2 bytes in", (s) => Buffer.from(`u:${s}`).toString("base64")],
  ["as base64url", (s) => Buffer.from(`{"${s}"}`).toString("base64url")],
  ["as hexadecimal", (s) => Buffer.from(s).toString("hex")],
  ["as upper-case hexadecimal", (s) => Buffer.from(s).toString("hex").toUpperCase()],
  ["as a shown buffer", (s) => inspect(Buffer.from(s))],
  ["as a buffer in JSON", (s) => JSON.stringify(Buffer.from(s))],
  ["as UTF-16, little-endian", (s) => Buffer.from(s, "utf16le")],
  ["as UTF-16, big-endian", (s) => Buffer.from(s, "utf16le").swap16()],
  ["as Latin-1", (s) => Buffer.from(s, "latin1")],
  ["as quoted-printable", (s) => bytesAs(s, (hex, c) => (/[!-<>-~ ]/.test(c) ? c : `=${hex}`))],
  [
    "in HTML",
    (s) =>
      s
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("'", "&#39;"),
  ],
  ["as numbered entities", (s) => [...s].map((c) => `&#${c.charCodeAt(0)};`).join("")],
  ["as C escapes", (s) => bytesAs(s, (hex) => `\\x${hex.toLowerCase()}`)],
  [
    "as bytea of old",
    (s) =>
      bytesAs(s, (hex, c) =>
        /[ -~]/.test(c) ? c : `\\${Number.parseInt(hex, 16).toString(8).padStart(3, "0")}`,
      ),
  ],
  ["as bytea", (s) => `\\x${Buffer.from(s).toString("hex")}`],
  ["in an SQL literal", (s) => `'${s.replaceAll("'", "''")}'`],
  ["as Node shows it", (s) => inspect({ s })],
  [
    "as octal escapes",
    (s) => bytesAs(s, (hex) => `\\${Number.parseInt(hex, 16).toString(8).padStart(3, "0")}`),
  ],
  ["as quoted-printable, whole", (s) => bytesAs(s, (hex) => `=${hex}`)],
  ["percent-encoded as a whole address is", (s) => encodeURI(`https://a.test/?${s}`)],
  ["percent-encoded twice", (s) => encodeURIComponent(encodeURIComponent(s))],
  [
    "percent-encoded in lower case",
    (s) => encodeURIComponent(s).replaceAll(/%../g, (x) => x.toLowerCase()),
  ],
  ["as JSON escapes", (s) => s.replaceAll(/./g, unicodeEscape)],
  [
    "in HTML, with the other quotes",
    (s) =>
      s
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll('"', "&#34;")
        .replaceAll("'", "&#x27;"),
  ],
  [
    "as numbered entities, hexadecimal",
    (s) => [...s].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join(""),
  ],
  [
    "in an SQL literal with backslashes",
    (s) => `E'${s.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`,
  ],
  [
    "in a literal of single quotes",
    (s) => `'${s.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  ],
  ["as a list of numbers", (s) => [...Buffer.from(s)].join(", ")],
  ["as a fingerprint", (s) => bytesAs(s, (hex) => `${hex}:`)],
  ["reversed", (s) => Buffer.from(Buffer.from(s).toReversed())],
]

describe("a secret is found", () => {
  for (const [how, write] of FORMS) {
    it(how, () => {
      for (const [name, secret] of [
        ["plain", PLAIN],
        ["special", SPECIAL],
      ] as const) {
        const written = write(secret)
        const bytes = Buffer.concat([
          Buffer.from(AROUND),
          typeof written === "string" ? Buffer.from(written) : written,
          Buffer.from(`, ${AROUND}`),
        ])
        assert.ok(found(bytes).includes(name), `${name}: ${bytes}`)
      }
    })
  }

  for (const [how, part] of [
    ["its second half", PLAIN.slice(12)],
    ["without its last character", PLAIN.slice(0, -1)],
    ["its first sixteen characters", PLAIN.slice(0, 16)],
    ["sixteen from its middle", PLAIN.slice(3, 19)],
    ["fifteen from its middle, as base64", Buffer.from(PLAIN.slice(4, 19)).toString("base64")],
  ] as const) {
    it(how, () => assert.deepEqual(found(`${AROUND}${part}…`), ["plain"]))
  }

  for (const encoding of ["base64", "base64url"] as const) {
    for (const before of ["", "a", "ab"]) {
      it(`of bytes, as ${encoding}, ${before.length} in`, () => {
        const bytes = Buffer.concat([Buffer.from(before), DENSE, Buffer.from("z")])
        assert.deepEqual(found(bytes.toString(encoding)), ["dense"])
      })
    }
  }

  it("in lower and upper case, as in names of hosts", () => {
    assert.deepEqual(found(`${PLAIN.toLowerCase()}.example`), ["plain"])
    assert.deepEqual(found(PLAIN.toUpperCase()), ["plain"])
  })

  for (const [how, write] of [
    ["raw", (bytes) => bytes],
    ["hexadecimal", (bytes) => bytes.toString("hex")],
    ["base64", (bytes) => bytes.toString("base64")],
    ["a JSON Web Key", (bytes) => JSON.stringify({ kty: "OKP", d: bytes.toString("base64url") })],
    ["a shown buffer", (bytes) => inspect(bytes)],
    ["a typed array", (bytes) => JSON.stringify([...bytes])],
    ["a fingerprint's colons", (bytes) => bytes.toString("hex").replaceAll(/..\B/g, "$&:")],
  ] as const satisfies readonly [string, (bytes: Buffer) => string | Buffer][]) {
    it(`of bytes, as ${how}`, () => assert.deepEqual(found(write(BINARY)), ["binary"]))
  }
})

describe("what is compressed is expanded", () => {
  const lines = Array.from({ length: 400 }, (_, i) => `${AROUND}${Math.sin(i)}`).join("\n")
  const text = Buffer.from(`${lines}${PLAIN}${lines}`)
  const cut = (bytes: Buffer) => bytes.subarray(0, -8)
  for (const [how, bytes] of [
    ["gzip", gzipSync(text)],
    ["gzip amid other bytes", Buffer.concat([randomBytes(999), gzipSync(text), randomBytes(99)])],
    ["gzip that was cut", cut(gzipSync(text))],
    ["zlib", deflateSync(text)],
    ["zlib, strongest", deflateSync(text, { level: 9 })],
    ["deflate", deflateRawSync(text)],
    ["brotli", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["gzip in gzip", gzipSync(gzipSync(text))],
    ["base64 in gzip", gzipSync(text.toString("base64"))],
    ["gzip as base64", Buffer.from(`data:;base64,${gzipSync(text).toString("base64")}, and more`)],
    ["tar, gzip", packed("tar", "cz", text)],
    ["zip", zipOf(text)],
  ] as const) {
    it(how, () => {
      assert.ok(!bytes.includes(PLAIN), "else this would show nothing")
      assert.deepEqual(found(bytes), ["plain"])
    })
  }
})

describe("every place is looked at", () => {
  const folder = mkdtempSync(join(tmpdir(), "zt-"))
  after(() => rmSync(folder, { recursive: true }))
  const leaks = () => [...filesIn(folder, "data")].flatMap(({ name, bytes }) => search(name, bytes))

  for (const [what, plant, place] of [
    ["a file's contents", (at: string) => writeFileSync(join(at, "file"), PLAIN), "data/deep/file"],
    ["a file's name", (at: string) => writeFileSync(join(at, PLAIN), ""), "data: names"],
    ["a link's target", (at: string) => symlinkSync(`/${PLAIN}`, join(at, "link")), "data: names"],
  ] as const) {
    it(what, () => {
      const at = join(folder, "deep")
      mkdirSync(at)
      plant(at)
      assert.deepEqual([...new Set(leaks().map((leak) => leak.place))], [place])
      rmSync(at, { recursive: true })
    })
  }

  it("a socket's name", async () => {
    const server = createServer().listen(join(folder, PLAIN))
    await once(server, "listening")
    assert.deepEqual([...new Set(leaks().map((leak) => leak.place))], ["data: names"])
    server.close()
  })

  for (const [what, args, env, place] of [
    ["arguments", [PLAIN], {}, "cmdline"],
    ["environment", [], { SECRET: PLAIN }, "environ"],
  ] as const) {
    it(`${what} of a process's child`, async () => {
      const command = "sh -c 'echo started; sleep 9' sh \"$@\" & wait"
      const child = spawn("sh", ["-c", command, "sh", ...args], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "ignore"],
        detached: true,
      })
      await once(child.stdout, "data")
      const places = [...processPlaces(process.pid, "test")]
      process.kill(-(child.pid ?? 0))
      await once(child, "exit")
      const leaked = new Set(
        places.flatMap(({ name, bytes }) => search(name, bytes)).map((leak) => leak.place),
      )
      assert.deepEqual([...leaked], [`test: ${place} of a process`])
    })
  }
})

describe("nothing is found", () => {
  it("in what is no secret", () => {
    assert.deepEqual(found(AROUND.repeat(100)), [])
    assert.deepEqual(found(randomBytes(4_000_000)), [])
    assert.deepEqual(found(Buffer.alloc(1_000_000)), [])
  })
  it("of what a hint may show: fewer characters than a piece", () => {
    assert.deepEqual(found(`zt_live_${PLAIN.slice(0, 7)}…`), [])
  })
  it("and a secret too short to be told from chance is refused", () => {
    assert.throws(() => createSearch([{ name: "pin", secret: "1234567" }]), RangeError)
  })
})

function found(bytes: Uint8Array | string): string[] {
  return [...new Set(search("here", bytes).map(({ canary }) => canary))]
}

/** Each UTF-8 byte as upper-case hexadecimal, with the character where it is one byte. */
function bytesAs(text: string, write: (hex: string, character: string) => string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      write(byte.toString(16).toUpperCase().padStart(2, "0"), String.fromCharCode(byte)),
    )
    .join("")
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** Packs one file with the system's tar. */
function packed(command: string, flags: string, text: Buffer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "zt-"))
  writeFileSync(join(folder, "log"), text)
  const { stdout } = spawnSync(command, [`-${flags}`, "-C", folder, "log"])
  rmSync(folder, { recursive: true })
  return stdout
}

/** One deflated entry (APPNOTE.TXT 4.3.7), as a writer of streams makes it: without sizes. */
function zipOf(text: Buffer): Buffer {
  const header = Buffer.alloc(30)
  header.write("PK\x03\x04", "latin1")
  header.writeUInt16LE(8, 6)
  header.writeUInt16LE(8, 8)
  header.writeUInt16LE("log".length, 26)
  return Buffer.concat([header, Buffer.from("log"), deflateRawSync(text), randomBytes(16)])
}
