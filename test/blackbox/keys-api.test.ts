/** Keys that manage keys, over HTTPS: a table for each route, refusals included. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const NOBODY = "key_01h455vb4pex5vsknk084sn02q"
const FAR = "2099-01-01T00:00:00.000Z"
const NEAR = "2098-01-01T00:00:00.000Z"
const LOOPBACK = ["--address", "127.0.0.0/8", "--address", "::1/128"]

describe("keys by the API", () => {
  let program: Program
  /** Manages the keys of Shop Ltd. */
  let manager: { id: string; key: string }
  before(async () => {
    program = await startProgram()
    manager = await issue("Shop Ltd", "--scope", "keys:write", "--scope", "analyze")
  })
  after(() => program.stop())

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCommand(
      [...args, "--json"],
      environment(program.dataDir),
    )
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const issue = (tenant: string, ...more: string[]) =>
    json("keys", "issue", "--tenant", tenant, "--environment", "test", ...more)
  const send = (
    method: string,
    path: string,
    body?: unknown,
    key = manager.key,
    headers: Record<string, string> = {},
  ) =>
    program.ask(path, {
      method,
      key,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
  const made = async (body: object = { name: "till" }, key = manager.key) => {
    const answer = await send("POST", "/v1/keys", body, key)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const codeOf = async (key: string) => {
    const { status, json: body } = await program.ask("/v1/keys/me", { key })
    return status === 200 ? "served" : body.error.code
  }

  it("GET /v1/keys/me: any key sees itself, and not which operator issued it", async () => {
    const { key, id } = await issue("Shop Ltd", "--scope", "analyze", "--name", "plain")
    const { status, json: me } = await program.ask("/v1/keys/me", { key })
    assert.equal(status, 200)
    assert.deepEqual(
      [me.id, me.name, me.state, me.scopes, me.environment, me.issued_by],
      [id, "plain", "good", ["analyze"], "test", "operator"],
    )
    assert.ok(!JSON.stringify(me).includes(key))
  })

  it("POST /v1/keys: a key, shown once, with the issuing key's bounds but for keys:write", async () => {
    const key = await made()
    assert.match(key.key, /^zt_test_/)
    assert.deepEqual([key.scopes, key.issued_by, key.name], [["analyze"], manager.id, "till"])
    assert.equal(await codeOf(key.key), "served")
    const again = await send("GET", `/v1/keys/${key.id}`)
    assert.deepEqual([again.json.key, again.json.secret_shown], [undefined, undefined])
    assert.match(again.json.last_used_at, /:00\.000Z$/)
    const shown = await json("keys", "show", key.id)
    assert.equal(shown.issued_by, manager.id)
  })

  it("POST /v1/keys: no more than the key that asks has itself", async () => {
    const bound = await issue("Bound Ltd", ...LOOPBACK, "--scope", "keys:write", "--expires", FAR)
    for (const [body, status, because] of [
      [{ scopes: ["keys:write"] }, 201, "the same"],
      [{ scopes: ["keys:write", "analyze"] }, 403, "a scope more"],
      [{}, 400, "nothing is left of the usual scopes"],
      [{ scopes: ["keys:write"], addresses: ["127.0.0.1"] }, 201, "an address of the network"],
      [{ scopes: ["keys:write"], addresses: ["127.0.0.0/8", "::1"] }, 201, "all of them"],
      [{ scopes: ["keys:write"], addresses: ["0.0.0.0/0"] }, 403, "a network around its own"],
      [{ scopes: ["keys:write"], addresses: ["127.0.0.1", "10.0.0.1"] }, 403, "one beside"],
      [{ scopes: ["keys:write"], addresses: ["127.0.0.1/8"] }, 400, "no network at all"],
      [{ scopes: ["keys:write"], expires_at: NEAR }, 201, "a sooner end"],
      [{ scopes: ["keys:write"], expires_at: "2099-01-01T00:00:01Z" }, 403, "a second later"],
      [{ scopes: ["keys:write"], expires_at: "2001-01-01T00:00:00Z" }, 400, "a time that is over"],
    ] as const) {
      const answer = await send("POST", "/v1/keys", { name: "x", ...body }, bound.key)
      assert.equal(answer.status, status, `${because}: ${answer.text}`)
      if (status === 403) assert.equal(answer.json.error.code, "INSUFFICIENT_SCOPE")
      if (status === 201) {
        assert.ok(answer.json.expires_at !== null, "ends when the other does, at the latest")
        assert.ok(answer.json.addresses !== null, "and is bound to addresses")
      }
    }
  })

  it("POST /v1/keys: as many as the plan allows, also at once; the ended do not count", async () => {
    await json("plans", "set", "three", "--keys", "3")
    const first = await issue(
      "Three Ltd",
      "--plan",
      "three",
      "--scope",
      "keys:write",
      "--scope",
      "analyze",
    )
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send("POST", "/v1/keys", { name: "x" }, first.key)),
    )
    assert.deepEqual(
      answers.map(({ status }) => status).sort(),
      [201, 201, 409, 409, 409, 409, 409, 409],
    )
    const one = answers.find(({ status }) => status === 201)?.json
    await send("POST", `/v1/keys/${one.id}/revoke`, undefined, first.key)
    assert.equal((await send("POST", "/v1/keys", { name: "x" }, first.key)).status, 201)
  })

  it("GET /v1/keys: pages, in order, of the own tenant and environment alone", async () => {
    const owner = await issue("Pages Ltd", "--scope", "keys:write", "--scope", "analyze")
    const ids = [owner.id]
    for (let n = 0; n < 4; n++) ids.push((await made({ name: `${n}` }, owner.key)).id)
    await json("keys", "issue", "--tenant", "Pages Ltd", "--environment", "live")
    const seen: string[] = []
    let cursor: string | null = ""
    while (cursor !== null) {
      const query: string = cursor === "" ? "limit=2" : `limit=2&cursor=${cursor}`
      const page = await send("GET", `/v1/keys?${query}`, undefined, owner.key)
      assert.equal(page.status, 200)
      seen.push(...page.json.keys.map(({ id }: { id: string }) => id))
      cursor = page.json.next_cursor
    }
    assert.deepEqual(seen, ids)
  })

  it("PATCH /v1/keys/{id}: another name", async () => {
    const { id } = await made()
    const renamed = await send("PATCH", `/v1/keys/${id}`, { name: "till 2" })
    assert.deepEqual([renamed.status, renamed.json.name], [200, "till 2"])
  })

  it("disable, enable, revoke: from the next request on; again is harmless", async () => {
    const { id, key } = await made()
    for (const [action, status, code] of [
      ["disable", 200, "KEY_DISABLED"],
      ["disable", 200, "KEY_DISABLED"],
      ["enable", 200, "served"],
      ["enable", 200, "served"],
      ["revoke", 200, "KEY_REVOKED"],
      ["revoke", 200, "KEY_REVOKED"],
      ["enable", 409, "KEY_REVOKED"],
      ["rotate", 409, "KEY_REVOKED"],
    ] as const) {
      const answer = await send(
        "POST",
        `/v1/keys/${id}/${action}`,
        action === "rotate" ? {} : undefined,
      )
      assert.deepEqual([answer.status, await codeOf(key)], [status, code], action)
    }
    assert.equal((await send("PATCH", `/v1/keys/${id}`, { name: "x" })).status, 409)
  })

  it("revoke: says which keys it had issued; they go on", async () => {
    const child = await made({ name: "child", scopes: ["keys:write", "analyze"] })
    const grandchild = await made({ name: "grandchild" }, child.key)
    const revoked = await send("POST", `/v1/keys/${child.id}/revoke`)
    assert.deepEqual(revoked.json.issued, [grandchild.id])
    assert.equal(await codeOf(grandchild.key), "served")
  })

  it("enable: not what an operator disabled", async () => {
    const { id, key } = await made()
    await send("POST", `/v1/keys/${id}/disable`)
    await json("keys", "disable", id)
    const refused = await send("POST", `/v1/keys/${id}/enable`)
    assert.deepEqual([refused.status, refused.json.error.code], [409, "CONFLICT"])
    await json("keys", "enable", id)
    assert.equal(await codeOf(key), "served")
  })

  it("rotate: at once, or with an overlap whose end is told", async () => {
    const old = await made()
    const rotated = await send("POST", `/v1/keys/${old.id}/rotate`, { overlap_seconds: 3_600 })
    assert.equal(rotated.status, 201)
    assert.deepEqual([rotated.json.replaces, rotated.json.name], [old.id, "till"])
    const left = Date.parse(rotated.json.old_key_ends_at) - Date.now()
    assert.ok(left > 3_500_000 && left <= 3_600_000, `${left}`)
    assert.deepEqual([await codeOf(old.key), await codeOf(rotated.json.key)], ["served", "served"])
    assert.equal((await send("POST", `/v1/keys/${old.id}/rotate`, {})).status, 409)
    const next = await send("POST", `/v1/keys/${rotated.json.id}/rotate`)
    assert.equal(next.status, 201)
    assert.deepEqual(
      [await codeOf(rotated.json.key), await codeOf(next.json.key)],
      ["KEY_REVOKED", "served"],
    )
  })

  it("rotate: not a key that may do more, for that would give its rights away", async () => {
    const plain = await issue("Shop Ltd")
    const refused = await send("POST", `/v1/keys/${plain.id}/rotate`, {})
    assert.deepEqual([refused.status, refused.json.error.details.beyond], [403, "scopes"])
    const self = await issue("Shop Ltd", "--scope", "keys:write")
    assert.equal((await send("POST", `/v1/keys/${self.id}/rotate`, {}, self.key)).status, 201)
  })

  it("two keys that revoke each other at once: one of them is gone, and nobody waits for ever", async () => {
    const [a, b] = await Promise.all([
      made({ name: "a", scopes: ["keys:write"] }),
      made({ name: "b", scopes: ["keys:write"] }),
    ])
    const statuses = await Promise.all([
      send("POST", `/v1/keys/${b.id}/revoke`, undefined, a.key),
      send("POST", `/v1/keys/${a.id}/revoke`, undefined, b.key),
    ])
    assert.deepEqual(statuses.map(({ status }) => status).sort(), [200, 401])
  })

  describe("Idempotency-Key", () => {
    it("one key is made, however often it is asked for; the secret is not told again", async () => {
      const name = { "idempotency-key": "order-1" }
      const answers = await Promise.all(
        Array.from({ length: 6 }, () =>
          send("POST", "/v1/keys", { name: "once" }, manager.key, name),
        ),
      )
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
      assert.equal(new Set(answers.map(({ json: body }) => body.id)).size, 1)
      const told = answers.filter(({ json: body }) => body.key !== undefined)
      assert.equal(told.length, 1)
      const replays = answers.filter(({ json: body }) => body.secret_shown === true)
      assert.equal(replays.length, 5)
      for (const { text } of replays) assert.ok(!text.includes(told[0]?.json.key))

      const other = await send("POST", "/v1/keys", { name: "other" }, manager.key, name)
      assert.deepEqual([other.status, other.json.error.code], [422, "IDEMPOTENCY_MISMATCH"])
    })

    it("a rotation is done once, and told again with the old key's end", async () => {
      const old = await made()
      const rotate = () =>
        send("POST", `/v1/keys/${old.id}/rotate`, { overlap_seconds: 60 }, manager.key, {
          "idempotency-key": "order-2",
        })
      const { key, ...first } = (await rotate()).json
      assert.match(key, /^zt_test_/)
      assert.deepEqual((await rotate()).json, { ...first, secret_shown: true })
    })

    it("what was refused is not remembered; another key's attempts are its own", async () => {
      const name = { "idempotency-key": "order-3" }
      const refused = await send(
        "POST",
        "/v1/keys",
        { name: "x", scopes: ["usage:read"] },
        manager.key,
        name,
      )
      assert.equal(refused.status, 403)
      assert.equal((await send("POST", "/v1/keys", { name: "y" }, manager.key, name)).status, 201)
      const other = await issue("Shop Ltd", "--scope", "keys:write", "--scope", "analyze")
      const fresh = await send("POST", "/v1/keys", { name: "z" }, other.key, name)
      assert.deepEqual([fresh.status, fresh.json.name], [201, "z"])
    })
  })

  for (const [what, method, path, body, status, code, message] of [
    ["no name", "POST", "/v1/keys", {}, 400, "INVALID_REQUEST", /'name'/],
    ["nothing", "POST", "/v1/keys", undefined, 400, "INVALID_REQUEST", /'name'/],
    [
      "a name too long",
      "POST",
      "/v1/keys",
      { name: "x".repeat(81) },
      400,
      "INVALID_REQUEST",
      /'name'/,
    ],
    [
      "an invisible name",
      "POST",
      "/v1/keys",
      { name: "\u200b" },
      400,
      "INVALID_REQUEST",
      /invisible/,
    ],
    [
      "an unknown field",
      "POST",
      "/v1/keys",
      { name: "x", role: 1 },
      400,
      "INVALID_REQUEST",
      /no field 'role'/,
    ],
    [
      "a scope that is none",
      "POST",
      "/v1/keys",
      { name: "x", scopes: ["all"] },
      400,
      "INVALID_REQUEST",
      /'scopes\.0'/,
    ],
    ["no JSON", "POST", "/v1/keys", "{", 400, "INVALID_REQUEST", /not JSON/],
    ["a list", "POST", "/v1/keys", [], 400, "INVALID_REQUEST", /one JSON object/],
    [
      "too much",
      "POST",
      "/v1/keys",
      { name: "x".repeat(70_000) },
      413,
      "TOO_LARGE",
      /65,536 bytes/,
    ],
    [
      "a parameter",
      "POST",
      "/v1/keys?dry=1",
      { name: "x" },
      400,
      "INVALID_REQUEST",
      /no parameter 'dry'/,
    ],
    [
      "a field where none belongs",
      "POST",
      `/v1/keys/${NOBODY}/revoke`,
      { at: 1 },
      400,
      "INVALID_REQUEST",
      /no field 'at'/,
    ],
    [
      "an overlap too long",
      "POST",
      `/v1/keys/${NOBODY}/rotate`,
      { overlap_seconds: 1e9 },
      400,
      "INVALID_REQUEST",
      /overlap/,
    ],
    [
      "a limit that is none",
      "GET",
      "/v1/keys?limit=101",
      undefined,
      400,
      "INVALID_REQUEST",
      /'limit' is not a number/,
    ],
    [
      "a cursor that is none",
      "GET",
      "/v1/keys?cursor=x",
      undefined,
      400,
      "INVALID_REQUEST",
      /'cursor' is not one/,
    ],
    ["nobody's id", "GET", `/v1/keys/${NOBODY}`, undefined, 404, "NOT_FOUND", /There is no key/],
    [
      "nobody's id to rename",
      "PATCH",
      `/v1/keys/${NOBODY}`,
      { name: "x" },
      404,
      "NOT_FOUND",
      /There is no key/,
    ],
    [
      "nobody's id to rotate",
      "POST",
      `/v1/keys/${NOBODY}/rotate`,
      {},
      404,
      "NOT_FOUND",
      /There is no key/,
    ],
    ["what is no id", "POST", "/v1/keys/till/disable", undefined, 404, "NOT_FOUND", /no key's id/],
    [
      "a method",
      "DELETE",
      `/v1/keys/${NOBODY}`,
      undefined,
      405,
      "METHOD_NOT_ALLOWED",
      /GET and HEAD and PATCH/,
    ],
  ] as const) {
    it(`${method} ${path.split("?")[0]}: refuses ${what}`, async () => {
      const refused = await send(method, path, body)
      assert.deepEqual([refused.status, refused.json?.error.code], [status, code], refused.text)
      assert.match(refused.json.error.message, message)
    })
  }

  it("another content type gets 415, another tenant's key 404, and 401 comes before 400", async () => {
    const form = await send("POST", "/v1/keys", "name=x", manager.key, {
      "content-type": "application/x-www-form-urlencoded",
    })
    assert.deepEqual([form.status, form.json.error.code], [415, "UNSUPPORTED_TYPE"])
    const others = await issue("Other Ltd")
    for (const [method, end, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { name: "x" }],
      ["POST", "/rotate", {}],
      ["POST", "/disable", {}],
      ["POST", "/enable", {}],
      ["POST", "/revoke", {}],
    ] as const) {
      const refused = await send(method, `/v1/keys/${others.id}${end}`, body)
      assert.equal(refused.status, 404, `${method} ${end}`)
    }
    assert.equal(await codeOf(others.key), "served")
    const revoked = await made()
    await send("POST", `/v1/keys/${revoked.id}/revoke`)
    assert.equal((await send("POST", "/v1/keys", "{", revoked.key)).status, 401)
  })

  it("without keys:write, no route but me; what is refused is in the usage all the same", async () => {
    const { key } = await issue("Plain Ltd")
    for (const [method, path, body] of [
      ["GET", "/v1/keys", undefined],
      ["POST", "/v1/keys", { name: "x" }],
      ["GET", `/v1/keys/${NOBODY}`, undefined],
      ["PATCH", `/v1/keys/${NOBODY}`, { name: "x" }],
      ...["rotate", "disable", "enable", "revoke"].map(
        (action) => ["POST", `/v1/keys/${NOBODY}/${action}`, {}] as const,
      ),
    ] as const) {
      const refused = await send(method, path, body, key)
      assert.deepEqual([refused.status, refused.json.error.code], [403, "INSUFFICIENT_SCOPE"], path)
    }
    const { json: usage } = await program.ask("/v1/usage", { key })
    const refused = usage.by_status.find(({ status }: { status: number }) => status === 403)
    assert.equal(refused.requests, 8)
    assert.ok(
      usage.by_route.some(({ route }: { route: string }) => route === "POST /v1/keys/{id}/rotate"),
    )
  })
})
