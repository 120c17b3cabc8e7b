/**
 * Backups and drills of a running server, in a thread of their own: encrypting keeps a processor
 * busy for as long as it takes, and requests must not wait for it.
 */
import { once } from "node:events"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import type { ProblemCode } from "../core/problem.ts"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import type { Made, MakeOptions } from "./make.ts"
import type { DrillOptions } from "./restore.ts"

type Plain<T> = Omit<T, "signal" | "progress">

type Job =
  | { readonly kind: "backup"; readonly options: Plain<MakeOptions> }
  | { readonly kind: "drill"; readonly options: Plain<DrillOptions> }

type Outcome =
  | { readonly made: Made }
  | { readonly rows: number }
  | { readonly code: ProblemCode | undefined; readonly message: string }

/** As `makeBackup` (make.ts), in a thread. */
export async function makeInThread({ backing, file, signal }: MakeOptions): Promise<Made> {
  const outcome = await runJob({ kind: "backup", options: { backing, file } }, signal)
  if ("made" in outcome) return outcome.made
  throw new Error("no backup was made")
}

/** As `drill` (restore.ts), in a thread. @returns How many rows it restored. */
export async function drillInThread(
  options: Plain<DrillOptions>,
  signal: AbortSignal,
): Promise<number> {
  const outcome = await runJob({ kind: "drill", options }, signal)
  return "rows" in outcome ? outcome.rows : 0
}

async function runJob(job: Job, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted()
  const worker = new Worker(new URL(import.meta.url), { workerData: job })
  const stop = () => worker.postMessage("stop")
  signal.addEventListener("abort", stop)
  try {
    const ended = once(worker, "exit").then((): [Outcome] => [
      { code: undefined, message: "the thread ended without a word" },
    ])
    const [outcome] = (await Promise.race([once(worker, "message"), ended])) as [Outcome]
    if (!("message" in outcome)) return outcome
    signal.throwIfAborted()
    const { code, message } = outcome
    throw code === undefined ? new Error(message) : new Problem(code, { message })
  } finally {
    signal.removeEventListener("abort", stop)
    await worker.terminate() // what it opened was closed before it spoke
  }
}

async function work(job: Job, signal: AbortSignal): Promise<Outcome> {
  try {
    if (job.kind === "backup") {
      const { makeBackup } = await import("./make.ts")
      return { made: await makeBackup({ ...job.options, signal }) }
    }
    const { drill } = await import("./restore.ts")
    return { rows: (await drill({ ...job.options, signal })).rows }
  } catch (error) {
    return { code: error instanceof Problem ? error.code : undefined, message: messageOf(error) }
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const stop = new AbortController()
  port.on("message", () => stop.abort())
  port.postMessage(await work(workerData, stop.signal))
  port.close()
}
