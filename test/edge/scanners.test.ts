/**
 * T1 and T2 by other people's judgement: sslscan and testssl.sh, against the conditions under which
 * testssl and SSL Labs give A+ (their rating guide), apart from a publicly trusted chain.
 */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import type { TestEdge } from "./harness.ts"
import { startEdge } from "./harness.ts"

const run = promisify(execFile)

/** @returns false, or why not, which is also said on standard error. */
async function missing(tool: string, flag: string): Promise<string | false> {
  try {
    await run(tool, [flag])
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false
    const why = `${tool} is not installed, so its judgement is MISSING (Debian: apt install ${tool})`
    console.error(why)
    return why
  }
}

describe("sslscan", { skip: await missing("sslscan", "--version") }, () => {
  let edge: TestEdge
  let xml: string
  before(async () => {
    edge = await startEdge()
    xml = (await run("sslscan", ["--xml=-", `127.0.0.1:${edge.httpsPort}`])).stdout
  })
  after(() => edge.close(0))

  const all = (pattern: RegExp) =>
    [...xml.matchAll(pattern)].map((match) => match.slice(1).join(" "))

  it("finds TLS 1.2 and 1.3, and nothing older", () => {
    assert.deepEqual(all(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g), [
      "tls 1.2",
      "tls 1.3",
    ])
  })
  it("finds forward-secret AEAD suites alone", () => {
    assert.deepEqual(
      all(/<cipher status="\w+" sslversion="TLSv([\d.]+)" [^>]*cipher="([\w-]+)"/g),
      [
        "1.3 TLS_AES_256_GCM_SHA384",
        "1.3 TLS_CHACHA20_POLY1305_SHA256",
        "1.3 TLS_AES_128_GCM_SHA256",
        "1.2 ECDHE-ECDSA-AES256-GCM-SHA384",
        "1.2 ECDHE-ECDSA-CHACHA20-POLY1305",
        "1.2 ECDHE-ECDSA-AES128-GCM-SHA256",
      ],
    )
  })
  it("finds no renegotiation and no compression", () => {
    assert.deepEqual(all(/<renegotiation supported="(\d)"/g), ["0"])
    assert.doesNotMatch(xml, /<compression supported="1"/)
  })
  it("finds no Heartbleed", () => {
    assert.deepEqual(new Set(all(/<heartbleed [^>]*vulnerable="(\d)"/g)), new Set(["0"]))
  })
  it("finds groups of 128 bits and more alone", () => {
    const bits = all(/<group [^>]*bits="(\d+)"/g)
    assert.ok(bits.length > 0)
    assert.deepEqual(
      bits.filter((count) => Number(count) < 128),
      [],
    )
  })
})

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

describe("testssl", { skip: await missing("testssl", "--version") }, () => {
  let findings: Finding[]
  before(async () => {
    const edge = await startEdge()
    const folder = await mkdtemp(join(tmpdir(), "zt-testssl-"))
    const file = join(folder, "findings.json")
    // Suites, their order and groups are sslscan's above: testssl takes long enough.
    const checks = ["--protocols", "--std", "--headers", "--vulnerable"]
    const offline = ["--nodns", "none", "--connect-timeout", "20", "--openssl-timeout", "20"]
    const output = ["--warnings", "off", "--color", "0", "--quiet", "--jsonfile", file]
    const target = `127.0.0.1:${edge.httpsPort}`
    // Its exit code counts findings, also the good ones.
    await run("testssl", [...checks, ...offline, ...output, target]).catch(() => {})
    findings = JSON.parse(await readFile(file, "utf8")) as Finding[]
    await rm(folder, { recursive: true })
    await edge.close(0)
  })

  it("has nothing to complain of", () => {
    // `engine_problem` is of the OpenSSL that testssl itself runs with.
    const complaints = findings.filter(
      ({ id, severity }) => !["OK", "INFO"].includes(severity) && id !== "engine_problem",
    )
    assert.deepEqual(complaints, [])
  })

  // Names of findings that testssl 3.0 and 3.2 share; without them, silence would pass for praise.
  for (const [id, finding] of [
    ["SSLv2", /not offered/],
    ["SSLv3", /not offered/],
    ["TLS1", /not offered/],
    ["TLS1_1", /not offered/],
    ["TLS1_2", /^offered/],
    ["TLS1_3", /^offered/],
    ["ALPN_HTTP2", /h2/],
    ["cipherlist_NULL", /not offered/],
    ["cipherlist_aNULL", /not offered/],
    ["cipherlist_EXPORT", /not offered/],
    ["cipherlist_LOW", /not offered/],
    ["HSTS_time", /^365 days/],
    ["HSTS_subdomains", /includes subdomains/],
    ["HSTS_preload", /marked for preloading/],
    ["heartbleed", /not vulnerable/],
    ["CCS", /not vulnerable/],
    ["ticketbleed", /not vulnerable|no session ticket/],
    ["ROBOT", /not vulnerable|no RSA/],
    ["secure_renego", /supported/],
    ["secure_client_renego", /not vulnerable/],
    ["CRIME_TLS", /not vulnerable/],
    ["BREACH", /not vulnerable/],
    ["POODLE_SSL", /not vulnerable/],
    ["fallback_SCSV", /no protocol below TLS 1.2|supported/],
    ["SWEET32", /not vulnerable/],
    ["FREAK", /not vulnerable/],
    ["DROWN", /not vulnerable/],
    ["LOGJAM", /not vulnerable/],
    ["BEAST", /not vulnerable/],
    ["LUCKY13", /not vulnerable/],
    ["RC4", /not vulnerable/],
  ] as const) {
    it(`${id}: ${finding.source}`, () => {
      const found = findings.find((one) => one.id === id)
      assert.match(found?.finding ?? "", finding)
    })
  }
})
