/** Servers that want to hold, drown or confuse their visitor. */
import type { Character } from "../character.ts"
import type { Answer } from "../web/answer.ts"
import { resets, silent } from "../web/answer.ts"
import {
  brotliBomb,
  bytes,
  drip,
  endlessHeader,
  gzipBomb,
  hugeBody,
  resetsMidway,
} from "../web/hostile.ts"
import { modest } from "./parts.ts"

const cases: readonly (readonly [name: string, domain: string, story: string, answer: Answer])[] = [
  ["slow-drip", "slow-drip.test", "A page that comes one byte every half second.", drip],
  ["endless-header", "endless-header.test", "Headers that never end.", endlessHeader],
  ["huge-body", "huge-body.test", "A page of a hundred megabytes.", hugeBody],
  ["gzip-bomb", "gzip-bomb.test", "A page that unpacks to ten gigabytes.", gzipBomb],
  [
    "brotli-bomb",
    "brotli-bomb.test",
    "The same ten gigabytes, packed into one megabyte.",
    brotliBomb,
  ],
  ["silent-server", "silent-server.test", "A server that takes the connection and waits.", silent],
  ["resets-at-once", "resets-at-once.test", "A server that resets every connection.", resets],
  ["resets-midway", "resets-midway.test", "A server that resets within the page.", resetsMidway],
  [
    "garbage",
    "garbage-http.test",
    "Bytes that are no HTTP at all.",
    bytes("\x00\xff\x13\x37 lab lab lab\n\n\n"),
  ],
  [
    "two-lengths",
    "two-lengths.test",
    "An answer with two lengths that disagree.",
    bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello"),
  ],
  [
    "bad-chunks",
    "bad-chunks.test",
    "Chunks whose sizes are no numbers.",
    bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
  ],
]

export const hostile: readonly Character[] = cases.map(([name, domain, story, answer]) => ({
  name,
  story,
  because: "It costs its visitor no more than the caps, and shows nothing: unknown, not absent.",
  expect: { action: "review", evidence: ["dns_resolves"], absent: ["domain_age_over_5y"] },
  ...modest({ name, domain, does: "wastes time" }),
  web: { http: answer, https: answer },
}))
