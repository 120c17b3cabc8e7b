/** Starts `bare-server.ts` with a certificate like the program's own: same kind of key, same chain. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { makeAuthority, makeLeaf } from "../src/edge/x509.ts"
import type { Answer } from "../test/program.ts"

export interface Bare {
  readonly url: string
  readonly pid: number
  /** Path of its authority's certificate. */
  readonly ca: string
  close(): Promise<void>
}

/** @param folder - For its files. @param answer - What it sends, whatever is asked. */
export async function startBare(folder: string, { headers, text }: Answer): Promise<Bare> {
  const { date: _, connection: __, "keep-alive": ___, ...sent } = headers
  const answerFile = join(folder, "bench-answer.json")
  await writeFile(answerFile, JSON.stringify({ headers: sent, body: text }))
  const authority = await makeAuthority("localhost", new Date())
  const leaf = await makeLeaf(authority, ["localhost"], new Date())
  const certFile = join(folder, "bench-leaf.pem")
  const ca = join(folder, "bench-authority.pem")
  await writeFile(certFile, leaf.key + leaf.certificate, { mode: 0o600 })
  await writeFile(ca, authority.certificate)
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "bare-server.ts"), certFile, answerFile],
    { stdio: ["pipe", "pipe", "inherit"] },
  )
  const [port] = await once(createInterface({ input: child.stdout }), "line")
  return {
    url: `https://localhost:${port}`,
    pid: child.pid ?? 0,
    ca,
    async close() {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    },
  }
}
