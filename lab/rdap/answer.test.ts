import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { connect } from "node:tls"
import { REGISTRAR_ADDRESS, REGISTRY_ADDRESS } from "../dns/zones.ts"
import type { Lab } from "../lab.ts"
import { startLab } from "../lab.ts"
import { addressMap, readAfterRequest } from "../testing/client.ts"
import { REGISTRAR, REGISTRY } from "./answer.ts"

const NOW = new Date("2026-11-24T12:00:00Z")

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly type: string | undefined
  readonly body: string
}

describe("RDAP in the lab", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab({ now: NOW })
  })
  after(() => lab.close())

  async function ask(domain: string, host = REGISTRY): Promise<Answer> {
    const address = host === REGISTRY ? REGISTRY_ADDRESS : REGISTRAR_ADDRESS
    const socket = connect({
      port: addressMap(lab).get(`${address}:443`) ?? 0,
      host: "127.0.0.1",
      servername: host,
      ca: readFileSync(lab.settings.ZT_CA_FILE),
      checkServerIdentity: () => undefined, // the clock of this lab may not be the test's
    })
    const text = await readAfterRequest(socket, host, 65_536, `/rdap/domain/${domain}`)
    const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, "im").exec(text)?.[1]
    return {
      status: Number(text.slice(9, 12)),
      location: header("location"),
      type: header("content-type"),
      body: /\{.*\}/s.exec(text)?.[0] ?? "",
    }
  }

  const eventsOf = (body: string): Record<string, string> =>
    Object.fromEntries(
      (JSON.parse(body) as { events: { eventAction: string; eventDate: string }[] }).events.map(
        ({ eventAction, eventDate }) => [eventAction, eventDate],
      ),
    )

  it("has a bootstrap file that leads to the registry (RFC 9224)", () => {
    const file = JSON.parse(readFileSync(lab.settings.ZT_RDAP_BOOTSTRAP_FILE, "utf8"))
    assert.equal(file.version, "1.0")
    assert.deepEqual(file.services[0][0], ["test", "com", "uk", "io"])
    assert.deepEqual(file.services[0][1], [`https://${REGISTRY}/rdap/`])
  })

  it("tells events relative to now, status, registrar and delegation (RFC 9083)", async () => {
    const { status, type, body } = await ask("harbourbank.test")
    assert.equal(status, 200)
    assert.equal(type, "application/rdap+json")
    const answer = JSON.parse(body)
    assert.equal(answer.objectClassName, "domain")
    assert.equal(answer.ldhName, "harbourbank.test")
    assert.equal(answer.secureDNS.delegationSigned, true)
    assert.ok(answer.status.includes("client transfer prohibited"))
    assert.deepEqual(answer.entities[0].roles, ["registrar"])
    assert.equal(eventsOf(body).registration, "2000-11-30T12:00:00.000Z")
  })

  for (const [domain, event, date] of [
    ["fresh-bakery.test", "registration", "2026-11-18T12:00:00.000Z"],
    ["valley-rowing.test", "expiration", "2026-12-01T12:00:00.000Z"],
    ["newhands.test", "transfer", "2026-11-16T12:00:00.000Z"],
  ] as const) {
    it(`says when: ${event} of ${domain} at ${date}`, async () => {
      assert.equal(eventsOf((await ask(domain)).body)[event], date)
    })
  }

  it("redirects to the registrar, who knows", async () => {
    const { status, location } = await ask("hop-and-barley.test")
    assert.equal(status, 302)
    assert.equal(location, `https://${REGISTRAR}/rdap/domain/hop-and-barley.test`)
    assert.equal((await ask("hop-and-barley.test", REGISTRAR)).status, 200)
  })

  for (const [domain, status, because] of [
    ["nobody.test", 404, "nobody has it"],
    ["ghost-ware.test", 404, "the registry denies it"],
    ["weaver-mill.test", 500, "the registry is broken"],
    ["violin-maker.test", 200, "a page where JSON should be"],
  ] as const) {
    it(`${domain} gives ${status}: ${because}`, async () => {
      const answer = await ask(domain)
      assert.equal(answer.status, status)
      if (status === 200) assert.equal(answer.body, "")
    })
  }

  it("leads one of them to the trap", async () => {
    assert.match((await ask("glass-blower.test")).location ?? "", /^https:\/\/127\.0\.0\.1:\d+\//)
  })
})
