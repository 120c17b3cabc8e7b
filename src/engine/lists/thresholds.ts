/** Every number that a rule compares with. Points lie in `points.ts`. */
export const THRESHOLDS = {
  version: "2026-11-24",
  /** Registered for less than this is brand new. */
  newRegistrationDays: 30,
  youngRegistrationDays: 365,
  oldRegistrationDays: 5 * 365,
  /** Paid ahead for longer than this is more than the yearly minimum. */
  multiYearDays: 366,
  expiresSoonDays: 30,
  /** The time for which ICANN's policy locks a name after a transfer. */
  recentTransferDays: 60,
  /** All records living shorter than this, name servers included. */
  lowTtlSeconds: 300,
  nameServers: 2,
  /** RFC 7208 §4.6.4. */
  spfLookups: 10,
  /** Longer than the free authorities issue for. */
  longCertificateDays: 100,
  recentCertificateDays: 7,
  /** Half a year of HSTS; the preload list asks for a year. */
  hstsSeconds: 15_768_000,
  thinTextCharacters: 200,
  thinLinks: 5,
  /** Pages longer than this are not judged by a phrase somewhere in them. */
  shortPageCharacters: 3_000,
  digitShare: 0.3,
  digits: 3,
  longLabelCharacters: 30,
  randomLabelCharacters: 7,
  vowelShare: 0.1,
  consonantRun: 8,
  letterDigitChanges: 4,
} as const
