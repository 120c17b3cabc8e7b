import type { Known, Rule, TextFile } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { homePage, isPlainText, obstacle } from "../site.ts"

/** Does the site say where to report weaknesses, and is that in date (RFC 9116)? */
export const securityTxtValid: Rule = {
  code: "security_txt_valid",
  category: "content",
  says: {
    true: "Says where to report weaknesses (security.txt)",
    false: "Has no valid security.txt",
  },
  judge: (observation) => {
    const home = homePage(observation)
    if ("unknown" in home && home.unknown === "not_observed") return unknown("not_observed")
    return whenKnown(readable(observation.http.securityTxt), ({ status, contentType, text }) => {
      if (status !== 200 || !isPlainText(contentType)) return found(false)
      const fault = faultOf(text, Date.parse(observation.observedAt))
      return found(fault === undefined, fault)
    })
  },
}

function readable(file: Known<TextFile>): Known<TextFile> {
  const why = "value" in file ? obstacle(file.value.status) : undefined
  return why === undefined ? file : { unknown: why }
}

/**
 * @param nowMs - Milliseconds since the epoch.
 * @returns What RFC 9116 §2.5 finds wrong; undefined for a valid file.
 */
export function faultOf(text: string, nowMs: number): string | undefined {
  const fields = text.split(/\r?\n/).flatMap((line) => {
    const match = /^([a-z-]+):\s*(.*?)\s*$/i.exec(line)
    return match === null ? [] : [{ name: match[1]?.toLowerCase(), value: match[2] ?? "" }]
  })
  const values = (name: string) =>
    fields.filter((field) => field.name === name).map(({ value }) => value)
  if (!values("contact").some((value) => /^[a-z][a-z0-9+.-]*:\S/i.test(value))) {
    return "no Contact that is a URI"
  }
  const [expires, ...more] = values("expires")
  if (expires === undefined) return "no Expires"
  if (more.length > 0) return "several Expires"
  const expiresMs = parseTime(expires)
  if (expiresMs === undefined) return "an Expires that is no time"
  return expiresMs > nowMs ? undefined : `expired ${expires}`
}

const RFC3339 =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Reads a time of RFC 3339 §5.6, which has an offset: without one it would depend on where it is
 * read. @returns Milliseconds since the epoch; undefined for anything else.
 */
function parseTime(text: string): number | undefined {
  const time = text.toUpperCase()
  const [, day] = RFC3339.exec(time) ?? []
  if (day === undefined) return undefined
  // The parser takes the 31st of any month; read back, it is another day.
  const dayMs = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(day)) return undefined
  return Date.parse(time)
}
