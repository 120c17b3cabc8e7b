/**
 * HTTPS to one instance over connections that are kept, spoken by hand: with a thousand requests under
 * way, `node:https` would have most of the processor, and whoever shares its loop would wait for seconds.
 */
import { once } from "node:events"
import { readFileSync } from "node:fs"
import type { SecureContext, TLSSocket } from "node:tls"
import { connect, createSecureContext } from "node:tls"
import type { Program } from "../program.ts"

export interface Reply {
  readonly status: number
  readonly body: string
}

/** One connection; one request at a time. */
export interface Line {
  /** @throws Error where the connection breaks. */
  get(path: string, key: string): Promise<Reply>
}

const wires = new WeakMap<Program, Wire>()
const HOST = "localhost"

export class Wire {
  readonly #port: number
  readonly #secureContext: SecureContext
  readonly #idle: Line[] = []
  #session: Promise<Buffer> | undefined

  private constructor({ url, ca }: Program) {
    this.#port = Number(new URL(url).port)
    this.#secureContext = createSecureContext({ ca: readFileSync(ca) })
  }

  static to(program: Program): Wire {
    const wire = wires.get(program) ?? new Wire(program)
    wires.set(program, wire)
    return wire
  }

  /** @returns A connection that is free, for whoever asks to give back. */
  async take(): Promise<Line> {
    const line = this.#idle.pop()
    if (line !== undefined) return line
    this.#session ??= this.#meet()
    const socket = this.#connect(await this.#session)
    await once(socket, "secureConnect")
    return this.#line(socket)
  }

  giveBack(line: Line): void {
    this.#idle.push(line)
  }

  /** The first handshake is a whole one; those of the others resume its session, or take turns for seconds. */
  async #meet(): Promise<Buffer> {
    const socket = this.#connect()
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    socket.once("session", resolve).once("error", reject)
    socket.once("close", () => reject(new Error("the connection broke")))
    try {
      const session = await promise
      this.giveBack(this.#line(socket))
      return session
    } catch (error) {
      this.#session = undefined
      throw error
    }
  }

  #connect(session?: Buffer): TLSSocket {
    const socket = connect({
      host: "127.0.0.1",
      port: this.#port,
      servername: HOST,
      secureContext: this.#secureContext,
      session,
    })
    return socket.on("error", () => {}) // told to whoever waits, and by its close
  }

  #line(socket: TLSSocket): Line {
    return lineOver(socket.setNoDelay(true), `${HOST}:${this.#port}`)
  }
}

function lineOver(socket: TLSSocket, host: string): Line {
  let text = ""
  let waiting: PromiseWithResolvers<Reply> | undefined
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk
    const reply = readReply(text)
    if (reply === undefined) return
    text = ""
    waiting?.resolve(reply)
  })
  socket.on("close", () => waiting?.reject(new Error("the connection broke")))
  return {
    get(path, key) {
      waiting = Promise.withResolvers()
      if (socket.destroyed) waiting.reject(new Error("the connection is closed"))
      else socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-api-key: ${key}\r\n\r\n`)
      return waiting.promise
    },
  }
}

/** @returns An answer that is there whole. */
function readReply(text: string): Reply | undefined {
  const end = text.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer of no told length: ${head}`)
  const body = text.slice(end + 4)
  if (body.length < Number(length)) return undefined
  return { status: Number(head.slice(9, 12)), body }
}
