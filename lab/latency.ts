/**
 * The lab's distance: what is put off by a number of one-way trips there and back.
 *
 * An approximation: the kernel accepts a connection at once, so the round trips of TCP and TLS
 * are served as one delay before the first byte is read. The sum that a client sees is right,
 * its split between connecting and shaking hands is not.
 * Invariant: after `stop` nothing that was put off happens.
 */
export interface Latency {
  /** Does `what` after so many round trips; at once where the lab adds no delay. */
  after(roundTrips: number, what: () => void): void
  stop(): void
}

export function createLatency(delayMs: number): Latency {
  const pending = new Set<NodeJS.Timeout>()
  return {
    after(roundTrips, what) {
      if (delayMs === 0) return what()
      const timer = setTimeout(() => {
        pending.delete(timer)
        what()
      }, roundTrips * delayMs)
      pending.add(timer)
    },
    stop() {
      for (const timer of pending) clearTimeout(timer)
      pending.clear()
    },
  }
}
