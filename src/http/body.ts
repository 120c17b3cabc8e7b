/**
 * Reads what is sent with a request: JSON or a page's form, small, and strictly what the contract names.
 *
 * Invariant: no more than the limit is ever held, and no message quotes what was sent.
 */
import { hash } from "node:crypto"
import type { z } from "@hono/zod-openapi"
import { Problem } from "../core/problem.ts"

const MAX_BYTES = 65_536
const FORM_TYPE = /^application\/x-www-form-urlencoded *(;|$)/i
/** Printable ASCII. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

/** What was sent, and what names the attempt. */
export interface Sent<Body> {
  readonly body: Body
  /** SHA-256 of an `Idempotency-Key`, and of what it came with. */
  readonly attempt: { readonly header: Buffer; readonly request: Buffer } | undefined
}

/**
 * Nothing at all stands for `{}`.
 * @param target - Path and query as sent.
 * @returns Else Problem `UNSUPPORTED_TYPE`, `TOO_LARGE` or `INVALID_REQUEST`.
 */
export async function readBody<Body>(
  request: globalThis.Request,
  target: string,
  schema: z.ZodType<Body>,
): Promise<Sent<Body> | Problem> {
  const bytes = await readBytes(request, MAX_BYTES)
  if (bytes instanceof Problem) return bytes
  const value = bytes.length === 0 ? {} : parse(bytes, request.headers.get("content-type"))
  if (value instanceof Problem) return value
  const result = schema.safeParse(value)
  if (!result.success) return refuse(result.error.issues[0])
  const name = request.headers.get("idempotency-key")
  if (name === null) return { body: result.data, attempt: undefined }
  if (!IDEMPOTENCY_KEY.test(name)) {
    const message = "An Idempotency-Key has 1 to 255 characters of ASCII, and no space."
    return new Problem("INVALID_REQUEST", { message })
  }
  const content = `${request.method} ${target}\n${hash("sha256", bytes, "hex")}`
  const attempt = {
    header: hash("sha256", name, "buffer"),
    request: hash("sha256", content, "buffer"),
  }
  return { body: result.data, attempt }
}

/**
 * Reads what a form of a page sent. Fields left empty are left out; line ends are `\n`.
 * @returns The fields as text, and what the schema makes of them: else Problem `INVALID_REQUEST`.
 * @throws Problem `UNSUPPORTED_TYPE`, `TOO_LARGE`, or `INVALID_REQUEST` for what is no form.
 */
export async function readForm<Body>(
  request: globalThis.Request,
  schema: z.ZodType<Body>,
): Promise<{ readonly fields: Fields; readonly body: Body | Problem }> {
  if (!FORM_TYPE.test(request.headers.get("content-type") ?? "")) {
    const message = "Send the page's own form (application/x-www-form-urlencoded)."
    throw new Problem("UNSUPPORTED_TYPE", { message })
  }
  const bytes = await readBytes(request, MAX_BYTES)
  if (bytes instanceof Problem) throw bytes
  const fields: Record<string, string> = Object.create(null) // no inherited names
  for (const [name, value] of new URLSearchParams(bytes.toString("utf8"))) {
    if (name in fields) throw invalid("", "A field is there twice.")
    if (value !== "") fields[name] = value.replaceAll("\r\n", "\n")
  }
  const result = schema.safeParse(fields)
  return { fields, body: result.success ? result.data : refuse(result.error.issues[0]) }
}

/** By their names. */
export type Fields = Readonly<Record<string, string>>

/** @returns All that was sent, else Problem `TOO_LARGE`. */
export async function readBytes(
  { body }: globalThis.Request,
  maxBytes: number,
): Promise<Buffer | Problem> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > maxBytes) {
      const message = `What is sent may have ${maxBytes.toLocaleString("en")} bytes at most.`
      return new Problem("TOO_LARGE", { message })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer, type: string | null): unknown {
  if (!/^application\/json *(;|$)/i.test(type ?? "")) {
    const message = "Send JSON, as 'Content-Type: application/json'."
    return new Problem("UNSUPPORTED_TYPE", { message })
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return new Problem("INVALID_REQUEST", { message: "What was sent is not JSON in UTF-8." })
  }
}

function refuse(issue: z.core.$ZodIssue | undefined): Problem {
  if (issue?.code === "unrecognized_keys") {
    const [name = ""] = issue.keys
    return invalid(name, `There is no field '${name}'.`)
  }
  const [name] = issue?.path ?? []
  if (name === undefined) return invalid("", "Send one JSON object.")
  const field = issue?.path.join(".") ?? ""
  if (issue?.code === "too_big" && issue.origin === "string") {
    return invalid(field, `The field '${field}' has more than ${issue.maximum} characters.`)
  }
  return invalid(field, `The field '${field}' is missing or not what it should be.`)
}

function invalid(field: string, message: string): Problem {
  return new Problem("INVALID_REQUEST", { message, details: { field } })
}
