import assert from "node:assert/strict"
import { once } from "node:events"
import type { AddressInfo, Server } from "node:net"
import { createServer } from "node:net"
import { after, before, describe, it } from "node:test"
import { Gate } from "../../test/history/gate.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import type { Address, Credentials } from "./connection.ts"
import { credentials, withClient } from "./connection.ts"
import { Hosts } from "./hosts.ts"
import { openDatabase } from "./pool.ts"

describe("which host comes next", () => {
  it("each in turn, and once for logins that failed side by side", () => {
    const hosts = new Hosts(["a", "b", "c"])
    const seen: string[] = []
    for (let n = 0; n < 4; n++) {
      const tried = hosts.current
      seen.push(tried)
      hosts.next(tried)
      hosts.next(tried)
    }
    assert.deepEqual(seen, ["a", "b", "c", "a"])
  })
})

/** Says of itself what a server says that follows another, and lets everybody in. */
function standby(): Server {
  const message = (type: string, body: string) => {
    const head = Buffer.from(`${type}\0\0\0\0`)
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, Buffer.from(body, "latin1")])
  }
  const greeting = Buffer.concat([
    message("R", "\0\0\0\0"),
    message("S", "in_hot_standby\0on\0"),
    message("Z", "I"),
  ])
  return createServer((socket) =>
    socket.on("error", () => {}).once("data", () => socket.write(greeting)),
  )
}

describe("of two hosts, the one that takes writes", () => {
  let db: TestDatabase
  let gate: Gate
  let login: Credentials
  before(async () => {
    db = await createDatabase()
    const { searchParams } = new URL(db.url)
    gate = await Gate.open(searchParams.get("host") ?? "")
    login = await credentials(db.secrets, "zt_runtime")
  })
  after(async () => {
    await gate.close()
    await db.drop()
  })

  for (const [what, listen] of [
    ["is a standby", standby],
    ["refuses", undefined],
    ["accepts and says nothing", () => createServer(() => {})],
  ] as const) {
    it(`the first ${what}: the second is used`, async () => {
      const first = (listen ?? createServer)().listen(0, "127.0.0.1")
      await once(first, "listening")
      const { port } = first.address() as AddressInfo
      if (listen === undefined) first.close()
      const name = new URL(db.url).pathname
      const at = (host: string) => `postgresql://${host}${name}?sslmode=disable`
      const address: Address = {
        url: at(`127.0.0.1:${port}`),
        others: [at(new URL(gate.url).host)],
      }
      const pool = openDatabase({ address, credentials: login, onUnreachable: () => {} }, 5)
      const answers = [
        await pool.call("select 1 as one"),
        await withClient(address, login, async (on) => (await on.query("select 1 as one")).rows),
      ]
      await pool.close()
      first.close()
      assert.deepEqual(answers, [[{ one: 1 }], [{ one: 1 }]])
    })
  }
})
