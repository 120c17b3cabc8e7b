/** S2: no secret lies in source control, whatever branch or year it is from. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { gzipSync } from "node:zlib"
import { scramVerifier } from "../../src/db/password.ts"
import { generateKey } from "../../src/keys/format.ts"
import { secretsIn } from "./rules.ts"
import type { Scan } from "./scan.ts"
import { scanRepository } from "./scan.ts"
import { newWord } from "./secrets.ts"

const ROOT = join(import.meta.dirname, "../..")

/** What only looks like a secret, by the SHA-256 of its text. */
const ALLOWED: Readonly<Record<string, string>> = {
  "6f2ff870629cecc5dc933429299851c27e9891c22a65acf8f3c88bba03b2bde4": "test: an address to be read",
  "32064408da86823e9e5b0f5d8935e8ee99bb06f1e46908184b29582e6a036bdc": "test: a broken escape",
  "4c8ade76cdb093c0da83c37d606aeed72edbed37c9818c08d193092ab992f1fd": "test: must not be exposed",
  "3626679dcfdd5ca1e8fb4faaaab5a7274d0ae8b83d21b1b805be4f4cf2d17058": "test: must not be exposed",
  "1cfee90f209f5a25ca727a91db3779775ee448fe68bb6bac0c23796ede644a23": "the same, by another rule",
  b10b38c09188520fcf2f0d5e67ea64bc96d7a53160aa181ace1ee993befbef73: "test: a refused address",
  f120d7b870af387a0df65d23362ec8678707904274ef134f8d54a66e3b076c59: "test: a domain as it is asked",
}

const ADVICE =
  "A secret: revoke it where it is in use, whatever happens to the commit. A test's own is put together at run time, or gets a row here with its reason."

describe("this repository", () => {
  let scan: Scan
  before(async () => {
    scan = await scanRepository(ROOT)
  })

  it("holds no secret, in no file and no commit that is here", (t) => {
    const { findings, files, objects, shallow } = scan
    t.diagnostic(`${files} files, ${objects} objects of ${shallow ? "part of" : "all"} the history`)
    assert.ok(files > 400 && objects > 400, "it was read whole")
    assert.deepEqual(
      findings.filter(({ sha256 }) => ALLOWED[sha256] === undefined),
      [],
      ADVICE,
    )
  })

  for (const [sha256, reason] of Object.entries(ALLOWED)) {
    it(`needs the exception '${reason}' (${sha256.slice(0, 8)})`, () => {
      const isThere = scan.findings.some((finding) => finding.sha256 === sha256)
      assert.ok(scan.shallow || isThere, "nothing needs this any more: take it out")
    })
  }
})

const base32 = () => newWord().toUpperCase()

/** Put together here, so that none of them stands in this file. */
const SECRETS: Readonly<Record<string, string>> = {
  "a live key": generateKey("live"),
  "a test key": generateKey("test"),
  "a key inside an address": `https://shop.example/?key=${generateKey("live")}`,
  "an age identity": `AGE-SECRET-KEY-1${base32()}${base32()}${base32().slice(0, 10)}`,
  "a SCRAM verifier": scramVerifier(newWord()),
  "a database's address": `postgresql://admin:${newWord()}@db.example/shop`,
  "a private key": generateKeyPairSync("ed25519")
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString(),
  "a private key in JSON": JSON.stringify({
    key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "sec1",
      format: "pem",
    }),
  }),
  "a JSON Web Key": JSON.stringify(
    generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }),
  ),
  "an AWS key": `aws_secret_access_key = "${randomBytes(20).toString("hex")}"`,
  "a GitHub token": `ghp_${randomBytes(27).toString("hex").slice(0, 36)}`,
  "a web address with a password": `https://user:${newWord()}@lindenshop.test/`,
}

describe("a secret is known by its form", () => {
  for (const [what, secret] of Object.entries(SECRETS)) {
    it(what, async () => {
      const [found] = await secretsIn([`before ${secret} after`])
      assert.ok((found?.length ?? 0) > 0)
    })
  }
  it("also beside a directive that would have the scanner look away", async () => {
    const text = `// secretlint-disable\n${SECRETS["a GitHub token"]}`
    assert.equal((await secretsIn([text]))[0]?.length, 1)
  })
  it("in the text that holds it, of many", async () => {
    const texts = ["nothing", `token: ${SECRETS["a GitHub token"]}`, "nothing"]
    assert.deepEqual(
      (await secretsIn(texts)).map((found) => found.length),
      [0, 1, 0],
    )
  })

  const broken = generateKey("live").replace(/.$/, (last) => (last === "0" ? "1" : "0"))
  for (const [what, text] of [
    ["a key with a wrong checksum", broken],
    ["a hint", "zt_live_abcdefgh…"],
    ["an address with a placeholder", `postgresql://admin:\${password}@db.example/shop`],
    ["an address without a password", "postgresql://db.example/shop"],
    ["a public key", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"],
  ] as const) {
    it(`${what} is none`, async () => assert.deepEqual(await secretsIn([text]), [[]]))
  }
})

describe("every part of a repository is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "zt-"))
  after(() => rmSync(folder, { recursive: true }))
  const git = (...args: string[]) => {
    const who = [
      "-c",
      "user.name=x",
      "-c",
      "user.email=x@shop.example",
      "-c",
      "commit.gpgsign=false",
    ]
    const { status, stderr } = spawnSync("git", ["-C", folder, ...who, ...args])
    assert.equal(status, 0, String(stderr))
  }
  const write = (name: string, content: string | Buffer) =>
    writeFileSync(join(folder, name), content)
  const commit = (message: string) => {
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", `--message=${message}`)
  }
  before(() => {
    git("init", "--quiet", "--initial-branch=main")
    write("README", "nothing to see")
    commit("first")
  })

  for (const [where, plant, found] of [
    ["a file that git does not know yet", (key) => write("new", key), /^new$/],
    [
      "a file of an old commit, deleted since",
      (key) => {
        write("old", key)
        commit("with it")
        rmSync(join(folder, "old"))
        commit("without it")
      },
      /^blob \w+ old$/,
    ],
    ["a commit's message", (key) => commit(`use ${key}`), /^commit \w+$/],
    [
      "a tag's message",
      (key) => git("tag", "--annotate", "v1", `--message=${key}`),
      /^tag \w+ v1$/,
    ],
    [
      "another branch",
      (key) => {
        git("checkout", "--quiet", "-b", "other")
        write("there", key)
        commit("elsewhere")
        git("checkout", "--quiet", "main")
      },
      /^blob \w+ there$/,
    ],
    [
      "a compressed file",
      (key) => {
        write("log.gz", gzipSync(`much text, ${"again and ".repeat(99)} ${key}`))
        commit("a log")
      },
      /^log\.gz$/,
    ],
  ] as const satisfies readonly [string, (key: string) => void, RegExp][]) {
    it(where, async () => {
      const before = (await scanRepository(folder)).findings
      plant(generateKey("live"))
      const after = (await scanRepository(folder)).findings
      assert.equal(after.length, before.length + 1)
      assert.match(
        after.find(({ sha256 }) => !before.some((one) => one.sha256 === sha256))?.where ?? "",
        found,
      )
    })
  }

  it("and a folder that is no checkout is refused, not passed over", async () => {
    const empty = mkdtempSync(join(tmpdir(), "zt-"))
    await assert.rejects(scanRepository(empty), /git ls-files/)
    rmSync(empty, { recursive: true })
  })
})
