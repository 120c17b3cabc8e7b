/**
 * A bench that leaves nothing behind: at its end, when it fails, and on Ctrl-C.
 *
 * What it opens goes through `opened`, which knows of it before it is there.
 */
const interruption = new AbortController()
/** Ctrl-C was pressed, or the bench was told to end. */
export const interrupted: AbortSignal = interruption.signal

/** Runs a bench; exit code 130 when interrupted. */
export async function tidily(work: (stack: AsyncDisposableStack) => Promise<void>): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => interruption.abort())
  const stack = new AsyncDisposableStack()
  const aborted = new Promise<void>((resolve) =>
    interrupted.addEventListener("abort", () => resolve()),
  )
  try {
    const working = work(stack)
    await Promise.race([working, aborted])
  } finally {
    const closing = stack.disposeAsync()
    if (interrupted.aborted) {
      await closing.catch(() => {}) // what was cut off may not close well
      process.exit(130) // whatever of it still waits
    }
    await closing
  }
}

/** Opens something, and has it closed in its turn, also when it comes up too late. */
export function opened<T>(
  stack: AsyncDisposableStack,
  open: () => Promise<T>,
  close: (open: T) => Promise<unknown>,
): Promise<T> {
  interrupted.throwIfAborted()
  const opening = open()
  stack.defer(async () => {
    const there = await opening.catch(() => undefined)
    if (there !== undefined) await close(there)
  })
  return opening
}
