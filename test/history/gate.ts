/** A TCP way to a database's socket that can be shut: refused, silent, or cut. */
import { once } from "node:events"
import type { AddressInfo, Server, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { join } from "node:path"

/** `silent`: connections are accepted and nobody answers. */
export type Way = "open" | "refused" | "silent"

export class Gate {
  readonly #socketPath: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #way: Way = "open"
  #port = 0

  private constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  static async open(socketFolder: string): Promise<Gate> {
    const gate = new Gate(join(socketFolder, ".s.PGSQL.5432"))
    await gate.#listen()
    return gate
  }

  get url(): string {
    return `postgresql://127.0.0.1:${this.#port}/zygentrust?sslmode=disable`
  }

  /** Connections that are open now are cut, but for `silent`, where they hear no more. */
  async set(way: Way): Promise<void> {
    this.#way = way
    if (way === "silent") for (const socket of this.#sockets) socket.unpipe().pause()
    else for (const socket of this.#sockets) socket.destroy()
    if (way === "refused") await this.#shut()
    else if (this.#server === undefined) await this.#listen()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#shut()
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => this.#carry(client))
    this.#server = server
    server.listen(this.#port, "127.0.0.1")
    await once(server, "listening")
    this.#port = (server.address() as AddressInfo).port
  }

  async #shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, "close")
    server.close()
    await closed
  }

  #carry(client: Socket): void {
    this.#keep(client)
    if (this.#way === "silent") return
    const database = connect(this.#socketPath)
    this.#keep(database)
    client.pipe(database).pipe(client)
    client.on("close", () => database.destroy())
    database.on("close", () => client.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on("error", () => {}) // told by its close
    socket.on("close", () => this.#sockets.delete(socket))
  }
}
