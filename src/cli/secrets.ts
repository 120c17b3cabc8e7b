/** `zygentrust secrets list | set | rotate | reseal | export-recovery`: the program's own secrets. */
import { parseArgs } from "node:util"
import type { Generation, SecretName, SecretStore } from "../secrets/store.ts"
import { SECRET_NAMES } from "../secrets/store.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { openSecrets } from "./open-secrets.ts"

export const help = `Usage: zygentrust secrets list
       zygentrust secrets rotate NAME [--now]
       zygentrust secrets reseal
       zygentrust secrets set NAME < FILE
       zygentrust secrets export-recovery [FILE]

list              Shows what there is: names, generations and their age, what each is
                  for. Never a value.
rotate            Makes a new one while requests flow, and loses none. Passwords change
                  at once; keys that others know stay good beside the new one for a
                  while, unless --now ends that (verdict-key and authority-key).
reseal            After 'rotate root-key': seals every row with the new key, then
                  forgets the old. May be interrupted, and run again.
set               Puts a value of yours in place of all generations: to repair, not to
                  rotate. It comes from standard input, never from the command line.
export-recovery   Writes the identity, which opens the secrets and all backups,
                  encrypted under a passphrase of yours (from standard input, 12
                  characters at least). Keep it elsewhere: without identity.txt or
                  this, nothing opens. ZT_IDENTITY_FILE takes it as it is, and so
                  does 'age -d -i'.

docs/secrets.md tells the rest: which secret does what, and how to recover.

Example
  zygentrust secrets export-recovery /media/usb/zygentrust-recovery.age`

const PURPOSES: Readonly<Record<SecretName, string>> = {
  "root-key": "seals what customers gave and asked",
  "superuser-password": "the embedded database's administrator",
  "zt_migrate-password": "database login that changes tables",
  "zt_runtime-password": "database login of the API",
  "zt_admin-password": "database login of commands",
  "zt_backup-password": "database login of backups",
  "authority-key": "issues this server's certificate",
  "leaf-key": "key of this server's certificate",
  "verdict-key": "signs verdicts",
}

const OPTIONS = { now: { type: "boolean", default: false } } as const

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action, name, ...rest] = positionals
  if (action === undefined || !Object.hasOwn(ACTIONS, action)) {
    const known = Object.keys(ACTIONS).join(", ")
    throw wrongUsage(
      action === undefined
        ? `secrets takes ${known}`
        : `secrets has no '${action}': it takes ${known}`,
    )
  }
  if (rest.length > 0) {
    throw wrongUsage(`secrets ${action} takes no value here: it comes from standard input`)
  }
  if (values.now && action !== "rotate") throw wrongUsage("--now belongs to secrets rotate")
  return ACTIONS[action as keyof typeof ACTIONS](cli, name, values.now)
}

const ACTIONS = { list, rotate, reseal, set, "export-recovery": exportRecovery } as const

async function list(cli: Cli, extra: string | undefined): Promise<ExitCode> {
  if (extra !== undefined) throw wrongUsage("secrets list takes nothing else")
  const store = openSecrets(cli.config, cli.signal)
  const secrets = await Promise.all(
    SECRET_NAMES.map(async (name) => ({
      name,
      purpose: PURPOSES[name],
      generations: (await store.generations(name)).map(({ number, createdAt }) => ({
        number,
        created_at: createdAt.toISOString(),
      })),
    })),
  )
  if (cli.json) cli.out(JSON.stringify({ secrets }))
  else if (secrets.every(({ generations }) => generations.length === 0)) {
    cli.err("No secrets yet: the first start makes them.")
  } else
    for (const { name, purpose } of secrets)
      cli.out(line(name, purpose, await store.generations(name)))
  return 0
}

function line(name: SecretName, purpose: string, generations: readonly Generation[]): string {
  const ages = generations
    .map(({ number, createdAt }) => `${number} (${age(createdAt)})`)
    .join(", ")
  return `${name.padEnd(20)} ${purpose.padEnd(38)} ${ages || "none"}`
}

function age(since: Date): string {
  const minutes = Math.max(0, Math.floor((Date.now() - since.getTime()) / 60_000))
  if (minutes < 120) return `${minutes} min`
  return minutes < 2 * 1_440
    ? `${Math.floor(minutes / 60)} h`
    : `${Math.floor(minutes / 1_440)} days`
}

async function rotate(cli: Cli, text: string | undefined, now: boolean): Promise<ExitCode> {
  const name = nameOf(text, "rotate")
  const { rotateSecret } = await import("./secrets-rotate.ts")
  const { number, advice } = await rotateSecret(cli, name, now)
  if (cli.json) cli.out(JSON.stringify({ name, generation: number }))
  else cli.out(`${name} has a new generation, ${number}. ${advice}`)
  return 0
}

async function reseal(cli: Cli, extra: string | undefined): Promise<ExitCode> {
  if (extra !== undefined) throw wrongUsage("secrets reseal takes nothing else")
  const { resealAll } = await import("./secrets-reseal.ts")
  const { rows, retired } = await resealAll(cli)
  if (cli.json) cli.out(JSON.stringify({ rows, retired }))
  else {
    const forgotten = retired.length === 0 ? "none to forget" : `forgot ${retired.join(", ")}`
    cli.out(`Sealed ${rows} rows with the newest root-key; of older generations, ${forgotten}.`)
  }
  return 0
}

async function set(cli: Cli, text: string | undefined): Promise<ExitCode> {
  const name = nameOf(text, "set")
  const store = openSecrets(cli.config, cli.signal)
  if (name === "root-key" && (await store.get(name)) !== undefined) {
    throw wrongUsage("what is sealed opens with the root-key that is there: rotate it instead")
  }
  const [{ readHidden }, { hasForm }, { recorded }] = await Promise.all([
    import("./hidden-input.ts"),
    import("./secret-form.ts"),
    import("./secrets-record.ts"),
  ])
  const value = await readHidden(cli, `Value of ${name}: `)
  if (!(await hasForm(name, value))) {
    throw wrongUsage(`what came on standard input is no ${name}; nothing was changed`)
  }
  await recorded(cli, store, { action: "secret.set", subject: name }, () => store.set(name, value))
  cli.out(cli.json ? JSON.stringify({ name }) : `${name} is set.`)
  return 0
}

async function exportRecovery(cli: Cli, file: string | undefined): Promise<ExitCode> {
  const { writeRecovery } = await import("./secrets-recovery.ts")
  const store: SecretStore = openSecrets(cli.config, cli.signal)
  const text = await writeRecovery(cli, store, file)
  if (file === undefined) cli.out(cli.json ? JSON.stringify({ recovery: text }) : text.trimEnd())
  else
    cli.out(
      cli.json
        ? JSON.stringify({ file })
        : `${file} opens with your passphrase alone. Keep the two apart.`,
    )
  return 0
}

function nameOf(text: string | undefined, action: string): SecretName {
  const name = SECRET_NAMES.find((one) => one === text)
  if (name !== undefined) return name
  throw wrongUsage(
    `secrets ${action} takes ${text === undefined ? "a name" : "one of these names"}: ${SECRET_NAMES.join(", ")}`,
  )
}
