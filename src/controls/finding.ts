/** What a control says. No finding is a claim that holds. */
export interface Finding {
  /** What it is about: an object of the database, or a place in a document. */
  readonly subject: string
  /** What is wrong, as one sentence for an operator. */
  readonly message: string
  /**
   * A known limit of the platform (an administrator of the server who is no superuser), named and
   * not repaired. Everything else is a breach.
   */
  readonly isWeakness: boolean
}
