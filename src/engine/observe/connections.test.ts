import assert from "node:assert/strict"
import { once } from "node:events"
import type { AddressInfo, Socket } from "node:net"
import { connect, createServer } from "node:net"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import type { Known, Why } from "../types.ts"
import type { Connection } from "./connections.ts"
import { createConnections } from "./connections.ts"
import type { Dialer } from "./dial.ts"
import { createTrustStore } from "./tls.ts"

const trust = createTrustStore()
const SITE = new URL("http://shop.example/")

async function setUp(t: TestContext, failure?: Why) {
  const server = createServer((socket) => socket.on("error", () => {}).resume())
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const dialled: Socket[] = []
  const dialer: Dialer = {
    async dial() {
      if (failure !== undefined) return { unknown: failure }
      const socket = connect(port, "127.0.0.1")
      dialled.push(socket)
      await once(socket, "connect")
      return { value: socket }
    },
    close() {},
  }
  const stop = new AbortController()
  t.after(() => {
    stop.abort()
    for (const socket of dialled) socket.destroy()
    server.close()
  })
  return { dialled, stop, connections: createConnections(dialer, trust, stop.signal) }
}

function taken(known: Known<Connection> | undefined): Connection {
  assert.ok(known !== undefined && "value" in known)
  return known.value
}

describe("connections", () => {
  it("are four an origin, and whoever waits gets the next that is given back", async (t) => {
    const { dialled, connections } = await setUp(t)
    const first = await Promise.all(Array.from({ length: 4 }, () => connections.take(SITE)))
    const fifth = connections.take(SITE)
    const given = taken(first[2])
    connections.give(SITE, given)
    assert.deepEqual(await fifth, { value: { ...given, used: true } })
    assert.equal(dialled.length, 4)
    await connections.take(new URL("http://other.example/"))
    assert.equal(dialled.length, 5, "another origin has its own")
  })

  it("make room when one closes", async (t) => {
    const { dialled, connections } = await setUp(t)
    const first = await Promise.all(Array.from({ length: 4 }, () => connections.take(SITE)))
    const fifth = connections.take(SITE)
    taken(first[0]).socket.destroy()
    assert.ok("value" in (await fifth))
    assert.equal(dialled.length, 5)
  })

  it("that were closed while idle are not given out", async (t) => {
    const { connections } = await setUp(t)
    const connection = taken(await connections.take(SITE))
    connections.give(SITE, connection)
    connection.socket.destroy()
    await once(connection.socket, "close")
    assert.notEqual(taken(await connections.take(SITE)).socket, connection.socket)
  })

  it("that were begun go to the first to take one", async (t) => {
    const { dialled, connections } = await setUp(t)
    const begun = connections.begin(SITE)
    const { socket } = taken(await connections.take(SITE))
    assert.deepEqual(await begun, { value: socket })
    assert.equal(dialled.length, 1)
  })

  it("that fail leave their place to others", async (t) => {
    const { connections } = await setUp(t, "refused")
    for (let turn = 0; turn < 10; turn++) {
      assert.deepEqual(await connections.take(SITE), { unknown: "refused" })
    }
  })

  it("are not waited for beyond the deadline", async (t) => {
    const { stop, connections } = await setUp(t)
    await Promise.all(Array.from({ length: 4 }, () => connections.take(SITE)))
    const fifth = connections.take(SITE)
    stop.abort()
    assert.deepEqual(await fifth, { unknown: "deadline" })
  })
})
