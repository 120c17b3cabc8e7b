/**
 * Is the Dependabot configuration one that GitHub accepts and that proposes security updates daily
 * (claim C2)? The keys and values are those of GitHub's options reference, as far as we use them;
 * an unknown key is refused, as GitHub refuses the whole file for one.
 */
import { parse } from "yaml"
import { z } from "zod"

const schema = z.strictObject({
  version: z.literal(2),
  updates: z.array(
    z.strictObject({
      "package-ecosystem": z.enum(["npm", "github-actions", "docker"]),
      directory: z.string().startsWith("/"),
      schedule: z.strictObject({ interval: z.literal("daily") }),
      cooldown: z.strictObject({ "default-days": z.int().min(1).max(90) }).optional(),
      "versioning-strategy": z.enum(["increase", "lockfile-only"]).optional(),
      "open-pull-requests-limit": z.int().min(1).optional(),
      groups: z
        .record(z.string(), z.strictObject({ patterns: z.array(z.string()).min(1) }))
        .optional(),
      ignore: z
        .array(
          z.strictObject({
            "dependency-name": z.string(),
            "update-types": z.array(z.literal("version-update:semver-major")).min(1),
          }),
        )
        .optional(),
    }),
  ),
})

/**
 * @param text - `.github/dependabot.yml`.
 * @param needed - Ecosystems that the repository has something of.
 * @returns What is wrong, in words.
 */
export function dependabotFaults(text: string, needed: readonly string[]): string[] {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    return [`not YAML: ${String(error)}`]
  }
  const result = schema.safeParse(value)
  if (!result.success) return [z.prettifyError(result.error)]
  const updates = result.data.updates
  const missing = needed.filter(
    (ecosystem) =>
      !updates.some(
        (update) => update["package-ecosystem"] === ecosystem && update.directory === "/",
      ),
  )
  return missing.map((ecosystem) => `nothing keeps ${ecosystem} current`)
}
