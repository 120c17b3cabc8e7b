/** One connection, many requests: answers in order, one each, and none after the last (9112 §9). */
import assert from "node:assert/strict"
import { after, before, beforeEach, describe, it } from "node:test"
import { connect } from "node:tls"
import type { TestEdge } from "./harness.ts"
import { CA, HOST, parseAnswers, say, startEdge } from "./harness.ts"

const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describe("Answers on one connection", () => {
  let edge: TestEdge
  before(async () => {
    edge = await startEdge({ lingerMs: 500 })
  })
  after(() => edge.close(0))
  beforeEach(() => {
    edge.seen.length = 0
  })

  for (const [because, requests, statuses] of [
    ["pipelined requests, the first slow", [get("/slow/30"), get("/status/404")], [200, 404]],
    ["a bad request behind a slow one", [get("/slow/30"), "BAD\r\n\r\n"], [200, 400]],
    [
      "a bad request behind two",
      [get("/slow/30"), get("/status/404"), "BAD\r\n\r\n"],
      [200, 404, 400],
    ],
    ["a refused one behind a slow one", [get("/slow/30"), "GET / HTTP/1.1\r\n\r\n"], [200, 400]],
    [
      "CONNECT behind a slow one",
      [get("/slow/30"), `CONNECT a:1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
      [200, 405],
    ],
    ["a body that looks like a request", [post("/echo", get("/smuggled"))], [200]],
    [
      "noise after a request that closes",
      [get("/slow/30", "Connection: close\r\n"), "BAD\r\n\r\n"],
      [200],
    ],
    [
      "a request after one that closes",
      [get("/slow/30", "Connection: close\r\n"), get("/smuggled")],
      [200],
    ],
    [
      "requests after a refused one",
      ["GET / HTTP/1.1\r\n\r\n", get("/smuggled"), get("/smuggled")],
      [400],
    ],
    [
      "a request after another host's",
      ["GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", get("/smuggled")],
      [421],
    ],
  ] as const) {
    it(because, async () => {
      const statusesSeen = async (bytes: string | readonly string[]) => {
        const open = statuses.every((status) => status < 400 || status === 404)
        const closes = requests.some((request) => request.includes("Connection: close"))
        const until = open && !closes ? { until: statuses.length } : {}
        return (await say(edge.httpsPort, bytes, until)).map(({ status }) => status)
      }
      assert.deepEqual(await statusesSeen(requests.join("")), statuses, "in one packet")
      assert.deepEqual(await statusesSeen(requests), statuses, "in several")
      assert.deepEqual(
        edge.seen.filter((line) => line.includes("smuggled")),
        [],
      )
    })
  }

  it("a bad chunk cuts an answer that has begun: nothing is appended to it", async () => {
    const socket = connect({ port: edge.httpsPort, ca: CA, servername: HOST })
    let heard = ""
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      heard += chunk
      if (chunk.endsWith("half")) socket.write("xyz\r\n")
    })
    socket.write(
      `POST /begun HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`,
    )
    await new Promise((resolve) => socket.once("close", resolve))
    assert.match(heard, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nhalf$/)
  })

  for (const [because, head, status] of [
    ["by the edge", "POST /echo HTTP/1.1\r\nContent-Length: 99999999\r\n", 413],
    ["by the parser", "POST /echo HTTP/1.1\r\nContent-Length: x\r\n", 400],
  ] as const) {
    it(`a refusal ${because} gets through to a peer that sends all before it reads`, async () => {
      const socket = connect({ port: edge.httpsPort, ca: CA, servername: HOST })
      let heard = ""
      socket.pause()
      socket.setEncoding("latin1").on("data", (chunk: string) => {
        heard += chunk
      })
      const closed = new Promise((resolve, reject) => {
        socket.once("close", resolve)
        socket.once("error", reject)
      })
      socket.write(`${head}Host: ${HOST}\r\n\r\n`)
      for (let i = 0; i < 30; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        socket.write("a".repeat(20_000))
      }
      socket.resume()
      await closed
      assert.deepEqual(
        parseAnswers(heard, true).map((answer) => answer.status),
        [status],
      )
    })
  }
})
