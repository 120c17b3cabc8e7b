/** What a thrown value says of itself, whatever it is: Node's, the driver's and libraries' errors. */

const MAX_CAUSES = 5

/** @returns The `code` of an error (`ENOENT`, an SQLSTATE), if it has one. Never throws. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return typeof code === "string" ? code : undefined
}

/** @returns Its message; of what is no error, the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What of an error cannot hold a value: its kind, its code, and where it came from. */
export interface Told {
  readonly name: string
  readonly code: string | undefined
  readonly frames: readonly string[]
}

/**
 * An error without its message, which can quote anything (a database its values, a parser its
 * input), and without fields of its own.
 * @returns The error and its causes, outermost first; nothing of what is no error.
 */
export function withCauses(error: unknown): Told[] {
  const told: Told[] = []
  for (let at = error; at instanceof Error && told.length < MAX_CAUSES; at = at.cause) {
    const { name } = at
    const code = codeOf(at) ?? ""
    told.push({
      name: /^(Problem|[A-Z]\w{0,40}(Error|Warning)|Error)$/.test(name) ? name : "Error",
      code: /^[A-Z0-9_]{3,50}$/.test(code) ? code : undefined,
      frames: framesOf(at),
    })
  }
  return told
}

/** The stack begins with name and message, and a message can have lines that look like frames. */
function framesOf({ stack, message }: Error): string[] {
  if (typeof stack !== "string") return []
  const start = stack.indexOf(message)
  const after = start === -1 ? stack : stack.slice(start + message.length)
  return after.match(/^ {4}at .*$/gm)?.map((frame) => frame.trim()) ?? []
}
