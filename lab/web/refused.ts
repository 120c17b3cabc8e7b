/**
 * A port of 127.0.0.1 that refuses connections for as long as the lab runs: the local end of an
 * open connection. It has no listener, and the kernel gives it to nobody else.
 */

import type { Socket } from "node:net"
import { connect, createServer } from "node:net"
import type { Listener } from "./listen.ts"
import { closeAll, listenOn } from "./listen.ts"

export async function holdRefusingPort(): Promise<Listener> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket))
  const port = await listenOn(server)
  const held = await new Promise<Socket>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.1" })
    socket.once("connect", () => resolve(socket)).once("error", reject)
  })
  return { port: held.localPort ?? 0, close: () => closeAll(server, [...sockets, held]) }
}
