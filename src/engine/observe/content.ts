/** What a GET ended with → a page or a text file, or why it is neither. */
import type { Known, Page, TextFile } from "../types.ts"
import { decodeText } from "./charset.ts"
import type { Fetched } from "./fetch.ts"
import { readPage } from "./page.ts"
import { cut } from "./text.ts"

const MAX_TEXT_FILE = 64 * 1024

/** @returns The page where a visit ended, or why it cannot be read. */
export function pageOf(last: Known<Fetched>): Known<Page> {
  const answer = answerOf(last)
  if ("unknown" in answer) return answer
  const { exchange, bytes } = answer.value
  const contentType = exchange.headers["content-type"]?.[0] ?? ""
  return { value: readPage({ url: exchange.url, status: exchange.status, contentType }, bytes) }
}

/** @returns The text file where a visit ended, or why it cannot be read. */
export function textFileOf(last: Known<Fetched>): Known<TextFile> {
  const answer = answerOf(last)
  if ("unknown" in answer) return answer
  const { exchange, bytes } = answer.value
  const contentType = exchange.headers["content-type"]?.[0] ?? ""
  const text = cut(decodeText(bytes, contentType), MAX_TEXT_FILE)
  return { value: { url: exchange.url, status: exchange.status, contentType, text } }
}

/** A refusal to robots, or a server in trouble, says nothing about what people get to see. */
function answerOf(
  last: Known<Fetched>,
): Known<{ exchange: Fetched["exchange"]; bytes: Uint8Array }> {
  if ("unknown" in last) return last
  const { exchange, body } = last.value
  if ([401, 403, 429].includes(exchange.status) || exchange.headers["cf-mitigated"]) {
    return { unknown: "challenge" }
  }
  if (exchange.status >= 500) return { unknown: "server_error" }
  return "unknown" in body ? body : { value: { exchange, bytes: body.value } }
}
