/** The table of the lab as a document: who is there, what the verdict must be, and why. */
import { pathToFileURL } from "node:url"
import type { Character } from "./character.ts"
import { CHARACTERS, GROUPS } from "./characters/all.ts"

/** @returns `docs/lab.md`, whole. */
export function labMarkdown(): string {
  const groups = Object.entries(GROUPS).flatMap(([title, characters]) => [
    `## ${title}`,
    "",
    "| character | domain | verdict | who | why |",
    "| --- | --- | --- | --- | --- |",
    ...characters.map(row),
    "",
  ])
  return [
    "# The lab",
    "",
    "Generated from `lab/characters/` by `npm run docs`; do not edit.",
    "",
    `A small internet in one process on loopback: ${CHARACTERS.length} characters with a DNS zone, web`,
    "servers and a registration each, a validating resolver, a certificate authority, a registry and",
    "a registrar. `bin/zygentrust lab` starts it and prints the settings that lead there.",
    "",
    "The verdict is what the running program must answer; the codes below it are signals that must",
    "be true, false (with a minus) or unknown (with a question mark).",
    "",
    ...groups,
  ].join("\n")
}

function row({ name, domain, expect, story, because }: Character): string {
  const codes = [
    ...expect.evidence,
    ...(expect.absent ?? []).map((code) => `−${code}`),
    ...(expect.unknown ?? []).map((code) => `?${code}`),
  ].map((code) => `\`${code}\``)
  const risk = expect.risk ? ` (${expect.risk.join(" or ")})` : ""
  const verdict = [`**${expect.action}**${risk}`, codes.join(" ")].filter(Boolean).join("<br>")
  return `| ${[name, `\`${domain}\``, verdict, story, because].join(" | ")} |`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(labMarkdown())
}
