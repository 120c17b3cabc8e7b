import assert from "node:assert/strict"
import { once } from "node:events"
import type { AddressInfo, Socket } from "node:net"
import { createServer } from "node:net"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import { placeOf, withClient } from "./connection.ts"

const LOGIN = { user: "somebody", password: "secret" }

describe("where a database is, as it is said", () => {
  for (const [url, place] of [
    ["postgresql://db.example/zt?sslmode=require", "db.example:5432/zt"],
    ["postgres://[2001:db8::1]:6432/zt", "[2001:db8::1]:6432/zt"],
    ["postgresql:///zt?host=/run/postgresql&port=6000", "/run/postgresql:6000/zt"],
    ["postgresql:///zt?user=somebody&password=secret", "localhost:5432/zt"],
    ["postgresql://somebody:secret@db.example/a%20b", "db.example:5432/a b"],
  ] as const) {
    it(url, () => assert.equal(placeOf({ url }), place))
  }
})

it("where one of several hosts is", () => {
  const address = { url: "postgresql://a.example/zt", others: ["postgresql://b.example:5433/zt"] }
  assert.equal(placeOf(address), "a.example:5432,b.example:5433/zt")
})

describe("a server that does not serve", () => {
  for (const [what, answer, reason] of [
    ["is not there", undefined, /\(ECONNREFUSED\)/],
    ["hangs up", (socket: Socket) => socket.destroy(), /\(.+\)/],
    [
      "is starting up",
      refuse("57P03", "the database is starting up"),
      /\(the database is starting/,
    ],
    [
      "has a full disk",
      refuse("53100", "could not extend file"),
      /disk .* is full.*free some space/,
    ],
  ] as const) {
    it(`${what}: the message names it and what to do, and no login`, async () => {
      const server = createServer(answer).listen(0, "127.0.0.1")
      await once(server, "listening")
      const { port } = server.address() as AddressInfo
      if (answer === undefined) server.close()
      const address = { url: `postgresql://127.0.0.1:${port}/zt` }
      await assert.rejects(
        withClient(address, LOGIN, async () => {}),
        (error) => {
          assert.ok(error instanceof Problem && error.code === "UNAVAILABLE", String(error))
          assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}/zt`))
          assert.match(error.message, reason)
          assert.doesNotMatch(error.message, /somebody|secret/)
          if (!what.includes("disk")) assert.match(error.message, /ZT_DATABASE_URL/)
          return true
        },
      )
      server.close()
    })
  }
})

/** Answers anything with an ErrorResponse (PostgreSQL, "Message Formats"). */
function refuse(code: string, message: string) {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.from("E\0\0\0\0")
  head.writeInt32BE(fields.length + 4, 1)
  return (socket: Socket) => socket.once("data", () => socket.end(Buffer.concat([head, fields])))
}
