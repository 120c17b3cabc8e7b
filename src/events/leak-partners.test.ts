/** Whose reports count: the operator's file, and signatures over bytes. Keys are made at run time. */
import assert from "node:assert/strict"
import { generateKeyPairSync, sign } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it, mock } from "node:test"
import { Problem } from "../core/problem.ts"
import { LeakPartners } from "./leak-partners.ts"

const BODY = Buffer.from('[{"token":"x"}]')
const pair = (curve = "P-256") => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: curve })
  return { privateKey, pem: publicKey.export({ type: "spki", format: "pem" }).toString() }
}
const [github, other, p384] = [pair(), pair(), pair("P-384")]
const signature = (by = github, body: Uint8Array = BODY, hash = "sha256") =>
  sign(hash, body, by.privateKey).toString("base64")
const entry = (id: string, key = github.pem, more: object = {}) => ({
  key_identifier: id,
  key,
  ...more,
})

describe("secret scanners", () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-leaks-"))
  })
  after(() => rm(folder, { recursive: true }))
  let files = 0
  const write = async (content: unknown, file = join(folder, `${files++}.json`)) => {
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content))
    return file
  }
  const open = async (content: unknown) =>
    LeakPartners.open(await write(content), (error) => assert.fail(String(error)))

  it("are none without a file", async () => {
    const partners = await LeakPartners.open(undefined, () => assert.fail())
    assert.equal(await partners.find(""), undefined)
  })

  it("are found by identifier, with GitHub's own fields and without a name", async () => {
    const partners = await open({
      public_keys: [
        entry("a", github.pem, { is_current: true, partner: "github" }),
        entry("b", other.pem),
      ],
    })
    const [a, b] = [await partners.find("a"), await partners.find("b")]
    assert.deepEqual([a?.name, b?.name], ["github", "secret scanner"])
    assert.equal(await partners.find("c"), undefined)
    assert.equal(await partners.find(""), undefined)
    assert.equal(a?.signed(BODY, signature()), true)
    assert.equal(b?.signed(BODY, signature()), false)
    assert.equal(b?.signed(BODY, signature(other)), true)
  })

  const good = () => signature()
  for (const [because, body, made] of [
    ["a tampered body", Buffer.from('[{"token":"y"}]'), good],
    ["a space more", Buffer.from('[{"token":"x"}] '), good],
    ["no body", Buffer.alloc(0), good],
    ["another's signature", BODY, () => signature(other)],
    ["another curve's", BODY, () => signature(p384)],
    ["another hash", BODY, () => signature(github, BODY, "sha512")],
    ["none", BODY, () => ""],
    ["what is no base64", BODY, () => "%".repeat(96)],
    ["base64url", BODY, () => `-_${good().slice(2)}`],
    ["a space at its end", BODY, () => `${good()} `],
    [
      "bytes after it",
      BODY,
      () => Buffer.concat([Buffer.from(good(), "base64"), Buffer.from([0])]).toString("base64"),
    ],
    [
      "the raw form in place of DER",
      BODY,
      () =>
        sign("sha256", BODY, { key: github.privateKey, dsaEncoding: "ieee-p1363" }).toString(
          "base64",
        ),
    ],
    [
      "zeros, as in CVE-2022-21449",
      BODY,
      () => Buffer.from([0x30, 6, 2, 1, 0, 2, 1, 0]).toString("base64"),
    ],
    ["much of it", BODY, () => "A".repeat(1_000_000)],
  ] as const) {
    it(`have signed nothing: ${because}`, async () => {
      const partners = await open({ public_keys: [entry("a")] })
      assert.equal((await partners.find("a"))?.signed(body, made()), false)
    })
  }

  for (const [because, content, message] of [
    ["no JSON", "{", /holds no JSON/],
    ["a key alone", github.pem, /holds no JSON/],
    ["no list", {}, /public_keys/],
    ["an empty list", { public_keys: [] }, /public_keys/],
    ["no identifier", { public_keys: [{ key: github.pem }] }, /public_keys\.0\.key_identifier/],
    ["an identifier twice", { public_keys: [entry("a"), entry("a")] }, /identifier a twice/],
    ["a key that is none", { public_keys: [entry("a", "x")] }, /P-256.*identifier a/],
    ["another curve", { public_keys: [entry("a", p384.pem)] }, /P-256/],
    [
      "an Ed25519 key",
      {
        public_keys: [
          entry(
            "a",
            generateKeyPairSync("ed25519")
              .publicKey.export({ type: "spki", format: "pem" })
              .toString(),
          ),
        ],
      },
      /P-256/,
    ],
    [
      "a private key, whose public half would do",
      {
        public_keys: [
          entry("a", github.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
        ],
      },
      /P-256/,
    ],
    [
      "a name with a line's end",
      { public_keys: [entry("a", github.pem, { partner: "a\nb" })] },
      /partner/,
    ],
  ] as const) {
    it(`stop the start with a file that is not right: ${because}`, async () => {
      await assert.rejects(open(content), (error: Problem) => {
        assert.equal(error.code, "INVALID_SETTING")
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /PRIVATE|BEGIN/)
        return true
      })
    })
  }

  it("stop it with a file that is not there", async () => {
    await assert.rejects(
      LeakPartners.open(join(folder, "none"), () => {}),
      {
        code: "INVALID_SETTING",
        message: /no file that can be read \(ENOENT\)/,
      },
    )
  })

  it("are read again when the file changes; a broken one changes nothing", async (test) => {
    let now = 0
    mock.method(performance, "now", () => now)
    test.after(() => mock.restoreAll())
    const file = await write({ public_keys: [entry("a")] })
    const errors: unknown[] = []
    const partners = await LeakPartners.open(file, (error) => errors.push(error))
    await write({ public_keys: [entry("b"), entry("c")] }, file)
    assert.ok(await partners.find("a"), "not looked at yet")
    now += 5_000
    assert.deepEqual([await partners.find("a"), !!(await partners.find("b"))], [undefined, true])
    await write("{", file)
    now += 5_000
    assert.ok(await partners.find("b"))
    assert.ok(errors[0] instanceof Problem)
    await rm(file)
    now += 5_000
    assert.ok(await partners.find("b"))
    assert.equal(errors.length, 2)
  })
})
