/**
 * Events as a mail: plain text for people. What happened, when, and what to do.
 *
 * Invariant: made of an event's own closed fields alone, so there is no key and no secret in it.
 */
import type { EventDetails, EventKind, ShownEvent } from "./events.ts"

/** Events of one mail that are told one by one; of the others, how many there are. */
const SHOWN = 20

export interface Told {
  readonly subject: string
  readonly text: string
}

/** @param origin - `https://host[:port]` of the deployment. @param events - One or more, in order. */
export function mailOf(origin: string, events: readonly ShownEvent[]): Told {
  const shown = events.slice(0, SHOWN)
  const more = events.length - shown.length
  const [first] = shown
  const about =
    events.length === 1 && first !== undefined
      ? TEXTS[first.kind].title
      : `${events.length} things to know about your API keys`
  const text = [
    "Hello,",
    "",
    `this is what happened with your API keys at ${origin}:`,
    "",
    ...shown.flatMap((event) => [...told(event), ""]),
    ...(more > 0 ? [`…and ${more} more of the kind.`, ""] : []),
    `All of it is listed at ${origin}/v1/events, with any key that has the scope usage:read.`,
    "",
    "You get this mail because this address is the contact of the keys' owner there. Whoever runs",
    "that server can change the address, or take it out.",
    "",
  ].join("\n")
  return { subject: `ZygenTrust: ${about}`, text }
}

function told(event: ShownEvent): string[] {
  const { title, what, todo } = TEXTS[event.kind]
  const at = `${event.at.slice(0, 16).replace("T", " ")} UTC`
  const key = event.key === null ? "" : ` (${event.environment} key ${event.key})`
  return [
    `* ${at}: ${title}${key}`,
    ...[what(event.details as never), todo].flatMap((sentence) => wrap(sentence)),
  ]
}

interface Text<Kind extends EventKind> {
  /** A subject, as a part of a sentence. */
  readonly title: string
  readonly what: (details: EventDetails[Kind]) => string
  readonly todo: string
}

const number = (value: number) => value.toLocaleString("en")

const TEXTS: { readonly [Kind in EventKind]: Text<Kind> } = {
  quota_80: {
    title: "80 % of the month's units are used",
    what: ({ month, units, per_month }) =>
      `${number(units)} of the ${number(per_month)} units of ${month} are used; what is left is for all of your live keys together.`,
    todo: "If that is too fast, see in GET /v1/usage which key and route it was. If you need more, ask whoever runs the server for another plan: it holds from the next request.",
  },
  quota_100: {
    title: "all units of the month are used",
    what: ({ month, units, per_month }) =>
      `${number(units)} of the ${number(per_month)} units of ${month} are used. On a plan with a hard limit, requests that cost units now get 429 QUOTA_EXCEEDED until the month (UTC) is over.`,
    todo: "Ask whoever runs the server for another plan: it holds from the next request.",
  },
  key_expiring: {
    title: "a key ends soon",
    what: ({ days, expires_at }) =>
      `It ends by itself on ${expires_at.slice(0, 16).replace("T", " ")} UTC, in less than ${days === 1 ? "a day" : `${days} days`}. Requests with it then get 401 KEY_EXPIRED.`,
    todo: "If you still need it, rotate it with an overlap (POST /v1/keys/{id}/rotate), and put the new key where the old one is.",
  },
  key_leaked: {
    title: "a key was found in public",
    what: ({ partner, action }) =>
      `A secret scanner (${partner}) found it where others can read it. ${LEAKED[action]}`,
    todo: "Take it for known to everybody: issue another, put that where this one was, revoke this one, and take it out of where it lies. Its history counts too.",
  },
  key_sent_in_clear: {
    title: "a key was sent without encryption",
    what: () =>
      "A request over http:// carried it. It was refused, but whoever is on the network's path may have read the key. You are told once a day at most.",
    todo: "Rotate it (POST /v1/keys/{id}/rotate), and write https:// where the address is configured.",
  },
  abuse_suspected: {
    title: "unusual requests were seen",
    what: (details) => `What looked at it says: ${listOf(details)}.`,
    todo: "If it was not you, rotate the key. If it was, tell whoever runs the server.",
  },
  key_throttled: {
    title: "a key is slowed down",
    what: (details) =>
      `Unusual requests came with it (${listOf(details)}), so it is held to a lower rate for a while.`,
    todo: "If it was not you, rotate the key. If it was, tell whoever runs the server, who can lift it.",
  },
  throttle_lifted: {
    title: "a key is no longer slowed down",
    what: () => "It is held to its usual rate again.",
    todo: "There is nothing to do.",
  },
}

const LEAKED: Readonly<Record<EventDetails["key_leaked"]["action"], string>> = {
  disabled: "It was disabled at once: requests with it get 401 KEY_DISABLED.",
  notified: "It still works: your plan says that you decide.",
  none: "It had ended before, so it opens nothing.",
}

function listOf(details: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(details).map(([name, value]) => `${name} ${value}`)
  return parts.join(", ") || "no particulars"
}

const COLUMNS = 90
const INDENT = "  "

function wrap(sentence: string): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of sentence.split(" ")) {
    if (line !== "" && INDENT.length + line.length + 1 + word.length > COLUMNS) {
      lines.push(INDENT + line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, INDENT + line]
}
