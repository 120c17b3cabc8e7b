/** Behind a TCP balancer with the PROXY protocol: keys are bound to the clients' addresses, not to the balancer's. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { request } from "node:https"
import { connect as connectTcp } from "node:net"
import { after, before, describe, it } from "node:test"
import { connect as connectTls } from "node:tls"
import { environment, runCommand } from "../program.ts"
import type { Deployment } from "../walls/deployment.ts"
import { startDeployment } from "../walls/deployment.ts"

describe("a key that is bound to addresses, behind a balancer", () => {
  let deployment: Deployment
  before(async () => {
    deployment = await startDeployment({ ZT_PROXY_PROTOCOL_FROM: "10.0.0.0/8, 127.0.0.1" })
  })
  after(() => deployment.close())

  const ask = (client: string, key: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { url, ca } = deployment.program
      const createConnection = () => {
        const socket = connectTcp(Number(new URL(url).port), "127.0.0.1")
        socket.write(`PROXY TCP4 ${client} 203.0.113.9 54321 443\r\n`)
        return connectTls({ socket, ca: readFileSync(ca), servername: "localhost" })
      }
      request(`${url}/v1/analyze?domain=lindenshop.test`, {
        createConnection,
        headers: { "x-api-key": key },
      })
        .on("response", (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end()
    })

  it("is served from there, the first time and from memory, and refused from elsewhere", async () => {
    const args = [
      "--tenant",
      "acme",
      "--environment",
      "live",
      "--address",
      "192.0.2.0/24",
      "--json",
    ]
    const { stdout, stderr } = await runCommand(
      ["keys", "issue", ...args],
      environment(deployment.program.dataDir),
    )
    assert.equal(stderr, "")
    const { key } = JSON.parse(stdout)
    const statuses: unknown[] = []
    for (const client of ["192.0.2.7", "192.0.2.8", "198.51.100.7", "127.0.0.1", "192.0.2.7"]) {
      statuses.push(await ask(client, key))
    }
    assert.deepEqual(statuses, [200, 200, 403, 403, 200])
  })
})
