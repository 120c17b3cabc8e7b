/**
 * Runs the program as a person would, `bin/zygentrust start --json`, and speaks HTTPS to it.
 *
 * The black-box suites know nothing else of it: an address, an authority's certificate, keys.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import type { IncomingHttpHeaders } from "node:http"
import { Agent, request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

export const PROGRAM = join(import.meta.dirname, "../bin/zygentrust")

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; `undefined` where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly json: any
}

export interface Ask {
  readonly key?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Program {
  readonly url: string
  /** Path of the authority's certificate. */
  readonly ca: string
  /** Only where this was the first start on its data folder. */
  readonly keys: { readonly test: string; readonly live: string } | undefined
  readonly dataDir: string
  readonly pid: number
  /** All that it wrote on standard error so far. */
  stderr(): string
  /** The same of standard output. */
  stdout(): string
  ask(path: string, ask?: Ask): Promise<Answer>
  /** Its exit code, when it has ended. */
  readonly ended: Promise<number | null>
  /** Asks it to stop; resolves as `ended` does. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface StartOptions {
  /** Default: a new folder, removed by `stop`. */
  readonly dataDir?: string
  readonly arguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Words before the program's own, like `unshare --mount`: it may see other disks than we do. */
  readonly prefix?: readonly string[]
}

/** @returns A folder for data; the caller removes it. */
export function newDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), "zt-"))
}

/** Settings of tests for every command: ports that are free, and nothing of the caller's own. */
export function environment(dataDir: string, more: Readonly<Record<string, string>> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("ZT_"))
  return {
    ...Object.fromEntries(inherited),
    ZT_DATA_DIR: dataDir,
    ZT_HTTPS_PORT: "0",
    ZT_HTTP_PORT: "0",
    ZT_STRANGERS_PER_SECOND: "1000000",
    ZT_KEY_REQUESTS_PER_DAY: "1000000", // a whole suite comes from one address
    ...more,
  }
}

/** Starts the program and waits until it is ready. @throws Error with what it wrote, if it ends. */
export async function startProgram(options: StartOptions = {}): Promise<Program> {
  const dataDir = options.dataDir ?? (await newDataDir())
  const [command = "", ...words] = [...(options.prefix ?? []), PROGRAM]
  const child = spawn(command, [...words, "start", "--json", ...(options.arguments ?? [])], {
    env: environment(dataDir, options.environment),
    stdio: ["ignore", "pipe", "pipe"],
  })
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  let stdout = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  const exited = once(child, "exit")
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, "line"), exited])
  if (typeof first[0] !== "string" || !first[0].startsWith("{")) {
    throw new Error(`zygentrust start ended with ${first[0]}:\n${stderr}`)
  }
  const { url, ca: itsCa, keys } = JSON.parse(first[0])
  const ca = options.prefix === undefined ? itsCa : `/proc/${child.pid}/root${itsCa}`
  const agent = new Agent({ ca: readFileSync(ca), keepAlive: true })
  return {
    url,
    ca,
    keys,
    dataDir,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    stdout: () => stdout,
    ended: exited.then(([code]) => code),
    ask: (path, ask = {}) => askOver(agent, url, path, ask),
    async stop(signal = "SIGTERM") {
      agent.destroy()
      child.kill(signal)
      const [code] = await exited
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
      return code
    },
  }
}

/** Sends one request and reads its answer whole. @throws Error where the connection breaks. */
export async function askOver(agent: Agent, url: string, path: string, ask: Ask): Promise<Answer> {
  const headers = { ...(ask.key && { "x-api-key": ask.key }), ...ask.headers }
  const sent = request(`${url}${path}`, { agent, method: ask.method ?? "GET", headers })
  sent.on("error", () => {}) // told by what is awaited; a late one would end the process
  sent.end(ask.body)
  const [response] = await once(sent, "response")
  let text = ""
  for await (const chunk of response.setEncoding("utf8")) text += chunk
  const isJson = /\bjson/.test(response.headers["content-type"] ?? "") && text !== ""
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  }
}

/** Runs one command to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(PROGRAM, args, { env, stdio: ["ignore", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const [code] = await once(child, "close")
  return { code, stdout, stderr }
}
