import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import { setImmediate } from "node:timers/promises"
import dnsPacket from "dns-packet"
import { SHOP as NAME } from "../../../test/observation.ts"
import { canonicalJson } from "../../core/canonical-json.ts"
import type { Observation } from "../types.ts"
import { parseBootstrap } from "./bootstrap.ts"
import type { ObserverOptions } from "./observer.ts"
import { createObserver, parseServer } from "./observer.ts"

const bootstrap = parseBootstrap(
  Buffer.from(JSON.stringify({ version: "1.0", publication: "2026-01-01", services: [] })),
)

/** A web server that knows one page, and a resolver to it, under one name, that may be silent. */
async function world(
  t: TestContext,
  { silent = false, at = NAME.host } = {},
): Promise<ObserverOptions> {
  const web = createServer((request, response) => {
    response.statusCode = request.url === "/" ? 200 : 404
    response.end("<title>Shop</title>")
  })
  web.listen(0, "127.0.0.1")
  await once(web, "listening")
  const dns = createSocket("udp4")
  dns.on("message", (bytes, from) => {
    if (silent) return
    const query = dnsPacket.decode(bytes)
    const [question] = query.questions ?? []
    const isAddress = question?.type === "A" && question.name === at
    const message = dnsPacket.encode({
      type: "response",
      id: query.id ?? 0,
      questions: query.questions ?? [],
      answers: isAddress ? [{ type: "A", name: at, ttl: 1, data: "8.8.4.4" }] : [],
    })
    dns.send(message, from.port, from.address)
  })
  dns.bind(0, "127.0.0.1")
  await once(dns, "listening")
  t.after(() => {
    web.close()
    web.closeAllConnections()
    dns.close()
  })
  const local = ({ port }: AddressInfo) => ({ address: "127.0.0.1", port })
  const site = local(web.address() as AddressInfo)
  return {
    resolvers: [local(dns.address())],
    trustedResolvers: [],
    bootstrap,
    addressMap: new Map([
      ["8.8.4.4:80", site],
      ["8.8.4.4:443", site],
    ]),
    deadlineMs: 10_000,
    userAgent: "ZygenTrust/0 (+test)",
  }
}

/** Everything that is unknown, and why. */
function unknowns(observation: Observation): Record<string, string> {
  const { dns, tls, http, registration } = observation
  const all = Object.entries({ ...dns, tls, ...http, registration })
  return Object.fromEntries(
    all.flatMap(([key, known]) => ("unknown" in known ? [[key, known.unknown]] : [])),
  )
}

describe("an observation", () => {
  it("keeps what is seen, says why the rest is not, and can be stored", async (t) => {
    const observation = await createObserver(await world(t)).observe(NAME)
    assert.deepEqual(unknowns(observation), {
      tls: "tls_failed",
      secure: "tls_failed",
      mtaStsPolicy: "not_offered",
      registration: "not_offered",
    })
    assert.ok("value" in observation.http.home)
    assert.equal(observation.http.home.value.title, "Shop")
    canonicalJson(JSON.parse(JSON.stringify(observation)))
    assert.match(observation.observedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it("visits a site that lives below www alone", async (t) => {
    const options = await world(t, { at: `www.${NAME.host}` })
    const { name, dns, http } = await createObserver(options).observe(NAME)
    assert.deepEqual(name, NAME)
    assert.ok("value" in dns.a && "value" in http.home)
    assert.equal(dns.a.value.records[0]?.data, "8.8.4.4")
    assert.equal(http.home.value.url, "http://www.shop.example/")
  })

  it("tells its progress, part by part, to the end", async (t) => {
    const steps: { part: string; done: number; of: number }[] = []
    const progress = (step: (typeof steps)[number]) => steps.push(step)
    await createObserver(await world(t)).observe(NAME, { progress })
    assert.deepEqual(
      steps.map(({ done }) => done),
      steps.map((_, index) => index + 1),
    )
    assert.equal(steps.length, steps[0]?.of)
    assert.deepEqual(
      new Set(steps.map(({ part }) => part)),
      new Set(["dns", "tls", "http", "registration"]),
    )
  })

  it("says of a platform's name that registration and zone are the platform's", async (t) => {
    const observation = await createObserver(await world(t)).observe({ ...NAME, shared: true })
    const { registration, mx, ns } = unknowns(observation)
    assert.deepEqual(
      { registration, mx, ns },
      { registration: "platform", mx: "platform", ns: "platform" },
    )
    assert.ok("value" in observation.dns.a)
  })

  it("ends with its deadline, and knows what it could not wait for", async (t) => {
    const options = { ...(await world(t, { silent: true })), deadlineMs: 50 }
    const observation = await createObserver(options).observe(NAME)
    const seen = unknowns(observation)
    assert.equal(seen["registration"], "not_offered")
    assert.deepEqual(new Set(Object.values(seen)), new Set(["deadline", "not_offered"]))
    assert.equal(Object.keys(seen).length, 15 + 1 + 11 + 1)
  })

  it("rejects with the signal's reason when that fires, before or meanwhile", async (t) => {
    const observer = createObserver(await world(t, { silent: true }))
    const reason = new Error("enough")
    await assert.rejects(observer.observe(NAME, { signal: AbortSignal.abort(reason) }), reason)
    const stop = new AbortController()
    const pending = observer.observe(NAME, { signal: stop.signal })
    stop.abort(reason)
    await assert.rejects(pending, reason)
  })

  for (const [silent, deadlineMs, because] of [
    [false, 10_000, "when all is seen"],
    [true, 50, "when the deadline came"],
  ] as const) {
    it(`leaves no socket and no timer, ${because}`, async (t) => {
      const options = { ...(await world(t, { silent })), deadlineMs }
      await assertHeld(["TCPServerWrap", "UDPWrap"])
      await createObserver(options).observe(NAME)
      await assertHeld(["TCPServerWrap", "UDPWrap"])
    })
  }
})

/** What closes takes a few turns to be gone, the server's end of a connection too. */
async function assertHeld(expected: readonly string[]): Promise<void> {
  const held = () =>
    process
      .getActiveResourcesInfo()
      .filter((kind) => /^(TCP|UDP|TLS|Timeout|Get|Query)/.test(kind))
      .toSorted()
  for (let turn = 0; turn < 1000 && held().length !== expected.length; turn++) await setImmediate()
  assert.deepEqual(held(), expected)
}

describe("the system's resolvers", () => {
  for (const [server, endpoints] of [
    ["192.0.2.1", [{ address: "192.0.2.1", port: 53 }]],
    ["192.0.2.1:5353", [{ address: "192.0.2.1", port: 5353 }]],
    ["2001:db8::1", [{ address: "2001:db8::1", port: 53 }]],
    ["[2001:db8::1]:5353", [{ address: "2001:db8::1", port: 5353 }]],
    ["fe80::1%eth0", [{ address: "fe80::1%eth0", port: 53 }]],
    ["nonsense", []],
  ] as const) {
    it(`are read from ${server}`, () => assert.deepEqual(parseServer(server), endpoints))
  }
})
