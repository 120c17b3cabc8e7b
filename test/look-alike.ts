/** Package names that a person could take for another's (claim C3). */

/**
 * @param popular - Names that an impostor would want to be taken for.
 * @returns The popular name that `name` can be mistaken for, if it is not popular itself.
 */
export function lookAlike(name: string, popular: readonly string[]): string | undefined {
  if (popular.includes(name)) return undefined
  const seen = skeleton(name)
  return popular.find((other) => skeleton(other) === seen || withinOneEdit(name, other))
}

/** What the eye makes of a name: punctuation is overlooked, some signs look the same. */
function skeleton(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[-_.@/]/g, "")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
    .replaceAll("0", "o")
    .replaceAll("5", "s")
    .replaceAll(/[1i]/g, "l")
}

/** One sign more, less or other, or two neighbours swapped. */
function withinOneEdit(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1) return false
  let start = 0
  while (start < short.length && short[start] === long[start]) start++
  const [restShort, restLong] = [short.slice(start), long.slice(start)]
  if (short.length < long.length) return restShort === restLong.slice(1)
  const swapped = restShort.slice(0, 2) === [...restLong.slice(0, 2)].reverse().join("")
  return (
    restShort.slice(1) === restLong.slice(1) ||
    (swapped && restShort.slice(2) === restLong.slice(2))
  )
}
