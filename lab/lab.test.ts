import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { connect } from "node:net"
import { dirname, join } from "node:path"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { readConfig } from "../src/config.ts"
import { CHARACTERS } from "./characters/all.ts"
import type { Lab } from "./lab.ts"
import { startLab } from "./lab.ts"
import { addressMap, exchange, handshake, portOf, readAfterRequest } from "./testing/client.ts"

describe("the characters", () => {
  it("are more than sixty, each with a name and a domain of its own", () => {
    assert.ok(CHARACTERS.length > 60)
    for (const key of ["name", "domain"] as const) {
      assert.equal(new Set(CHARACTERS.map((one) => one[key])).size, CHARACTERS.length, key)
    }
  })

  it("expect of no signal two things at once", () => {
    for (const { name, expect } of CHARACTERS) {
      const codes = [expect.evidence, expect.absent ?? [], expect.unknown ?? []].flat()
      assert.equal(new Set(codes).size, codes.length, name)
    }
  })
})

describe("the lab", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
  })
  after(() => lab.close())

  it("gives settings that the program takes", () => {
    const config = readConfig(lab.settings)
    assert.equal(config.resolvers?.length, 1)
    assert.equal(config.addressMap.size, addressMap(lab).size)
  })

  it("maps addresses that nobody else has, to loopback, and never loopback itself", () => {
    for (const pair of lab.settings.ZT_ADDRESS_MAP.split(",")) {
      assert.match(
        pair,
        /^(198\.1[89]\.\d+\.\d+|\[2001:db8:[0-9a-f:]+\]):(80|443)=127\.0\.0\.1:\d+$/,
      )
    }
  })

  it("serves a site on both ports of an address, and counts who comes", async () => {
    const { ipv4 = "" } = lab.characters.find(({ name }) => name === "good-shop") ?? {}
    const plain = await exchange(lab, "good-shop")
    assert.match(plain, /^HTTP\/1\.1 301 /)
    assert.match(plain, /^location: https:\/\/lindenshop\.test\/\r$/im)
    const secure = await readAfterRequest(await handshake(lab, "good-shop"), "lindenshop.test")
    assert.match(secure, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(secure, /<title>Welcome – |<h1>Linden Shop<\/h1>/)
    assert.equal(lab.requests.connections.get(`${ipv4}:80`), 1)
    assert.equal(lab.requests.connections.get(`${ipv4}:443`), 1)
  })

  it("refuses where a character refuses", async () => {
    await assert.rejects(exchange(lab, "nothing-listens"), { code: "ECONNREFUSED" })
  })

  it("answers nothing, and keeps the connection, where a character is silent", async () => {
    const socket = connect(portOf(lab, "silent-server", 80), "127.0.0.1")
    socket.write("GET / HTTP/1.1\r\nHost: silent-server.test\r\n\r\n")
    socket.on("data", () => assert.fail("it spoke"))
    await exchange(lab, "good-shop")
    assert.equal(socket.readyState, "open")
    socket.destroy()
  })

  it("counts who steps into the trap", async () => {
    const location = /^location: (.*)\r$/im.exec(await exchange(lab, "redirect-to-loopback"))?.[1]
    assert.equal(lab.requests.connections.get("trap"), undefined)
    const socket = connect(Number(new URL(location ?? "").port), "127.0.0.1")
    await new Promise((resolve) => socket.once("close", resolve).resume())
    assert.equal(lab.requests.connections.get("trap"), 1)
  })

  it("leaves neither socket nor timer nor file behind, whoever was there", async () => {
    const script = join(import.meta.dirname, "testing", "visit-and-close.ts")
    const { stdout } = await promisify(execFile)(process.execPath, [script])
    const { caFile, left } = JSON.parse(stdout)
    assert.deepEqual(left, [])
    assert.ok(!existsSync(dirname(caFile)))
  })
})
