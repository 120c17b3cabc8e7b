/**
 * Connections to strangers' web servers, few and used again: of one observation, four an origin.
 *
 * Who needs one takes an idle one, or a new one, or waits for the next that is given back. All of
 * them end with the observation (dial.ts), if not before.
 */
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import type { Known } from "../types.ts"
import { attempt } from "./attempt.ts"
import type { Dialer } from "./dial.ts"
import type { TrustStore } from "./tls.ts"
import { isAuthentic, startTls } from "./tls.ts"

export interface Connection {
  readonly socket: Socket
  /** Over TLS, to whom the certificate says. */
  readonly authentic: boolean
  /** It has carried a request before, so the server may just have left. */
  readonly used: boolean
}

export interface Connections {
  /** Never rejects. */
  take(url: URL): Promise<Known<Connection>>
  give(url: URL, connection: Connection): void
  /** Begins a connection that the next to take one of its origin gets. */
  begin(url: URL): Promise<Known<Socket>>
}

interface Pool {
  open: number
  readonly idle: Connection[]
  readonly waiting: Set<() => void>
  begun: Promise<Known<Socket>> | undefined
}

const MAX_PER_ORIGIN = 4
const TURN_TIMEOUT_MS = 4000

export function createConnections(
  dialer: Dialer,
  trust: TrustStore,
  signal: AbortSignal,
): Connections {
  const pools = new Map<string, Pool>()

  function poolOf({ origin }: URL): Pool {
    let pool = pools.get(origin)
    if (pool === undefined) {
      pool = { open: 0, idle: [], waiting: new Set(), begun: undefined }
      pools.set(origin, pool)
    }
    return pool
  }

  function wake({ waiting }: Pool) {
    for (const enter of waiting) {
      enter()
      break
    }
  }

  async function connect(url: URL, pool: Pool): Promise<Known<Socket>> {
    pool.open++
    const connection = await (url.protocol === "https:" ? secure(url) : plain(url))
    const left = () => {
      pool.open--
      wake(pool)
    }
    if ("unknown" in connection) left()
    else connection.value.once("close", left)
    return connection
  }

  const plain = (url: URL) => dialer.dial(url.hostname, Number(url.port) || 80)

  async function secure(url: URL): Promise<Known<Socket>> {
    const socket = await dialer.dial(url.hostname, Number(url.port) || 443)
    return "unknown" in socket ? socket : startTls(socket.value, url.hostname, trust, signal)
  }

  return {
    async take(url) {
      const pool = poolOf(url)
      for (;;) {
        const idle = pool.idle.pop()
        if (idle !== undefined && !idle.socket.destroyed) return { value: idle }
        if (idle !== undefined) continue
        if (pool.begun !== undefined || pool.open < MAX_PER_ORIGIN) {
          const begun = pool.begun ?? connect(url, pool)
          pool.begun = undefined
          const made = await begun
          if ("unknown" in made) return made
          const socket = made.value
          const authentic = socket instanceof TLSSocket && isAuthentic(socket, url.hostname)
          return { value: { socket, authentic, used: false } }
        }
        const turn = await attempt<true>(signal, TURN_TIMEOUT_MS, (done) => {
          const enter = () => done({ value: true })
          pool.waiting.add(enter)
          return () => pool.waiting.delete(enter)
        })
        if ("unknown" in turn) return turn
      }
    },
    give(url, connection) {
      const pool = poolOf(url)
      pool.idle.push({ ...connection, used: true })
      wake(pool)
    },
    begin(url) {
      const pool = poolOf(url)
      pool.begun = connect(url, pool)
      return pool.begun
    },
  }
}
