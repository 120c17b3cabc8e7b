/** HTTP answers that follow the protocol: sites, redirects, errors, challenges. */
import type { ServerResponse } from "node:http"
import type { Answer, Respond, Stage } from "./answer.ts"

export type Headers = Readonly<Record<string, string | readonly string[]>>

/** One resource; a string is an HTML body. */
export type Resource = string | { readonly type: string; readonly body: (stage: Stage) => string }

const http = (respond: Respond): Answer => ({ kind: "http", respond })

/** A site of fixed resources by path; anything else is 404. `headers` go on every answer. */
export function site(resources: Readonly<Record<string, Resource>>, headers: Headers = {}): Answer {
  return http((request, response, stage) => {
    const path = new URL(request.url ?? "/", "http://lab.invalid").pathname
    const resource = Object.hasOwn(resources, path) ? resources[path] : undefined
    setHeaders(response, headers)
    if (resource === undefined) return send(response, 404, html("Not found", "<p>Not found.</p>"))
    if (typeof resource === "string") return send(response, 200, resource)
    send(response, 200, resource.body(stage), resource.type)
  })
}

/** The same answer whatever is asked. */
export function always(status: number, body: string, headers: Headers = {}): Answer {
  return http((_request, response) => {
    setHeaders(response, headers)
    send(response, status, body)
  })
}

/** Redirects every path to the same path on the same host over HTTPS. */
export const toHttps: Answer = http((request, response) => {
  response.setHeader("location", `https://${request.headers.host}${request.url}`)
  send(response, 301, "")
})

/** Redirects every path to one place. */
export function redirect(to: string | ((stage: Stage, path: string) => string)): Answer {
  return http((request, response, stage) => {
    const location = typeof to === "string" ? to : to(stage, request.url ?? "/")
    response.setHeader("location", location)
    send(response, 302, "")
  })
}

/** @returns The resource of a plain text file. */
export function text(body: string): Resource {
  return { type: "text/plain; charset=utf-8", body: () => body }
}

export function html(title: string, body: string, head = ""): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>${head}</head>
<body>${body}</body></html>
`
}

function setHeaders(response: ServerResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, typeof value === "string" ? value : [...value])
  }
}

function send(response: ServerResponse, status: number, body: string, type?: string): void {
  response.statusCode = status
  if (!response.hasHeader("content-type")) {
    response.setHeader("content-type", type ?? "text/html; charset=utf-8")
  }
  response.end(body)
}
