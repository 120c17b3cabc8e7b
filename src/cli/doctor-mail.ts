/** The check of mail: whether owners of keys are mailed, and by which server. */
import type { Config } from "../config.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { ok, warn } from "./doctor-check.ts"

const CHECK = "mail"

export function checkMail({ smtpUrl }: Pick<Config, "smtpUrl">): Diagnosis {
  if (smtpUrl === undefined) {
    const message = "not set up: events of owners (quotas, leaked keys) are listed, not mailed"
    return warn(CHECK, message, "Set ZT_SMTP_URL and ZT_MAIL_FROM (docs/configuration.md).")
  }
  return ok(CHECK, `goes out by ${new URL(smtpUrl).host}; /v1/health says how that goes`)
}
