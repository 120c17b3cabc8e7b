/** What the running program answers, over HTTPS alone; what it refuses is in refusing.test.ts. */
import assert from "node:assert/strict"
import { createPublicKey, verify } from "node:crypto"
import { after, before, describe, it } from "node:test"
import { Analysis, Health, Liveness, Usage } from "../../src/http/contract.ts"
import { Refusal } from "../../src/http/contract-refusal.ts"
import { readAnswer } from "../contract/read-answer.ts"
import type { Answer, Ask, Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

describe("the HTTP contract", () => {
  let program: Program
  let live = ""
  let test = ""
  before(async () => {
    program = await startProgram({ arguments: ["--lab"] })
    live = program.keys?.live ?? ""
    test = program.keys?.test ?? ""
  })
  after(() => program.stop())
  const get = (path: string, ask?: Ask): Promise<Answer> => program.ask(path, ask)

  describe("GET /v1/analyze", () => {
    it("is explained point by point, and the points add up", async () => {
      const { status, json } = await get("/v1/analyze?domain=harbourbank.test", { key: live })
      assert.equal(status, 200)
      const analysis = readAnswer(Analysis, json)
      const points = analysis.insights.reduce((sum, { points }) => sum + points, 0)
      assert.equal(analysis.base + points, analysis.trust_score)
      assert.equal(analysis.metadata.environment, "live")
      const codes = Object.values(analysis.signals).flatMap((group) => Object.keys(group))
      assert.ok(codes.length >= 32, `${codes.length} signals`)
    })

    it("the second answer is a hit with the same verdict, under its own request id", async () => {
      const ask = () => get("/v1/analyze?domain=lindner-joinery.test", { key: live })
      const [first, second, third] = [await ask(), await ask(), await ask()].map((answer) => {
        assert.equal(answer.status, 200)
        assert.equal(Buffer.byteLength(answer.text), Number(answer.headers["content-length"]))
        return readAnswer(Analysis, answer.json)
      })
      assert.ok(first && second && third)
      assert.equal(first.metadata.cache.hit, false)
      assert.equal(second.metadata.cache.hit, true)
      assert.equal(third.metadata.cache.hit, true)
      const ids = [first, second, third].map(({ metadata }) => metadata.request_id)
      assert.equal(new Set(ids).size, 3)
      const verdicts = [first, second, third].map(({ metadata, ...verdict }) => ({
        ...verdict,
        checked_at: metadata.checked_at,
        observation_digest: metadata.observation_digest,
      }))
      assert.deepEqual(verdicts[1], verdicts[0])
      assert.deepEqual(verdicts[2], verdicts[0])
    })

    it("fresh=true looks again", async () => {
      const ask = (more = "") => get(`/v1/analyze?domain=sixnetworks.test${more}`, { key: live })
      const before = readAnswer(Analysis, (await ask()).json)
      const again = readAnswer(Analysis, (await ask("&fresh=true")).json)
      assert.equal(again.metadata.cache.hit, false)
      assert.ok(again.metadata.checked_at > before.metadata.checked_at)
      const after = readAnswer(Analysis, (await ask()).json)
      assert.equal(
        after.metadata.checked_at,
        again.metadata.checked_at,
        "and that is what is known",
      )
    })

    for (const spelling of [
      "https://www.LindenShop.test/shop?x=1#y",
      "LINDENSHOP.TEST.",
      "http://user:secret@lindenshop.test:8080/",
      "ｌｉｎｄｅｎｓｈｏｐ．test",
    ]) {
      it(`'${spelling}' is lindenshop.test, echoed as it was asked`, async () => {
        const path = `/v1/analyze?domain=${encodeURIComponent(spelling)}`
        for (let i = 0; i < 2; i++) {
          const { json } = await get(path, { key: live })
          assert.equal(json.normalized_domain, "lindenshop.test")
          assert.equal(json.domain, spelling)
        }
      })
    }

    it("attest=true adds a signature that verifies with the published key alone", async () => {
      const { json } = await get("/v1/analyze?domain=lindenshop.test&attest=true", { key: live })
      const analysis = readAnswer(Analysis, json)
      const [header = "", payload = "", signature = ""] = analysis.attestation?.split(".") ?? []
      const { keys } = (await get("/.well-known/jwks.json")).json
      const key = createPublicKey({ key: keys[0], format: "jwk" })
      const signed = Buffer.from(`${header}.${payload}`)
      assert.ok(verify(null, signed, key, Buffer.from(signature, "base64url")))
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString())
      assert.equal(claims.sub, "lindenshop.test")
      assert.equal(claims.iss, program.url)
      assert.equal(claims.trust_score, analysis.trust_score)
      assert.equal(claims.observation_digest, analysis.metadata.observation_digest)
    })

    it("a Bearer header does as well as x-api-key, HEAD as well as GET", async () => {
      const path = "/v1/analyze?domain=lindenshop.test"
      const bearer = await get(path, { headers: { authorization: `bearer ${live}` } })
      assert.equal(bearer.status, 200)
      const head = await get(path, { key: live, method: "HEAD" })
      assert.equal(head.status, 200)
      assert.equal(head.text, "")
    })
  })

  describe("the sandbox", () => {
    const cases: readonly [string, string][] = [
      ["approve.test", "approve"],
      ["review.test", "review"],
      ["reject.test", "reject"],
      ["unreachable.test", "review"],
      ["slow.test", "approve"],
    ]
    for (const [domain, action] of cases) {
      it(`${domain} is ${action}`, async () => {
        const { status, json } = await get(`/v1/analyze?domain=${domain}`, { key: test })
        assert.equal(status, 200)
        const analysis = readAnswer(Analysis, json)
        assert.equal(analysis.recommended_action, action)
        assert.equal(analysis.metadata.environment, "test")
      })
    }

    for (const [domain, code] of [
      ["expired-cert.test", "cert_expired"],
      ["parked.test", "parked_page"],
      ["new-domain.test", "domain_age_under_30d"],
    ] as const) {
      it(`${domain} shows ${code}`, async () => {
        const { json } = await get(`/v1/analyze?domain=${domain}`, { key: test })
        assert.equal(Object.assign({}, ...Object.values(json.signals))[code], true)
      })
    }

    it("look-alike.test looks like a brand", async () => {
      const { json } = await get("/v1/analyze?domain=look-alike.test", { key: test })
      const { homoglyph_of_brand, typosquat_of_brand, brand_plus_keyword } = json.signals.lexical
      assert.ok([homoglyph_of_brand, typosquat_of_brand, brand_plus_keyword].includes(true))
    })

    for (const [domain, status, code] of [
      ["rate-limited.test", 429, "RATE_LIMITED"],
      ["quota-exceeded.test", 429, "QUOTA_EXCEEDED"],
      ["error.test", 500, "INTERNAL"],
    ] as const) {
      it(`${domain} is ${status} ${code}, every time`, async () => {
        for (let i = 0; i < 2; i++) {
          const answer = await get(`/v1/analyze?domain=${domain}`, { key: test })
          assert.equal(answer.status, status)
          assert.equal(readAnswer(Refusal, answer.json).error.code, code)
          if (status === 429) assert.match(answer.headers["retry-after"] ?? "", /^\d+$/)
        }
      })
    }

    it("the reference's example is what is served", async () => {
      const { json } = await get("/v1/analyze?domain=approve.test&fresh=true", { key: test })
      const document = (await get("/v1/openapi.json")).json
      const answer = document.paths["/v1/analyze"].get.responses["200"].content["application/json"]
      const examples: { value: { domain: string } }[] = Object.values(answer.examples)
      const example = examples.find(({ value }) => value.domain === "approve.test")?.value
      const { metadata: _, ...served } = json
      const { metadata: __, ...shown } = readAnswer(Analysis, example)
      assert.deepEqual(Object.keys(served.signals), Object.keys(shown.signals))
      assert.deepEqual(served.signals, shown.signals)
      assert.equal(served.trust_score, shown.trust_score)
    })

    it("any other name has a verdict of its own that stays", async () => {
      const ask = async (n: number) => {
        const { json } = await get(`/v1/analyze?domain=any-${n}.example&fresh=true`, { key: test })
        return readAnswer(Analysis, json).trust_score
      }
      const names = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
      const first = await Promise.all(names.map(ask))
      assert.deepEqual(await Promise.all(names.map(ask)), first)
      assert.ok(new Set(first).size > 1)
    })
  })

  describe("GET /v1/usage", () => {
    it("counts each answer once, refused ones too, of the key's environment alone", async () => {
      const env = environment(program.dataDir)
      const issue = async (kind: string) => {
        const args = ["--tenant", "counted", "--environment", kind, "--json"]
        return JSON.parse((await runCommand(["keys", "issue", ...args], env)).stdout).key as string
      }
      const [mine, sandbox] = [await issue("live"), await issue("test")]
      const path = "/v1/analyze?domain=lindenshop.test"
      for (let i = 0; i < 5; i++) await get(path, { key: mine })
      await get("/v1/analyze", { key: mine })
      await get(path, { key: sandbox })
      const usage = readAnswer(Usage, (await get("/v1/usage", { key: mine })).json)
      assert.equal(usage.environment, "live")
      assert.equal(usage.plan, "unlimited")
      assert.equal(usage.total.served, 5)
      assert.equal(usage.by_route.find(({ route }) => route === "GET /v1/analyze")?.requests, 6)
      assert.deepEqual(
        usage.by_status.filter(({ status }) => status !== null),
        [
          { status: 200, requests: 5, units: 5 },
          { status: 400, requests: 1, units: 0 },
        ],
      )
      const other = readAnswer(Usage, (await get("/v1/usage", { key: sandbox })).json)
      assert.equal(other.environment, "test")
      assert.equal(other.total.served, 1)
    })

    it("another month is empty", async () => {
      const usage = readAnswer(Usage, (await get("/v1/usage?month=2020-02", { key: live })).json)
      assert.deepEqual(usage.total, { requests: 0, served: 0, units: 0 })
      assert.equal(usage.period.to, "2020-03-01T00:00:00.000Z")
    })
  })

  describe("open to all", () => {
    it("health, live and ready", async () => {
      const health = readAnswer(Health, (await get("/v1/health")).json)
      assert.deepEqual(Object.keys(health.components).sort(), [
        "abuse",
        "backup",
        "certificate",
        "database",
        "events",
        "maintenance",
        "resolver",
        "storage",
      ])
      assert.match(
        health.components["storage"]?.message ?? "",
        /^disk encryption under the data folder: (found|absent|unknown)/,
      )
      assert.equal(health.status, "ok")
      for (const path of ["/v1/health/live", "/v1/health/ready"]) {
        const answer = await get(path)
        assert.equal(answer.status, 200)
        assert.deepEqual(readAnswer(Liveness, answer.json), { status: "ok" })
      }
    })

    it("the OpenAPI document, and a reference page without scripts", async () => {
      const document = await get("/v1/openapi.json")
      assert.equal(document.json.openapi, "3.1.0")
      assert.ok(document.json.paths["/v1/analyze"])
      const page = await get("/docs")
      assert.equal(page.status, 200)
      assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'/)
      assert.doesNotMatch(page.text, /<script|style="| on[a-z]+="/)
    })
  })
})
