/** `zygentrust analyze DOMAIN`: the main job on this machine, without a server or a database. */
import { parseArgs } from "node:util"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import type { Name, Observation, Progress, Verdict } from "../engine/types.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import type { Explained } from "./report-signals.ts"

export const help = `zygentrust analyze: can I trust this domain?

Usage: zygentrust analyze DOMAIN [--explain] [--lab] [--json]

Looks at DOMAIN's DNS, TLS, HTTP, pages and registration from this machine, and
prints a score from 0 to 100 with every point that counted. DOMAIN may be a
name, a host or an address as copied from a browser. Nothing is stored.

Options
  --explain  list every signal: what was seen, what it is worth and why, and
             what could not be seen
  --lab      look at the small internet of 'zygentrust lab' in place of the real
             one, for a machine without internet
  --json     one JSON document, the body of GET /v1/analyze

Examples
  zygentrust analyze example.com
  zygentrust analyze https://www.example.com/shop --explain
  zygentrust analyze example.com --json | jq .trust_score

Exit codes: 0 whatever the verdict, 1 refused (not a domain, no resolver), 2
wrong usage.`

const OPTIONS = { explain: { type: "boolean" }, lab: { type: "boolean" } } as const

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [domain, ...rest] = positionals
  if (domain === undefined) throw wrongUsage("analyze takes a domain, like 'example.com'")
  if (rest.length > 0) throw wrongUsage(`analyze takes one domain, and '${rest[0]}' is one more`)

  const { normalizeName } = await import("../engine/name.ts")
  const name = normalizeName(domain)
  const observation = await withProgress(name.host, cli, (progress) =>
    values.lab
      ? inLab(cli, (config) => observe(name, config, cli.signal, progress))
      : observe(name, cli.config, cli.signal, progress),
  )
  const { judge } = await import("../engine/judge.ts")
  const verdict = judge(observation)
  const explained = values.explain ? await explain(observation) : undefined
  if (cli.json) {
    const { VERSION } = await import("../core/version.ts")
    const document = analysisDocument(domain, observation, verdict, VERSION)
    cli.out(JSON.stringify(explained === undefined ? document : { ...document, explained }))
  } else {
    const { renderReport } = await import("./report.ts")
    cli.out(renderReport(verdict, name, { ...cli.terminal, ...(explained && { explained }) }))
  }
  return 0
}

async function inLab<T>(cli: Cli, work: (config: Config) => Promise<T>): Promise<T> {
  const [{ startLabProcess }, { withSettings }] = await Promise.all([
    import("./lab.ts"),
    import("../config.ts"),
  ])
  const lab = await startLabProcess(cli.signal)
  try {
    return await work(withSettings(cli.config, lab.settings))
  } finally {
    await lab.stop()
  }
}

/** Shows on a terminal what `work` tells, and clears it away. */
async function withProgress<T>(
  title: string,
  cli: Cli,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  if (!cli.terminal.interactive) return work(() => {})
  const { showProgress } = await import("./progress.ts")
  const { step, end } = showProgress(title)
  try {
    return await work(step)
  } finally {
    end()
  }
}

/** @throws Problem `UNAVAILABLE` when nothing at all could be asked; the signal's reason. */
async function observe(
  name: Name,
  config: Config,
  signal: AbortSignal,
  progress: Progress,
): Promise<Observation> {
  const { createObserver, observerOptions, resolverAnswers } = await import(
    "../engine/observe/observer.ts"
  )
  const observer = createObserver(await observerOptions(config))
  const observation = await observer.observe(name, { signal, progress })
  if (!hasRecords(observation) && !(await resolverAnswers(config))) {
    throw new Problem("UNAVAILABLE", {
      message:
        "No DNS resolver answers, so nothing can be seen. Check the network, or name a resolver in ZT_RESOLVERS; without internet, --lab looks at a small one on this machine.",
    })
  }
  return observation
}

function hasRecords({ dns: { a, aaaa, ns, mx, txt } }: Observation): boolean {
  return [a, aaaa, ns, mx, txt].some((fact) => "value" in fact && fact.value.records.length > 0)
}

/** The body of `GET /v1/analyze`, of which only the request id is missing. */
export function analysisDocument(
  domain: string,
  { name, observedAt }: Observation,
  { ruleset, observation_digest, ...verdict }: Verdict,
  version: string,
) {
  return {
    domain,
    normalized_domain: name.host,
    ...verdict,
    metadata: {
      environment: "live",
      checked_at: observedAt,
      cache: { hit: false, ttl_seconds: 0 },
      version,
      ruleset,
      observation_digest,
    },
  }
}

async function explain(observation: Observation): Promise<Explained[]> {
  const { RULES } = await import("../engine/rules/rules.ts")
  return RULES.map(({ code, category, says, judge }) => {
    const finding = judge(observation)
    if (finding.state === "unknown") return { code, category, finding }
    return { code, category, finding, says: finding.state ? says.true : says.false }
  })
}
