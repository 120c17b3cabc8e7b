/** Strangers come in floods, all from one address: what they get, and what they do not take from others. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect } from "node:http2"
import { Agent } from "node:https"
import { connect as connectTcp } from "node:net"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { connect as connectTls } from "node:tls"
import { Refusal } from "../../src/http/contract-refusal.ts"
import { generateKey } from "../../src/keys/format.ts"
import { readAnswer } from "../contract/read-answer.ts"
import type { Answer, Ask } from "../program.ts"
import { askOver } from "../program.ts"
import type { Deployment } from "../walls/deployment.ts"
import { startDeployment } from "../walls/deployment.ts"

const ANALYZE = "/v1/analyze?domain=lindenshop.test"
/** An address has one of it a second, and two at once. */
const PER_SECOND = 10

describe("a flood of connections", () => {
  let deployment: Deployment
  before(async () => {
    deployment = await startDeployment({})
  })
  after(() => deployment.close())

  it("does not keep back those of a host from which a good key came, and none is forgotten", async (t) => {
    const { url, ca: caFile, ask } = deployment.program
    const key = await deployment.issue("acme", "live")
    assert.equal((await ask(ANALYZE, { key })).status, 200)
    const [port, ca] = [Number(new URL(url).port), readFileSync(caFile)]
    const flood = Array.from({ length: 600 }, (_, n) =>
      connectTls({
        ...{ ca, servername: "localhost" },
        socket: connectTcp({ port, host: "127.0.0.1", localAddress: `127.0.1.${n % 4}` }),
      }),
    )
    t.after(() => {
      for (const socket of flood) socket.destroy()
    })
    let done = 0
    const all = flood.map((socket) => once(socket, "secureConnect").then(() => done++))
    await all[0]
    const agent = new Agent({ ca, maxSockets: 20 })
    const asked = Array.from({ length: 20 }, () => askOver(agent, url, ANALYZE, { key }))
    for (const { status } of await Promise.all(asked)) assert.equal(status, 200)
    assert.ok(done < 400, `${done} of ${flood.length} before them`)
    await Promise.all(all)
  })
})

describe("a flood without a good key", () => {
  let deployment: Deployment
  let paying = ""
  before(async () => {
    deployment = await startDeployment({ ZT_STRANGERS_PER_SECOND: String(PER_SECOND) })
    paying = await deployment.issue("acme", "live")
    assert.equal((await ask(ANALYZE, { key: paying })).status, 200)
  })
  after(() => deployment.close())

  const ask = (path: string, more?: Ask) => deployment.program.ask(path, more)
  const flood = async (make: () => Ask, path = ANALYZE, count = 60): Promise<Answer[]> => {
    const { ca, url } = deployment.program
    const agent = new Agent({ ca: readFileSync(ca), keepAlive: true, maxSockets: 128 })
    const sent = Array.from({ length: count }, () => askOver(agent, url, path, make()))
    return Promise.all(sent).finally(() => agent.destroy())
  }
  /** Of a flood: a second or two let one in or two. */
  const refused = (answers: readonly Answer[]): Answer[] => {
    const found = answers.filter(({ status }) => status === 429)
    assert.ok(found.length > answers.length * 0.7, `${found.length} of ${answers.length}`)
    return found
  }
  const statuses = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))]

  for (const [because, make, path] of [
    ["without a key", () => ({})],
    ["with keys that are cut", () => ({ key: generateKey("live").slice(0, -1) })],
    ["with keys that nobody has", () => ({ key: generateKey("live") })],
    ["with test keys that nobody has", () => ({ key: generateKey("test") })],
    ["with a good key in a form that is none", () => ({ headers: { authorization: paying } })],
    ["for what is open to all", () => ({}), "/v1/health"],
    ["for what is not there", () => ({}), "/wp-login.php"],
    ["that brings bodies", () => ({ method: "POST", body: "x".repeat(10_000) }), "/v1/keys"],
  ] as readonly (readonly [string, () => Ask, string?])[]) {
    it(`${because} is refused with 429, and told when to come again`, async () => {
      for (const answer of refused(await flood(make, path))) {
        assert.equal(readAnswer(Refusal, answer.json).error.code, "RATE_LIMITED")
        assert.equal(answer.headers["retry-after"], "1")
        assert.equal(answer.headers["ratelimit-policy"], '"host";q=2;w=2')
        assert.match(String(answer.headers["ratelimit"]), /^"host";r=0;t=[12]$/)
        assert.match(String(answer.headers["x-request-id"]), /^req_/)
        assert.match(String(answer.headers["strict-transport-security"]), /^max-age=/)
        assert.equal(answer.headers["cache-control"], "private, no-store")
      }
    })
  }

  it("is told what is left before it is refused", async () => {
    await sleep(2_000)
    const { headers } = await ask("/v1/health")
    assert.equal(headers["ratelimit-policy"], '"host";q=2;w=2')
    assert.equal(headers["ratelimit"], '"host";r=1;t=1')
  })

  it("ends when it waits as long as it was told: a sole waiter is served", async () => {
    const began = performance.now()
    const [one] = refused(await flood(() => ({})))
    assert.ok(performance.now() - began > 900, "a refusal is kept back")
    await sleep(Number(one?.headers["retry-after"]) * 1_000)
    assert.equal((await ask(ANALYZE)).status, 401)
  })

  it("is refused over HTTP/2 as well", async () => {
    const session = connect(deployment.program.url, { ca: readFileSync(deployment.program.ca) })
    const statusOf = () =>
      new Promise<unknown>((resolve) =>
        session
          .request({ ":path": "/v1/health" })
          .on("response", (headers) => resolve(headers[":status"]))
          .end()
          .resume(),
      )
    const all = await Promise.all(Array.from({ length: 60 }, statusOf))
    session.close()
    assert.ok(all.filter((status) => status === 429).length > 40, String(all))
  })

  for (const [because, make] of [
    ["nothing", (): Ask => ({})],
    ["unknown keys", (): Ask => ({ key: generateKey("live") })],
  ] as const) {
    it(`does not stop a good key of its own address, seen before or not, with ${because}`, async () => {
      const fresh = await deployment.issue("acme", "live")
      await flood(make)
      const flooding = flood(make, ANALYZE, 300)
      const good = Array.from({ length: 20 }, () => ask(ANALYZE, { key: paying }))
      const first = ask(ANALYZE, { key: fresh })
      assert.deepEqual(statuses(await Promise.all([...good, first])), [200])
      refused(await flooding)
    })
  }

  it("is cut off where it does not wait for its refusals", async () => {
    const { ca, url } = deployment.program
    refused(await flood(() => ({})))
    const socket = connectTls({ port: Number(new URL(url).port), ca: readFileSync(ca) })
    await once(socket, "secureConnect")
    let text = ""
    socket.on("data", (chunk) => {
      text += chunk
    })
    socket.write("GET /v1/usage HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100))
    await once(socket, "close")
    assert.ok(text.split("HTTP/1.1 ").length < 5, text)
  })

  it("does not keep a balancer from asking whether the instance lives and is ready", async () => {
    for (const path of ["/v1/health/live", "/v1/health/ready"]) {
      const asked = await flood(() => ({}), path)
      assert.deepEqual(statuses(asked), [200])
      assert.deepEqual(asked[0]?.json, { status: "ok" })
      refused(await flood(() => ({}), `${path}?x`)) // what looks like it
    }
  })

  it("asks the database for nothing, and for unknown keys a few times a second", async () => {
    const transactions = async () => {
      await sleep(1_500) // counts come late
      return deployment.asSuperuser(async (client) => {
        const { rows } = await client.query(
          "select xact_commit::integer as n from pg_stat_database where datname = current_database()",
        )
        return rows[0].n as number
      })
    }
    const start = await transactions()
    await flood(() => ({}), ANALYZE, 500)
    await flood(() => ({ key: "zt_live_x" }), ANALYZE, 500)
    const keyless = await transactions()
    assert.ok(keyless - start < 100, `${keyless - start} transactions for 1,000 requests`)
    await flood(() => ({ key: generateKey("live") }), ANALYZE, 500)
    const unknown = (await transactions()) - keyless
    assert.ok(unknown < 200, `${unknown} transactions for 500 requests`)
  })
})
