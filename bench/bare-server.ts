/**
 * The limit that the hot path is held against: a bare `node:https` server, with the same TLS
 * settings, that sends the same bytes and does nothing else. Started by bare.ts.
 */
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { TLS_POLICY } from "../src/edge/tls.ts"

/** The first file holds the certificate and its key. */
const [certFile = "", answerFile = ""] = process.argv.slice(2)
const { headers, body } = JSON.parse(readFileSync(answerFile, "utf8"))

const pem = readFileSync(certFile)
const options = { ...TLS_POLICY, cert: pem, key: pem }
const server = createServer(options, (_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port)
})
process.stdin.on("end", () => process.exit()).resume()
