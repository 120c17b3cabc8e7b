/**
 * Connections as they arrive: whose they are, and whether and when each is let in, before it costs a handshake.
 *
 * Owns: the order of it, and which connections are open. Not: how many, and at what pace (floods/).
 * Invariant: a server's own listeners see a connection once it is let in, and then all that it has said.
 */
import type { Server, Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { readHeader } from "./proxy-protocol.ts"

export interface Doors {
  /** Whether a connection from there begins with a PROXY header, which says who the client is. */
  readonly isBalancer?: (address: string) => boolean
  /**
   * Told of each connection, before its handshake.
   * @returns What to call when it is closed; undefined: it is dropped.
   */
  readonly enter?: (address: string | undefined) => (() => void) | undefined
  /**
   * Told of each connection that may enter.
   * @param begin - Begins its handshake, at once or later.
   * @returns False: it is dropped.
   */
  readonly pace?: (address: string | undefined, begin: () => void) => boolean
}

export class Arrivals {
  readonly #doors: Required<Doors>
  readonly #headerTimeoutMs: number
  readonly #open = new Set<Socket>()
  /** Those of them that are not let in yet. */
  readonly #waiting = new Set<Socket>()
  /** Addresses behind balancers' connections, by their ends: a TLS socket does not tell what it was made of. */
  readonly #clients = new Map<string, string>()

  constructor(doors: Doors, headerTimeoutMs: number) {
    this.#doors = { isBalancer: () => false, enter: () => () => {}, pace: atOnce, ...doors }
    this.#headerTimeoutMs = headerTimeoutMs
  }

  /** Comes between a server's connections and the listeners that it has by now. */
  guard(server: Server): void {
    const listeners = server.listeners("connection")
    server.removeAllListeners("connection")
    server.on("connection", (socket: Socket) => {
      this.#open.add(socket)
      this.#waiting.add(socket)
      socket.on("error", () => {}) // before its handshake nobody else listens
      socket.once("close", () => {
        this.#open.delete(socket)
        this.#waiting.delete(socket)
      })
      this.#identify(socket, () =>
        this.#letIn(socket, () => {
          this.#waiting.delete(socket)
          for (const listener of listeners) listener.call(server, socket)
        }),
      )
    })
  }

  /** Gives a connection's TLS socket the client's address. */
  identify(secure: TLSSocket): void {
    setAddress(secure, this.#clients.get(endsOf(secure)))
  }

  /** Cuts those that wait: nothing was promised to them. */
  retire(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  /** Cuts all that are open. */
  cut(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #identify(socket: Socket, done: () => void): void {
    if (socket.remoteAddress === undefined || !this.#doors.isBalancer(socket.remoteAddress)) {
      done()
      return
    }
    readHeader(socket, this.#headerTimeoutMs, (address) => {
      if (address !== undefined) {
        const ends = endsOf(socket)
        this.#clients.set(ends, address)
        socket.once("close", () => this.#clients.delete(ends))
        setAddress(socket, address)
      }
      done()
    })
  }

  #letIn(socket: Socket, begin: () => void): void {
    const { enter, pace } = this.#doors
    const leave = enter(socket.remoteAddress)
    if (leave === undefined) {
      socket.destroy()
      return
    }
    socket.once("close", leave)
    const beginOpen = () => {
      if (!socket.destroyed) begin()
    }
    if (!pace(socket.remoteAddress, beginOpen)) socket.destroy()
  }
}

function atOnce(_: string | undefined, begin: () => void): boolean {
  begin()
  return true
}

/** Both: a balancer may connect from one port to each of ours. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

function setAddress(socket: Socket, address: string | undefined): void {
  if (address !== undefined) Object.defineProperty(socket, "remoteAddress", { value: address })
}
