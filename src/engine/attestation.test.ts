import assert from "node:assert/strict"
import { createPublicKey, verify } from "node:crypto"
import { describe, it } from "node:test"
import type { Attested } from "./attestation.ts"
import { createAttestor, generateVerdictKey } from "./attestation.ts"
import type { Name, Verdict } from "./types.ts"

const attested: Attested = {
  iss: "https://localhost",
  name: { host: "example.com" } as Name,
  verdict: {
    trust_score: 61,
    base: 50,
    risk_level: "medium",
    recommended_action: "review",
    confidence: 0.75,
    insights: [
      { evidence: ["domain_age_over_5y"], points: 11 },
      { evidence: ["has_caa"], points: 0 },
    ],
    ruleset: "2026.11.1",
    observation_digest: "sha256:00",
  } as unknown as Verdict,
  checkedAt: "2026-11-23T10:00:00.000Z",
  exp: 1_795_000_000,
}

describe("signed verdicts", () => {
  it("verify with the published key alone, by another implementation", async () => {
    const attestor = await createAttestor(await generateVerdictKey())
    const [header = "", payload = "", signature = ""] = (await attestor.sign(attested)).split(".")
    const [jwk] = attestor.jwks.keys
    const key = createPublicKey({ key: { ...jwk }, format: "jwk" })
    const signed = Buffer.from(`${header}.${payload}`)
    assert.equal(verify(null, signed, key, Buffer.from(signature, "base64url")), true)
    assert.equal(
      verify(null, Buffer.from(`${signed} `), key, Buffer.from(signature, "base64url")),
      false,
    )
    assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), {
      alg: "EdDSA",
      kid: jwk?.kid,
      typ: "zt-verdict+jwt",
    })
    assert.deepEqual(JSON.parse(Buffer.from(payload, "base64url").toString()), {
      iss: "https://localhost",
      sub: "example.com",
      iat: 1_795_428_000,
      exp: 1_795_000_000,
      trust_score: 61,
      base: 50,
      risk_level: "medium",
      recommended_action: "review",
      confidence: 0.75,
      points: [{ evidence: ["domain_age_over_5y"], points: 11 }],
      ruleset: "2026.11.1",
      observation_digest: "sha256:00",
    })
  })

  it("the published key holds nothing private", async () => {
    const { jwks } = await createAttestor(await generateVerdictKey())
    assert.deepEqual(Object.keys(jwks.keys[0] ?? {}).sort(), [
      "alg",
      "crv",
      "kid",
      "kty",
      "use",
      "x",
    ])
  })

  it("the same verdict gives the same bytes", async () => {
    const attestor = await createAttestor(await generateVerdictKey())
    assert.equal(await attestor.sign(attested), await attestor.sign(attested))
  })
})
