/**
 * `bin/zygentrust COMMAND`: finds the command, gives it its context, prints its Problem.
 *
 * Owns: the table of commands, help, signals, exit codes. Start-up time counts, so nothing is
 * imported before it is needed: `--version` and `--help` never read the settings.
 */
import { join } from "node:path"
import { styleText } from "node:util"
import { outliveReader } from "./broken-pipe.ts"
import type { Cli, Command } from "./cli.ts"
import { crashQuietly } from "./crash.ts"

/** Every command, in the order of the help. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  start: {
    summary: "serve the API over HTTPS, with the database it brings along",
    load: () => import("./start.ts"),
  },
  analyze: {
    summary: "judge one domain here and now, without a server",
    load: () => import("./analyze.ts"),
  },
  keys: { summary: "issue, bind, rotate and revoke API keys", load: () => import("./keys.ts") },
  plans: { summary: "what tenants may use: quotas and rates", load: () => import("./plans.ts") },
  tenants: {
    summary: "list tenants, change their plan, erase one for good",
    load: () => import("./tenants.ts"),
  },
  requests: {
    summary: "who asks for a key: approve, decline, send the link again",
    load: () => import("./requests.ts"),
  },
  usage: { summary: "what tenants used of a month", load: () => import("./usage.ts") },
  events: {
    summary: "what owners of keys are told of, and whether it was mailed",
    load: () => import("./events.ts"),
  },
  abuse: {
    summary: "what looks like abuse, and keys held to a lower rate for it",
    load: () => import("./abuse.ts"),
  },
  secrets: {
    summary: "list, rotate and recover the program's own secrets",
    load: () => import("./secrets.ts"),
  },
  migrate: {
    summary: "bring the database up to date, or set up one of your own",
    load: () => import("./migrate.ts"),
  },
  backup: {
    summary: "write an encrypted copy of everything, or try whether one restores",
    load: () => import("./backup.ts"),
  },
  restore: {
    summary: "make a deployment of a backup, in an empty place",
    load: () => import("./restore.ts"),
  },
  doctor: {
    summary: "check this machine and installation, and say what to do",
    load: () => import("./doctor.ts"),
  },
  lab: {
    summary: "run a small internet on loopback, for machines without one",
    load: () => import("./lab.ts"),
  },
}

const HELP = `zygentrust: can I trust this domain?

Usage: zygentrust COMMAND [OPTIONS]

Commands
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
  .join("\n")}

Options
  --help, -h   this text; after a command, that command's
  --json       print one JSON document in place of text, whatever the command
  --version    print the version

Examples
  zygentrust analyze example.com      a verdict with its reasons
  zygentrust start                    the same as an HTTPS API
  zygentrust help keys                how a command is used

Settings are environment variables: docs/configuration.md lists them.
Exit codes: 0 done, 1 refused, 2 wrong usage.`

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")

/** An identity, a private key, a login in an address. */
const SECRET = /AGE-SECRET-KEY-|PRIVATE KEY|:\/\/[^/?#\s]*:[^/?#\s]*@|[?&]password=/i

/** Why the program was asked to stop: what the signal aborts with. */
class Stopped extends Error {
  readonly exitCode: number
  constructor(exitCode: number) {
    super("stopped")
    this.exitCode = exitCode
  }
}

crashQuietly()
outliveReader(process.stdout)
outliveReader(process.stderr)

process.exit(await main(process.argv.slice(2)))

async function main(argv: string[]): Promise<number> {
  const { words, json, help } = takeCommonOptions(argv)
  let debug = false
  try {
    await refuseKeys(argv)
    const [name, ...rest] = words
    if (name === "--version") {
      const { VERSION } = await import("../core/version.ts")
      print(json ? JSON.stringify({ version: VERSION }) : VERSION)
      return 0
    }
    const asked = name === "help" ? rest[0] : name
    if (asked === undefined) {
      if (!help && name !== "help") {
        complain(HELP)
        return 2
      }
      print(HELP)
      return 0
    }
    const command = await load(asked)
    if (help || name === "help") {
      print(command.help)
      return 0
    }
    const { leaveExposed, takenSecrets } = await import("../environment.ts")
    leaveExposed(PROGRAM, argv)
    await refuseSecrets(argv)
    const taken = takenSecrets()
    if (taken.length > 0) {
      complain(`Took out of the environment, where others could read it: ${taken.join(", ")}.`)
    }
    const { checkRuntime } = await import("./runtime.ts")
    if (name !== "doctor") checkRuntime()
    const { readConfig } = await import("../config.ts")
    const config = readConfig()
    debug = config.logLevel === "debug"
    return await command.run(rest, {
      config,
      json,
      out: print,
      err: complain,
      terminal: {
        color: styleText("bold", "x", { stream: process.stdout }) !== "x",
        columns: process.stdout.columns ?? 80,
        interactive: process.stderr.isTTY ?? false,
      },
      signal: stopSignal(),
    })
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode
    const { report } = await import("./main-error.ts")
    return report(error, { command: words[0], json, debug }, complain)
  }
}

/** Takes `--json` and `--help` out of what comes before `--`. */
function takeCommonOptions(argv: string[]): { words: string[]; json: boolean; help: boolean } {
  const end = argv.indexOf("--")
  const before = end === -1 ? argv : argv.slice(0, end)
  return {
    words: [
      ...before.filter((word) => word !== "--json" && word !== "--help" && word !== "-h"),
      ...(end === -1 ? [] : argv.slice(end)),
    ],
    json: before.includes("--json"),
    help: before.includes("--help") || before.includes("-h"),
  }
}

/** Other users of the machine read arguments, and shells keep them. @throws Problem `WRONG_USAGE` */
async function refuseKeys(argv: readonly string[]): Promise<void> {
  if (!argv.some((word) => /zt_(live|test)_/i.test(word))) return
  const { keyInArguments } = await import("./main-error.ts")
  const problem = keyInArguments(argv)
  if (problem !== undefined) throw problem
}

/** Whoever is on this machine can read a command line. */
async function refuseSecrets(argv: readonly string[]): Promise<void> {
  if (!argv.some((word) => SECRET.test(word))) return
  const { wrongUsage } = await import("./cli.ts")
  throw wrongUsage(
    "there is a secret on the command line, where everybody on this machine can read it: take it for known, replace it, and give the new one in a file or on standard input.",
  )
}

async function load(name: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry !== undefined) return entry.load()
  const { unknownCommand } = await import("./main-error.ts")
  throw unknownCommand(name, Object.keys(COMMANDS))
}

/**
 * The first signal asks to stop, a later one stops at once. One second apart at least: under
 * `npm start`, one Ctrl-C arrives twice (from the terminal, and forwarded by npm).
 */
function stopSignal(): Cli["signal"] {
  const controller = new AbortController()
  let firstAt = 0
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        firstAt = performance.now()
        controller.abort(new Stopped(exitCode))
      } else if (performance.now() - firstAt > 1_000) process.exit(exitCode)
    })
  }
  return controller.signal
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`)
}
