/** Requests for keys as a terminal shows them. What an applicant wrote stays in its own lines. */
import type { ShownRequest } from "../keys/request-row.ts"

/** @returns One line: the id, how it stands, who asks. */
export function requestLine(request: ShownRequest): string {
  const { id, asked_at, name, organisation, contact } = request
  return `${id}  ${asked_at.slice(0, 10)}  ${standing(request)}  ${organisation}: ${name} <${contact}>`
}

/** @returns All of a request, with what to do next. */
export function requestText(request: ShownRequest): string {
  const { id, plan, plan_wished: wished, environment, scopes, decided_at, decided_by } = request
  const rows: [string, string | null][] = [
    ["request", `${id}, ${standing(request)}`],
    ["asked", request.asked_at],
    ["name", request.name],
    ["organisation", request.organisation],
    ["contact", request.contact],
    ["plan wished", wished],
    ["decided", decided_at === null ? null : `${decided_at} by ${decided_by}`],
    ["gives", plan === null ? null : `${environment} key on ${plan}: ${scopes?.join(", ")}`],
    ["tenant", request.tenant_id ?? request.tenant_name],
    ["link ends", request.link_ends_at],
    ["mailed", request.mailed_at],
    ["key", request.key_id === null ? null : `${request.key_id}, shown ${request.done_at}`],
    ["purpose", request.purpose.split("\n").join(`\n${" ".repeat(WIDTH)}`)],
  ]
  const shown = rows.flatMap(([what, value]) =>
    value === null ? [] : [`${what.padEnd(WIDTH)}${value}`],
  )
  return [...shown, ...next(request).map((line) => `\n${line}`)].join("\n")
}

const WIDTH = 14

function standing({ state, link, mailed_at, decided_by, mail_tries }: ShownRequest): string {
  if (state !== "approved") return state === "open" ? "waits for you" : state
  if (decided_by === "self-service" && mailed_at === null) {
    return mail_tries === 0 ? "self-service, about to be mailed" : "self-service, mail fails"
  }
  return link === "expired" ? "link expired" : `link out${mailed_at === null ? ", not mailed" : ""}`
}

function next({ id, state, link, mailed_at, plan_wished }: ShownRequest): string[] {
  if (state === "open") {
    const plan = plan_wished === null ? " --plan PLAN" : ""
    return [`zygentrust requests approve ${id}${plan}   or   requests decline ${id}`]
  }
  if (state !== "approved" || (link === "out" && mailed_at !== null)) return []
  return [`zygentrust requests relink ${id}   makes and sends a new link`]
}
