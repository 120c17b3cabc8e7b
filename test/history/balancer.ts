/**
 * A plain TCP load balancer, as simple as they come: round robin over the instances that say that they
 * are ready, and, where it is told so, the next one where a connection is refused. It passes TLS on unread.
 */
import { once } from "node:events"
import { Agent } from "node:https"
import type { AddressInfo, Server, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { askOver } from "../program.ts"

/** Between two looks at each instance. */
const LOOK_MS = 100

export class Balancer {
  /** Whether it tries the next one where a connection is refused. */
  triesNext = true
  readonly #targets = new Map<number, { ready: boolean }>()
  /** Which instance a client's connection leads to, by the client's port. */
  readonly #ways = new Map<number, number>()
  readonly #sockets = new Set<Socket>()
  readonly #agent: Agent
  readonly #server: Server
  #turn = 0
  #over = false

  private constructor(ca: Buffer) {
    this.#agent = new Agent({ ca, keepAlive: false })
    this.#server = createServer((client) => void this.#carry(client))
  }

  static async open(ca: Buffer): Promise<Balancer> {
    const balancer = new Balancer(ca)
    balancer.#server.listen(0, "127.0.0.1")
    await once(balancer.#server, "listening")
    return balancer
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** Looks at an instance from now on, and sends to it while it is ready. @param url - Its own. */
  add(url: string): void {
    const port = portOf(url)
    this.#targets.set(port, { ready: false })
    void this.#look(port, url)
  }

  /** It is gone, and its address will not come again. */
  remove(url: string): void {
    this.#targets.delete(portOf(url))
  }

  /** @returns The port of the instance that a client's connection led to. */
  wayOf(clientPort: number | undefined): number | undefined {
    return this.#ways.get(clientPort ?? 0)
  }

  get ready(): number {
    return [...this.#targets.values()].filter(({ ready }) => ready).length
  }

  async close(): Promise<void> {
    this.#over = true
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#agent.destroy()
  }

  async #look(port: number, url: string): Promise<void> {
    for (; !this.#over; await sleep(LOOK_MS)) {
      const target = this.#targets.get(port)
      if (target === undefined) return
      const asked = askOver(this.#agent, url, "/v1/health/ready", {})
      target.ready = await asked.then(
        ({ status }) => status === 200,
        () => false,
      )
    }
  }

  async #carry(client: Socket): Promise<void> {
    this.#keep(client)
    client.pause()
    const ready = [...this.#targets].filter(([, target]) => target.ready).map(([port]) => port)
    const from = this.#turn++
    for (let n = 0; n < ready.length; n++) {
      const port = ready[(from + n) % ready.length] ?? 0
      const upstream = connect(port, "127.0.0.1")
      this.#keep(upstream)
      try {
        await once(upstream, "connect")
      } catch {
        if (this.triesNext) continue // it has just gone
        break
      }
      this.#ways.set(client.remotePort ?? 0, port)
      client.pipe(upstream).pipe(client)
      client.on("close", () => upstream.destroy())
      upstream.on("close", () => client.destroySoon())
      return
    }
    client.destroy()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on("error", () => {}) // told by its close
    socket.on("close", () => this.#sockets.delete(socket))
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
