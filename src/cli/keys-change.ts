/** The actions of `zygentrust keys` that change one key: what each takes, does and says. */
import type { Tx } from "../db/database.ts"
import type { Author } from "../keys/life.ts"
import type { KeyRow, ShownKey } from "../keys/row.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { readDuration, readExpiry } from "./keys-words.ts"
import { asOperator } from "./operator.ts"

type Change = (
  id: string,
  rest: readonly string[],
  cli: Cli,
  options: { readonly overlap?: string },
) => Promise<ExitCode>

/** By their names on the command line, in the order of the help. */
export const changes = {
  rename: async (id, rest, cli) => {
    const [name, ...more] = rest
    if (name === undefined || more.length > 0) {
      throw wrongUsage("keys rename takes one key's id and its new name")
    }
    const { renameKey } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, keyring, author) => renameKey(tx, keyring, author, id, name),
      (key) => `${key.id} is named ${key.name}.`,
    )
  },
  scopes: async (id, rest, cli) => {
    if (rest.length === 0) throw wrongUsage("keys scopes takes one key's id and its scopes")
    const { setScopes } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, _, author) => setScopes(tx, author, id, rest),
      (key) => `${key.id} has the scopes ${key.scopes.join(", ")}.`,
    )
  },
  addresses: async (id, rest, cli) => {
    if (rest.length === 0)
      throw wrongUsage("keys addresses takes one key's id, and addresses or any")
    const addresses = rest.length === 1 && rest[0] === "any" ? null : rest
    const { setAddresses } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, _, author) => setAddresses(tx, author, id, addresses),
      (key) => `${key.id} may be used from ${key.addresses?.join(", ") ?? "any address"}.`,
    )
  },
  expire: async (id, rest, cli) => {
    const [when, ...more] = rest
    if (when === undefined || more.length > 0) {
      throw wrongUsage("keys expire takes one key's id, and a time or never")
    }
    const expiresAt = when === "never" ? null : readExpiry("keys expire", when)
    const { setExpiry } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, _, author) => setExpiry(tx, author, id, expiresAt),
      (key) => `${key.id} ${key.expires_at ? `expires at ${key.expires_at}` : "does not expire"}.`,
    )
  },
  disable: async (id, rest, cli) => {
    if (rest.length > 0) throw wrongUsage("keys disable takes one key's id")
    const { disableKey } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, _, author) => disableKey(tx, author, id),
      (key) => `${key.id} is disabled since ${key.disabled_at}.`,
    )
  },
  enable: async (id, rest, cli) => {
    if (rest.length > 0) throw wrongUsage("keys enable takes one key's id")
    const { enableKey } = await import("../keys/life.ts")
    return apply(
      cli,
      (tx, _, author) => enableKey(tx, author, id),
      (key) => `${key.id} is enabled.`,
    )
  },
  rotate,
  revoke,
} as const satisfies Readonly<Record<string, Change>>

async function apply(
  cli: Cli,
  work: (tx: Tx, keyring: Keyring, author: Author) => Promise<KeyRow>,
  say: (key: ShownKey) => string,
): Promise<ExitCode> {
  const [{ operator }, { shownKey }, { commandActor }, { tenantSeed }] = await Promise.all([
    import("../keys/life.ts"),
    import("../keys/row.ts"),
    import("../keys/keys.ts"),
    import("../db/tenant-seed.ts"),
  ])
  const key = await asOperator(cli, async (tx, keyring) => {
    const row = await work(tx, keyring, operator(commandActor()))
    return shownKey(row, await keyring.of(row.tenant_id, () => tenantSeed(tx, row.tenant_id)))
  })
  cli.out(cli.json ? JSON.stringify(key) : say(key))
  return 0
}

async function rotate(
  id: string,
  rest: readonly string[],
  cli: Cli,
  { overlap }: { readonly overlap?: string },
): Promise<ExitCode> {
  if (rest.length > 0) throw wrongUsage("keys rotate takes one key's id")
  const [{ MAX_OVERLAP_SECONDS, rotateKey }, { operator }, { commandActor }] = await Promise.all([
    import("../keys/rotate.ts"),
    import("../keys/life.ts"),
    import("../keys/keys.ts"),
  ])
  const seconds =
    overlap === undefined ? 0 : readDuration("--overlap", overlap, MAX_OVERLAP_SECONDS)
  const rotated = await asOperator(cli, (tx, keyring) =>
    rotateKey(tx, keyring, operator(commandActor()), id, seconds),
  )
  if (cli.json) cli.out(JSON.stringify(rotated))
  else {
    const ends = seconds === 0 ? "ended" : "ends"
    cli.err(`${rotated.id} in place of ${id}, which ${ends} at ${rotated.old_key_ends_at}.`)
    cli.err("The new key is shown this once:")
    cli.out(rotated.key)
  }
  return 0
}

async function revoke(id: string, rest: readonly string[], cli: Cli): Promise<ExitCode> {
  if (rest.length > 0) throw wrongUsage("keys revoke takes one key's id")
  const [{ operator, revokeKey }, { commandActor }] = await Promise.all([
    import("../keys/life.ts"),
    import("../keys/keys.ts"),
  ])
  const revoked = await asOperator(cli, (tx) => revokeKey(tx, operator(commandActor()), id))
  if (cli.json) cli.out(JSON.stringify(revoked))
  else {
    cli.out(`${revoked.id} revoked at ${revoked.revoked_at}`)
    for (const issued of revoked.issued) cli.err(`It had issued ${issued}, which goes on.`)
  }
  return 0
}
