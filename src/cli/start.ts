/** `zygentrust start`: the server, with all that it needs. */
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import { openServer } from "../db/server.ts"
import { memoryOptions } from "../environment.ts"
import type { Running } from "../main.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { greeting } from "./greeting.ts"
import { openSecrets } from "./open-secrets.ts"

export const help = `Usage: zygentrust start [--lab] [--json]

Serves the API over HTTPS. Without ZT_DATABASE_URL it brings its own PostgreSQL, in
the data folder; without ZT_TLS_CERT_FILE, a certificate of its own authority. The
first start shows a test and a live key, once.

--lab    Brings a small internet on loopback as well, and looks at that instead of
         the real one: for machines without internet, and for trying things out.
--json   One line on standard output, {"url","ca","keys":{"test","live"}}; no keys
         from the second start on.

Ctrl-C finishes what is under way, 30 s at most, then stops the database if nothing
else uses it.

Example
  zygentrust start --lab`

const HEAD_START_MS = 100

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const started = performance.now()
  const { values, positionals } = parseArgs({
    args: argv,
    options: { lab: { type: "boolean", default: false } },
    allowPositionals: true,
  })
  if (positionals[0] !== undefined) throw wrongUsage(`start takes no '${positionals[0]}'`)
  refuseOpenMemory()
  await using stack = new AsyncDisposableStack()
  let config = cli.config
  const secrets = openSecrets(config, cli.signal)
  const opening = openServer(config, secrets)
  stack.defer(async () => (await opening.catch(() => undefined))?.close())
  // Loading what follows keeps Node busy, and the making of a database waits for it.
  await Promise.race([opening.catch(() => {}), sleep(HEAD_START_MS)])
  if (values.lab) {
    const [{ startLabProcess }, { withSettings }] = await Promise.all([
      import("./lab.ts"),
      import("../config.ts"),
    ])
    const lab = await startLabProcess(cli.signal)
    stack.defer(() => lab.stop())
    config = withSettings(config, lab.settings)
  }
  const [{ exposedFiles }, { serve }, { openLog }, { resolverAnswers }] = await Promise.all([
    import("../config.ts"),
    import("../main.ts"),
    import("../log.ts"),
    import("../engine/observe/observer.ts"),
  ])
  const log = openLog(config.logLevel)
  for (const notice of exposedFiles()) log.warn({ notice }, "secrets")
  const running = await serve(config, secrets, opening, log)
  stack.defer(() => running.stop())
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const online = resolverAnswers(config)
  if (cli.json) cli.out(JSON.stringify(summary(running)))
  else cli.out(greeting(running, { lab: values.lab, seconds, color: cli.terminal.color }))
  if (!(await online)) {
    cli.err(
      "No DNS resolver answers, so live answers will know next to nothing. Set ZT_RESOLVERS, or\nstart with --lab for a small internet on this machine. Test keys work all the same.",
    )
  }
  await aborted(cli.signal)
  cli.err("Stopping: finishing what is under way…")
  return 0
}

/** @throws Problem `PLATFORM` under options of Node that show the secrets in memory to others. */
function refuseOpenMemory(): void {
  const [option] = memoryOptions()
  if (option === undefined) return
  throw new Problem("PLATFORM", {
    message: `Node was started with ${option}, which opens this program's memory, secrets included, to others: start it without (NODE_OPTIONS counts too).`,
  })
}

function summary({ url, caFile, firstKeys }: Running) {
  return { url, ca: caFile ?? null, ...(firstKeys && { keys: firstKeys }) }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
