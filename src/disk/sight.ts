/** What was found of encryption under some storage. */

export interface Sight {
  /**
   * `found`: everything on it is encrypted. `absent`: this system sees the disk and nothing that
   * encrypts. `unknown`: it cannot see far enough to say.
   */
  readonly state: "found" | "absent" | "unknown"
  /** By what, or why not known, as a phrase for people. */
  readonly by: string
}

export const found = (by: string): Sight => ({ state: "found", by })
export const absent = (by: string): Sight => ({ state: "absent", by })
export const unknown = (by: string): Sight => ({ state: "unknown", by })

const ORDER = ["absent", "unknown", "found"] as const

/** @returns The worst, since data lies on all of them; unknown where there is none. */
export function weakest(sights: readonly Sight[]): Sight {
  const sorted = sights.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return sorted[0] ?? unknown("nothing was found under it")
}
