import type { Known, Rule, TextFile } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { onlyTags } from "../mail.ts"
import { isPlainText, obstacle } from "../site.ts"
import { zoneAnswer } from "../zone.ts"

/** Does the domain demand TLS for its mail (RFC 8461: the record, and a policy that enforces)? */
export const mtaStsEnforced: Rule = {
  code: "mta_sts_enforced",
  category: "email",
  says: {
    true: "Demands verified TLS for mail to it (MTA-STS)",
    false: "Does not demand TLS for mail to it",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "mtaSts"), ({ records }) => {
      const id = onlyTags(records, "v=STSv1")?.tags.get("id") ?? ""
      if (!/^[a-z0-9]{1,32}$/i.test(id)) return found(false)
      return whenKnown(policyFile(observation.http.mtaStsPolicy), (file) => {
        if (file.status === 200 && !isPlainText(file.contentType)) {
          return found(false, `a record, but the policy is ${file.contentType}`)
        }
        const enforces = file.status === 200 && isEnforcing(file.text)
        return found(
          enforces,
          enforces ? `id ${id}` : `a record, but status ${file.status} and no policy that enforces`,
        )
      })
    }),
}

function policyFile(file: Known<TextFile>): Known<TextFile> {
  const why = "value" in file ? obstacle(file.value.status) : undefined
  return why === undefined ? file : { unknown: why }
}

/** @returns Does the policy (RFC 8461 §3.2) enforce? Of a repeated key the first counts. */
export function isEnforcing(policy: string): boolean {
  const lines = policy.split(/\r?\n/).map((line) => /^\s*([a-z_]+)\s*:\s*(.*?)\s*$/.exec(line))
  const values = (key: string) =>
    lines.flatMap((line) => (line?.[1] === key ? [line[2] ?? ""] : []))
  const maxAge = values("max_age")[0] ?? ""
  return (
    values("version")[0] === "STSv1" &&
    values("mode")[0] === "enforce" &&
    /^\d{1,10}$/.test(maxAge) &&
    Number(maxAge) > 0 &&
    values("mx").some((mx) => mx !== "")
  )
}
