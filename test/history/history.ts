/**
 * What was asked with each key and what each key was good for meanwhile, and whether they agree.
 *
 * Owns: the comparison. Not: who asks (clients.ts), who changes keys (life.ts).
 * A change takes effect at one moment between its start and its acknowledgement, a request is decided
 * at one moment between its start and its end. An answer is right when there are such moments; so a
 * request begun after a revocation was acknowledged must not be served, and one that ended before the
 * revocation began must not be refused.
 */

/** What a key is at a moment; the address that asks is 127.0.0.1 or ::1. */
export interface KeyState {
  readonly exists: boolean
  readonly revoked: boolean
  readonly disabled: boolean
  readonly expired: boolean
  readonly addressAllowed: boolean
  /** Bits, see src/keys/scopes.ts. */
  readonly scopes: number
}

/** A state in force from a moment after `from` until one before `to`, by `performance.now`. */
interface Version {
  readonly state: KeyState
  readonly from: number
  to: number
}

export interface Asked {
  readonly key: string
  /** Bits of the scopes that the route needs. */
  readonly needs: number
  readonly began: number
  readonly ended: number
  /** `SERVED`, or the code of the refusal. */
  readonly answer: string
  readonly instance: number
}

/** These say nothing about a key. */
const UNDECIDED = new Set(["UNAVAILABLE"])

export class History {
  readonly #keys = new Map<string, Version[]>()
  readonly #asked: Asked[] = []

  /** A key as it is before anything is asked with it. */
  begin(key: string, state: KeyState): void {
    this.#keys.set(key, [{ state, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }])
  }

  /** A change was begun, and is known to have been made by `ended`. Of one key, in order. */
  changed(key: string, state: KeyState, began: number, ended: number): void {
    const versions = this.#keys.get(key)
    const last = versions?.at(-1)
    if (versions === undefined || last === undefined) throw new Error("changed before it began")
    last.to = ended
    versions.push({ state, from: began, to: Number.POSITIVE_INFINITY })
  }

  asked(asked: Asked): void {
    this.#asked.push(asked)
  }

  /** How many were answered. */
  get size(): number {
    return this.#asked.length
  }

  get changes(): number {
    return [...this.#keys.values()].reduce((sum, versions) => sum + versions.length - 1, 0)
  }

  /** @returns How often each was answered. */
  get answers(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { answer } of this.#asked) counts.set(answer, (counts.get(answer) ?? 0) + 1)
    return counts
  }

  /** @returns Every wrong answer, in words. */
  faults(): string[] {
    return this.#asked.filter((asked) => !this.#isRight(asked)).map((asked) => this.#tell(asked))
  }

  /** @returns How many could be answered in one way alone: the others were asked while their key changed. */
  get decided(): number {
    return this.#asked.filter((asked) => this.#right(asked).size === 1).length
  }

  #isRight(asked: Asked): boolean {
    return UNDECIDED.has(asked.answer) || this.#right(asked).has(asked.answer)
  }

  /** @returns The answers that would be right. */
  #right({ key, needs, began, ended }: Asked): ReadonlySet<string> {
    return new Set(this.#during(key, began, ended).map(({ state }) => verdict(state, needs)))
  }

  #during(key: string, began: number, ended: number): Version[] {
    return (this.#keys.get(key) ?? []).filter(({ from, to }) => from <= ended && to >= began)
  }

  #tell(asked: Asked): string {
    const { key, began, ended, answer, instance } = asked
    const versions = this.#keys.get(key) ?? []
    const before = versions.findLast(({ to }) => to < began)
    const since =
      before === undefined ? "" : `, ${(began - before.to).toFixed(1)} ms after a change`
    return `instance ${instance} answered ${answer}, not ${[...this.#right(asked)].join(" or ")}: a request of ${(ended - began).toFixed(1)} ms${since}`
  }
}

/** The order is the admission statement's. */
function verdict(state: KeyState, needs: number): string {
  if (!state.exists) return "INVALID_KEY"
  if (state.revoked) return "KEY_REVOKED"
  if (state.disabled) return "KEY_DISABLED"
  if (state.expired) return "KEY_EXPIRED"
  if (!state.addressAllowed) return "ADDRESS_NOT_ALLOWED"
  if ((state.scopes & needs) !== needs) return "INSUFFICIENT_SCOPE"
  return "SERVED"
}
