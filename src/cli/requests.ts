/** `zygentrust requests`: who asks for a key, and giving or refusing it. */
import { parseArgs } from "node:util"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import type { Link, LinkMail } from "../keys/link.ts"
import type { ShownRequest } from "../keys/request-row.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Cli, ExitCode } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { withAdmin } from "./operator.ts"
import { requestLine, requestText } from "./requests-text.ts"

export const help = `Usage: zygentrust requests list [--all]
       zygentrust requests show ID
       zygentrust requests approve ID [--plan PLAN] [--environment live|test]
                         [--scope SCOPE]… [--tenant NAME] [--no-mail]
       zygentrust requests decline ID
       zygentrust requests relink ID [--revoke] [--no-mail]

list      Shows who asked for a key (at /request-a-key, or POST /v1/key-requests) and
          has none yet; with --all, what is done with too.
show      All of one request.
approve   Makes a link for the applicant, good for 72 hours. The key is made and shown
          when they use it, once, so that nobody else ever has it. By default a live
          key, on the plan that was wished for, of a new tenant with the organisation's
          name; --tenant names another, or one that is there, which then gets the key.
decline   Refuses it, and ends a link that is out. Nobody is told but you.
relink    Makes a new link; the old one is dead at once. Where its key was shown, add
          --revoke: that key ends, and the new link makes another.

The link goes to the applicant by mail where ZT_SMTP_URL is set. Elsewhere, and with
--no-mail, the text to send is printed: whoever has the link in it gets the key, so
send it to the applicant alone, and keep it nowhere.

Requests are erased 30 days after all is done with them, or after 90 when nobody
decides. Every decision is audited. Works with or without a running server.

Example
  zygentrust requests approve krq_01h455vb4pex5vsknk084sn02q --plan starter`

const OPTIONS = {
  all: { type: "boolean" },
  plan: { type: "string" },
  environment: { type: "string" },
  scope: { type: "string", multiple: true },
  tenant: { type: "string" },
  revoke: { type: "boolean" },
  "no-mail": { type: "boolean" },
} as const

interface Values {
  readonly all?: boolean
  readonly plan?: string
  readonly environment?: string
  readonly scope?: readonly string[]
  readonly tenant?: string
  readonly revoke?: boolean
  readonly "no-mail"?: boolean
}

const TAKES: Readonly<Record<string, readonly (keyof Values)[]>> = {
  list: ["all"],
  show: [],
  approve: ["plan", "environment", "scope", "tenant", "no-mail"],
  decline: [],
  relink: ["revoke", "no-mail"],
}

export async function run(argv: string[], cli: Cli): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  })
  const [action = "", id, ...rest] = positionals
  const takes = Object.hasOwn(TAKES, action) ? TAKES[action] : undefined
  if (takes === undefined) {
    const all = Object.keys(TAKES).join(", ")
    throw wrongUsage(
      action === ""
        ? `requests takes one of ${all}`
        : `requests has no '${action}'; it takes ${all}`,
    )
  }
  const stray = Object.keys(values).find((name) => !takes.includes(name as keyof Values))
  if (stray !== undefined) throw wrongUsage(`requests ${action} takes no --${stray}`)
  if (action === "list") {
    if (id !== undefined) throw wrongUsage(`'${id}' is not an option of requests list`)
    return list(values.all ?? false, cli)
  }
  if (id === undefined || rest.length > 0) {
    throw wrongUsage(`requests ${action} takes one request's id`)
  }
  if (action === "approve") return approve(id, values, cli)
  if (action === "relink") return relink(id, values, cli)
  return action === "show" ? show(id, cli) : decline(id, cli)
}

async function list(all: boolean, cli: Cli): Promise<ExitCode> {
  const { listRequests } = await import("../keys/requests.ts")
  const requests = await withAdmin(cli, (admin, keyring) =>
    admin.asOperator((tx) => listRequests(tx, keyring, all)),
  )
  if (cli.json) cli.out(JSON.stringify({ requests }))
  else if (requests.length === 0) {
    cli.err(
      all
        ? "Nobody has asked for a key. People ask at /request-a-key."
        : "No request waits. People ask at /request-a-key; --all shows those that are done with.",
    )
  } else for (const request of requests) cli.out(requestLine(request))
  return 0
}

async function show(id: string, cli: Cli): Promise<ExitCode> {
  const { showRequest } = await import("../keys/requests.ts")
  return tell(
    cli,
    await withAdmin(cli, (admin, keyring) =>
      admin.asOperator((tx) => showRequest(tx, keyring, id)),
    ),
  )
}

async function decline(id: string, cli: Cli): Promise<ExitCode> {
  const [{ declineRequest }, { commandActor }] = await Promise.all([
    import("../keys/requests.ts"),
    import("../keys/keys.ts"),
  ])
  const request = await withAdmin(cli, (admin, keyring) =>
    admin.asOperator((tx) => declineRequest(tx, keyring, id, commandActor())),
  )
  if (cli.json) cli.out(JSON.stringify(request))
  else cli.out(`${id} is declined. ${request.contact} is not told: write to them if you like.`)
  return 0
}

async function approve(id: string, values: Values, cli: Cli): Promise<ExitCode> {
  const { plan, environment = "live", scope: scopes, tenant } = values
  if (environment !== "live" && environment !== "test") {
    throw wrongUsage("requests approve takes --environment live or --environment test")
  }
  const { approveRequest } = await import("../keys/requests.ts")
  const approval = { plan, environment, scopes, tenant } as const
  return giveLink(cli, values, "approved", (tx, keyring, link, actor) =>
    approveRequest(tx, keyring, id, approval, link, actor),
  )
}

async function relink(id: string, values: Values, cli: Cli): Promise<ExitCode> {
  const { relinkRequest } = await import("../keys/requests.ts")
  return giveLink(cli, values, "given a new link", (tx, keyring, link, actor) =>
    relinkRequest(tx, keyring, id, values.revoke ?? false, link, actor),
  )
}

/** Commits the decision with its link, then mails that, or shows the text. */
async function giveLink(
  cli: Cli,
  values: Values,
  done: string,
  decide: (tx: Tx, keyring: Keyring, link: Link, actor: string) => Promise<ShownRequest>,
): Promise<ExitCode> {
  const [{ commandActor }, { linkMail, newLink }, { createMailer }, { linkMailed }] =
    await Promise.all([
      import("../keys/keys.ts"),
      import("../keys/link.ts"),
      import("../mail/mail.ts"),
      import("../keys/requests.ts"),
    ])
  const mailer = createMailer(cli.config)
  return withAdmin(cli, async (admin, keyring) => {
    const link = newLink()
    const request = await admin.asOperator((tx) => decide(tx, keyring, link, commandActor()))
    const mail = linkMail(originOf(cli.config), link.token, new Date(request.link_ends_at ?? 0))
    if (!mailer.configured || values["no-mail"]) return hand(cli, request, done, mail)
    await mailer.send({ to: request.contact, ...mail }).catch((cause: unknown) => {
      const why = cause instanceof Problem ? cause.message : "The mail server cannot be used."
      throw new Problem("UNAVAILABLE", {
        message: `${request.id} is ${done}, and its link could not be mailed. ${why} Once that is mended: requests relink ${request.id}; or with --no-mail, to be shown the text.`,
        cause,
      })
    })
    await admin.asOperator((tx) => linkMailed(tx, link))
    if (cli.json) cli.out(JSON.stringify({ ...request, mailed_at: new Date(), mail: null }))
    else {
      cli.out(
        `${request.id} is ${done}: a link went to ${request.contact}, good until ${request.link_ends_at}.`,
      )
    }
    return 0
  })
}

/** The operator sends it. */
function hand(cli: Cli, request: ShownRequest, done: string, mail: LinkMail): ExitCode {
  if (cli.json) cli.out(JSON.stringify({ ...request, mail: { to: request.contact, ...mail } }))
  else {
    cli.err(`${request.id} is ${done}. Send this yourself; whoever has the link gets the key:`)
    cli.out(`To: ${request.contact}\nSubject: ${mail.subject}\n\n${mail.text}`)
  }
  return 0
}

function tell(cli: Cli, request: ShownRequest): ExitCode {
  if (cli.json) cli.out(JSON.stringify(request))
  else cli.out(requestText(request))
  return 0
}

/** Where people reach the server, as it says of itself. */
function originOf({ host, httpsPort }: Config): string {
  return `https://${host}${httpsPort === 443 || httpsPort === 0 ? "" : `:${httpsPort}`}`
}
