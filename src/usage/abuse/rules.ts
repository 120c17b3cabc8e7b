/**
 * The rules by which abuse is noticed: one table of names, thresholds and what is done.
 *
 * Owns: the figures; docs/abuse.md explains each. Not: how they are applied (detectors.ts).
 */

export interface Rule {
  /** What is seen, as an operator reads it. */
  readonly title: string
  /** Below it nothing is noticed, whatever is usual. Of an hour; of a day (UTC) for networks. */
  readonly floor: number
  /** Above so many times what is usual for whom it concerns; without it the floor alone counts. */
  readonly ratio?: number
  /** Days that must have been seen before, where the ratio counts; before, the rule is silent. */
  readonly historyDays?: number
  /** Who it concerns is held to a rate for so long. Without it: owner and operator are told. */
  readonly throttleHours?: number
  /** What an operator should make of it. */
  readonly meaning: string
}

export const RULES = {
  unknown_keys: {
    title: "requests with well-formed keys that nobody has",
    floor: 1_000,
    ratio: 8,
    meaning:
      "Keys of this form are not met by chance: somebody makes them up, or a client has a key of another deployment.",
  },
  ended_key: {
    title: "requests with a key that has ended or is disabled",
    floor: 300,
    meaning:
      "A job that was forgotten, or somebody who has the key and should not. The key does not work; where did it get to?",
  },
  ended_keys: {
    title: "different keys of one tenant, each ended or disabled, that were tried",
    floor: 5,
    meaning: "Somebody tries old keys in turn: a list of them may have got out.",
  },
  identifiers: {
    title: "answers that there is no such thing, to a key that names things by their ids",
    floor: 60,
    throttleHours: 24,
    meaning: "A program guesses ids, or asks for what was deleted long ago.",
  },
  domains: {
    title: "different domains that a tenant asked about",
    floor: 3_000,
    ratio: 6,
    historyDays: 7,
    throttleHours: 1,
    meaning: "A list of domains is worked through that this tenant has not had before.",
  },
  burst: {
    title: "requests of a tenant",
    floor: 5_000,
    ratio: 8,
    historyDays: 7,
    throttleHours: 1,
    meaning: "Far more than this tenant ever asks: a loop, a stolen key, or a new use.",
  },
  networks: {
    title: "networks that a key was used from",
    floor: 50,
    ratio: 4,
    historyDays: 7,
    meaning: "The key is in many hands: was it published, or built into what people download?",
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleName = keyof typeof RULES

/** What a rule holds a key to: for `identifiers`; the others hold to the rate they notice. */
export const SLOWEST = { perSecond: 1, burst: 5 } as const

/** @returns The rule of that name, as the database keeps it; undefined for one of another release. */
export function ruleOf(name: string): Rule | undefined {
  return Object.hasOwn(RULES, name) ? RULES[name as RuleName] : undefined
}
