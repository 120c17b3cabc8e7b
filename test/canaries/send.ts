/** Sends bytes as they are, and gives all that comes back. */
import { once } from "node:events"
import type { OutgoingHttpHeaders } from "node:http2"
import { connect as connectHttp2 } from "node:http2"
import { connect as connectPlain, createServer } from "node:net"
import type { ConnectionOptions } from "node:tls"
import { connect as connectTls } from "node:tls"

/** For answers that never end: the edge lingers for who does not close. */
const PATIENCE_MS = 2_000

/** @returns All bytes of the answer; empty where there was none. */
export async function send(port: number, bytes: string, tls?: ConnectionOptions): Promise<Buffer> {
  const socket =
    tls === undefined
      ? connectPlain(port, "127.0.0.1")
      : connectTls({ port, host: "127.0.0.1", ...tls })
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  socket.on("error", () => {}) // refused handshakes and resets are answers too
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  socket.on("end", () => socket.destroy())
  socket.write(bytes)
  await new Promise((resolve) => socket.on("close", resolve))
  return Buffer.concat(chunks)
}

/** @returns Headers and body of the answer as one text; the error's name where there was none. */
export async function sendHttp2(port: number, headers: OutgoingHttpHeaders): Promise<string> {
  const session = connectHttp2(`https://localhost:${port}`, { rejectUnauthorized: false })
  try {
    const stream = session.request(headers)
    let text = ""
    stream.on("response", (answer) => {
      text += JSON.stringify(answer)
    })
    for await (const chunk of stream.setEncoding("utf8")) text += chunk
    return text
  } catch (error) {
    return String(error)
  } finally {
    session.destroy()
  }
}

/** @returns A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" ? (address?.port ?? 0) : 0
}
