import assert from "node:assert/strict"
import type { IncomingMessage } from "node:http"
import { createServer } from "node:http"
import { createServer as createTcpServer } from "node:net"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import { bodyOf, fetcherFor, get } from "../../../test/fetcher.ts"
import type { Known } from "../types.ts"
import type { Fetched } from "./fetch.ts"

/** Whatever is asked, these bytes. `ends`: and then the connection closes. */
async function getRaw(t: TestContext, text: string, ends = true): Promise<Known<Fetched>> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", () => (ends ? socket.end(text, "latin1") : socket.write(text, "latin1")))
  })
  const fetcher = await fetcherFor(t, server)
  return fetcher.get(new URL("http://shop.example/"))
}

describe("a GET", () => {
  it("says who asks, and sends no cookie and no credential", async (t) => {
    let seen: IncomingMessage | undefined
    const fetcher = await fetcherFor(
      t,
      createServer((request, response) => {
        seen = request
        response.setHeader("set-cookie", "sid=secret; Path=/; HttpOnly")
        response.end("hello")
      }),
    )
    const url = new URL("http://user:secret@shop.example/a?b=1#c")
    const fetched = await fetcher.get(url)
    assert.ok("value" in fetched)
    assert.deepEqual(fetched.value.exchange, {
      url: "http://shop.example/a?b=1",
      status: 200,
      headers: { "set-cookie": ["sid=; Path=/; HttpOnly"] },
    })
    assert.equal(bodyOf(fetched), "hello")
    assert.equal(seen?.url, "/a?b=1")
    assert.equal(seen.headers.host, "shop.example")
    assert.equal(seen.headers["user-agent"], "ZygenTrust/0 (+test)")
    assert.deepEqual([seen.headers.cookie, seen.headers.authorization], [undefined, undefined])
  })

  it("is made once for each URL", async (t) => {
    let requests = 0
    const fetcher = await fetcherFor(
      t,
      createServer((_, response) => {
        requests++
        response.end()
      }),
    )
    const urls = ["http://shop.example/", "http://SHOP.example:80/#top", "http://shop.example"]
    await Promise.all(urls.map((url) => fetcher.get(new URL(url))))
    assert.equal(requests, 1)
  })

  it("uses connections again, four at most", async (t) => {
    const server = createServer((request, response) => response.end(request.url))
    let opened = 0
    server.on("connection", () => opened++)
    const fetcher = await fetcherFor(t, server)
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const all = await Promise.all(
      paths.map((path) => fetcher.get(new URL(path, "http://shop.example"))),
    )
    assert.deepEqual(all.map(bodyOf), paths)
    assert.equal(opened, 4)
  })

  it("goes on where a server closes each connection after its answer", async (t) => {
    const server = createServer((_, response) => {
      response.setHeader("connection", "close")
      response.end("x")
    })
    const fetcher = await fetcherFor(t, server)
    for (let i = 0; i < 10; i++) {
      assert.equal(bodyOf(await fetcher.get(new URL(`http://shop.example/${i}`))), "x")
    }
  })

  it("asks again where a server leaves as a kept connection is used again", async (t) => {
    let connections = 0
    const server = createTcpServer((socket) => {
      const isFirst = connections++ === 0
      let requests = 0
      socket.on("error", () => {})
      socket.on("data", () => {
        if (isFirst && requests++ > 0) socket.destroy()
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")
      })
    })
    const fetcher = await fetcherFor(t, server)
    assert.equal(bodyOf(await fetcher.get(new URL("http://shop.example/1"))), "x")
    assert.equal(bodyOf(await fetcher.get(new URL("http://shop.example/2"))), "x")
    assert.equal(connections, 2)
  })

  it("is made of the web alone", async (t) => {
    const fetcher = await fetcherFor(t, createServer())
    for (const url of ["ftp://shop.example/", "file:///etc/passwd", "data:text/html,hello"]) {
      assert.deepEqual(await fetcher.get(new URL(url)), { unknown: "blocked" })
    }
  })

  it("does not read the body of a redirect", async (t) => {
    const fetched = await get(t, (_, response) => {
      response.writeHead(302, { location: "/x" })
      response.write("never ends")
    })
    assert.equal(bodyOf(fetched), "")
  })

  it("reads the body of a redirect that leads nowhere: it is a page", async (t) => {
    const fetched = await get(t, (_, response) => {
      response.writeHead(302)
      response.end("here")
    })
    assert.equal(bodyOf(fetched), "here")
  })

  const OK = "HTTP/1.1 200 OK\r\n"
  for (const [text, why, because] of [
    [`${OK}x: ${"y".repeat(40_000)}\r\n\r\n`, "too_large", "a header of 40 kB"],
    [OK + "x-a: b\r\n".repeat(12_000), "too_large", "headers without end"],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(3), "refused", "nothing but promises"],
    ["SSH-2.0-OpenSSH_9.6\r\n", "malformed", "not HTTP at all"],
    ["<html>hello</html>", "malformed", "HTTP/0.9"],
    ["", "refused", "nothing"],
    [`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nx`, "malformed", "two lengths"],
    [
      `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      "malformed",
      "two framings",
    ],
    [`${OK}x: a\u0000b\r\n\r\n`, "malformed", "a NUL in a header"],
    [
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
      "malformed",
      "another protocol, unasked",
    ],
  ] as const) {
    it(`is ${why}: ${because}`, async (t) => {
      assert.deepEqual(await getRaw(t, text), { unknown: why })
    })
  }

  for (const [text, why, because] of [
    [`${OK}content-length: 9\r\n\r\nx`, "refused", "cut short"],
    [`${OK}transfer-encoding: chunked\r\n\r\nzz\r\n`, "malformed", "a chunk's size that is none"],
  ] as const) {
    it(`keeps the answer when its body is ${why}: ${because}`, async (t) => {
      const fetched = await getRaw(t, text)
      assert.ok("value" in fetched)
      assert.equal(fetched.value.exchange.status, 200)
      assert.deepEqual(fetched.value.body, { unknown: why })
    })
  }

  it("does not wait for a body that drips", async (t) => {
    const realTimeout = setTimeout
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const fetched = await get(t, (_, response) => {
      response.write("a drop")
      realTimeout(() => t.mock.timers.tick(4000), 20)
    })
    assert.ok("value" in fetched)
    assert.deepEqual(fetched.value.body, { unknown: "timeout" })
  })

  it("does not wait for a server that says nothing", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const fetched = await get(t, () => t.mock.timers.tick(4000))
    assert.deepEqual(fetched, { unknown: "timeout" })
  })
})
