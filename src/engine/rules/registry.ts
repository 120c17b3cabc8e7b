/**
 * Reading registration data (RDAP, RFC 9083).
 *
 * Invariant: the registration of a shared platform's domain says nothing of a name on it; and a
 * name that nobody registered has no age, term or lock to judge: unknown.
 */
import type { Finding, Known, Observation, Registration } from "../types.ts"
import { daysBetween } from "./certificate.ts"
import { unknown, whenKnown } from "./finding.ts"

export function registrationOf({ name, registration }: Observation): Known<Registration> {
  if (name.shared) return { unknown: "platform" }
  if ("unknown" in registration) return registration
  return registration.value === null ? { unknown: "not_offered" } : { value: registration.value }
}

/**
 * Judges one of the registration's times.
 * @param judge - Takes days from that time until now; negative for a time to come.
 */
export function whenDated(
  observation: Observation,
  which: "registeredAt" | "expiresAt",
  judge: (daysAgo: number, date: string) => Finding,
): Finding {
  return whenKnown(registrationOf(observation), (registration) => {
    const time = registration[which]
    if (time === undefined) return unknown("not_offered")
    const days = daysBetween(time, observation.observedAt)
    return Number.isNaN(days) ? unknown("malformed") : judge(days, time.slice(0, 10))
  })
}
