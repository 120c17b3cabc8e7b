/** What reached the lab, counted, so that a test can tell what was asked and what never was. */
export interface Requests {
  /** Connections by `address:port` of the lab's own addresses, or `trap`. */
  readonly connections: ReadonlyMap<string, number>
  /** DNS questions by `name TYPE`, name in lower case. */
  readonly questions: ReadonlyMap<string, number>
}

export interface Counters extends Requests {
  connection(endpoint: string): void
  question(question: string): void
}

export function createCounters(): Counters {
  const connections = new Map<string, number>()
  const questions = new Map<string, number>()
  return {
    connections,
    questions,
    connection: (endpoint) => connections.set(endpoint, (connections.get(endpoint) ?? 0) + 1),
    question: (question) => questions.set(question, (questions.get(question) ?? 0) + 1),
  }
}
