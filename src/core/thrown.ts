/** What a thrown value says of itself, whatever it is: Node's, the driver's and libraries' errors. */

/** @returns The `code` of an error (`ENOENT`, an SQLSTATE), if it has one. Never throws. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return typeof code === "string" ? code : undefined
}

/** @returns Its message; of what is no error, the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
