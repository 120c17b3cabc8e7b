/** `docs/configuration.md`, from the table of settings. */
import { ROOT, SETTINGS } from "../src/settings.ts"

/** @returns `docs/configuration.md`, whole. */
export function configurationMarkdown(): string {
  const rows = Object.values(SETTINGS).map((entry) => {
    const names =
      "file" in entry ? `\`${entry.name}\`, \`${entry.name}_FILE\`` : `\`${entry.name}\``
    const fallback = entry.fallback?.replace(ROOT, "(checkout)")
    return `| ${names} | ${fallback ? `\`${fallback}\`` : ""} | ${entry.text} |`
  })
  return [
    "# Configuration",
    "",
    "Generated from `src/settings.ts` by `npm run docs`; do not edit.",
    "",
    "Settings are environment variables. An unknown variable that begins with `ZT_`, or a value",
    "that does not parse, stops the start by name. Where `_FILE` is listed, the value may lie in a",
    "file instead, so that no secret is in the environment.",
    "",
    "| variable | default | what it does |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n")
}
