/** `zygentrust tenants list | plan | contact | erase`: who has keys here, and forgetting one for good. */
import { parseArgs } from "node:util"
import { Problem } from "../core/problem.ts"
import type { ListedTenant } from "../keys/tenants.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { asOperator } from "./operator.ts"

export const help = `Usage: zygentrust tenants list
       zygentrust tenants plan ID PLAN
       zygentrust tenants contact ID [--set ADDRESS | --clear]
       zygentrust tenants erase ID --confirm ID

list     Shows every tenant: id, plan, how many keys, name. A tenant is made by its
         first key: zygentrust keys issue --tenant NAME --environment live
plan     Puts a tenant on a plan, from its next request on; what it has used of the
         month stays used.
contact  Shows where a tenant's owner is mailed of quotas used up, keys that end or
         leaked, and the like; sets that address, or clears it. It is kept sealed.
erase    Forgets a tenant for good: its keys are revoked, and the seed without which
         nothing that it gave or asked can be opened is deleted, from the database
         and from tenant-keys.age in ZT_BACKUP_DIR, so that backups hold nothing of
         it either. What stays cannot be read by anyone. Copies of tenant-keys.age
         elsewhere are yours to delete.

Works with or without a running server.

Example
  zygentrust tenants erase ten_01h455vb4pex5vsknk084sn02q \\
    --confirm ten_01h455vb4pex5vsknk084sn02q`

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      confirm: { type: "string" },
      set: { type: "string" },
      clear: { type: "boolean" },
    },
    allowPositionals: true,
  })
  const [action, id, ...rest] = positionals
  const { set, clear = false } = values
  if (action !== "contact" && (set !== undefined || clear)) {
    throw wrongUsage("--set and --clear belong to tenants contact")
  }
  if (action === "list") {
    if (id !== undefined || values.confirm !== undefined) {
      throw wrongUsage("tenants list takes nothing else")
    }
    return list(cli)
  }
  if (action === "plan") {
    const [plan, ...more] = rest
    if (id === undefined || plan === undefined || more.length > 0) {
      throw wrongUsage("tenants plan takes one tenant's id and a plan's name")
    }
    return assign(id, plan, cli)
  }
  if (action === "contact") {
    if (id === undefined || rest.length > 0) {
      throw wrongUsage("tenants contact takes one tenant's id")
    }
    if (set !== undefined && clear) throw wrongUsage("give one of --set and --clear")
    return contact(id, clear ? null : set, cli)
  }
  if (action === "erase") {
    if (id === undefined || rest.length > 0) throw wrongUsage("tenants erase takes one tenant's id")
    if (values.confirm !== id) {
      throw wrongUsage(`this cannot be undone: to erase it, add --confirm ${id}`)
    }
    return erase(id, cli)
  }
  throw wrongUsage(
    action === undefined
      ? "tenants takes list, plan, contact or erase"
      : `tenants has no '${action}'; it takes list, plan, contact or erase`,
  )
}

async function list(cli: Cli): Promise<ExitCode> {
  const { listTenants } = await import("../keys/tenants.ts")
  const tenants = await asOperator(cli, listTenants)
  if (cli.json) cli.out(JSON.stringify({ tenants }))
  else if (tenants.length === 0) {
    cli.err("No tenants. The first key of one makes it: zygentrust keys issue --tenant NAME")
  } else for (const tenant of tenants) cli.out(line(tenant))
  return 0
}

function line({ id, name, plan, keys }: ListedTenant): string {
  return `${id}  ${plan}  ${keys.live} live, ${keys.test} test  ${name ?? "(erased)"}`
}

async function assign(id: string, plan: string, cli: Cli): Promise<ExitCode> {
  const [{ commandActor }, { assignPlan }] = await Promise.all([
    import("../keys/keys.ts"),
    import("../usage/plans.ts"),
  ])
  await asOperator(cli, (tx) => assignPlan(tx, id, plan, commandActor()))
  cli.out(cli.json ? JSON.stringify({ id, plan }) : `${id} is on the plan ${plan}.`)
  return 0
}

/** @param address - To set; null to clear it, undefined to show it. */
async function contact(
  id: string,
  address: string | null | undefined,
  cli: Cli,
): Promise<ExitCode> {
  const [{ commandActor }, { clearContact, readContact, saveContact }, { tenantUuid }] =
    await Promise.all([
      import("../keys/keys.ts"),
      import("../events/contact.ts"),
      import("../keys/tenants.ts"),
    ])
  const now = await asOperator(cli, async (tx, keyring) => {
    const uuid = await tenantUuid(tx, id)
    if (address === null) await clearContact(tx, uuid, commandActor())
    else if (address !== undefined) await saveContact(tx, keyring, uuid, address, commandActor())
    return readContact(tx, keyring, uuid)
  })
  if (cli.json) cli.out(JSON.stringify({ id, contact: now ?? null }))
  else if (now === undefined) {
    cli.out(`${id} has no contact: nobody is mailed. Set one: tenants contact ${id} --set ADDRESS`)
  } else cli.out(now)
  return 0
}

async function erase(id: string, cli: Cli): Promise<ExitCode> {
  const [{ commandActor }, { eraseTenant }] = await Promise.all([
    import("../keys/keys.ts"),
    import("../keys/tenants.ts"),
  ])
  const { keys } = await asOperator(cli, (tx) => eraseTenant(tx, id, commandActor()))
  await forgetInBackups(cli)
  if (cli.json) cli.out(JSON.stringify({ id, keys_revoked: keys }))
  else cli.out(`${id} is erased, and ${keys} of its keys revoked.`)
  return 0
}

/** @throws Problem `BACKUP` that says what is left to do: the tenant is erased here already. */
async function forgetInBackups(cli: Cli): Promise<void> {
  const { backupDir } = cli.config
  if (backupDir === undefined) return
  const [{ renewSeeds }, { withBackups }] = await Promise.all([
    import("../backup/take.ts"),
    import("./with-backups.ts"),
  ])
  try {
    await withBackups(cli, (opened) => renewSeeds(backupDir, opened))
  } catch (cause) {
    const why = cause instanceof Problem ? cause.message : String(cause)
    throw new Problem("BACKUP", {
      message: `The tenant is erased here, and tenant-keys.age in ${backupDir} still opens its data in backups: ${why} Then run 'bin/zygentrust backup', which writes that file anew.`,
      cause,
    })
  }
}
