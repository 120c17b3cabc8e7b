/** The part of npm's version ranges that `engines.node` is written in. */

type Version = readonly [number, number, number]

/**
 * @param range - Alternatives (`||`) of comparators that all must hold: `>=20.19.0`, `^20.19.0`,
 *   `>=18 <23`, `20`, `20.x`, `*`.
 * @throws TypeError for any other form, so that none is passed over.
 */
export function allows(range: string, version: string): boolean {
  const at = parse(version)
  return range
    .replaceAll(/(>=|<=|>|<|=|\^|~)\s+/g, "$1")
    .split("||")
    .map((all) =>
      all
        .trim()
        .split(/\s+/)
        .map((comparator) => holds(comparator, at)),
    )
    .some((held) => held.every(Boolean))
}

function holds(comparator: string, at: Version): boolean {
  if (comparator === "" || comparator === "*") return true
  const match = /^(>=|<=|>|<|=|\^|~)?v?(\d+(?:\.(?:\d+|x|\*))*)$/.exec(comparator)
  if (match?.[2] === undefined) throw new TypeError(`cannot read the range '${comparator}'`)
  const bound = parse(match[2])
  const parts = match[2].split(".").filter((part) => /^\d+$/.test(part)).length
  const order = compare(at, bound)
  switch (match[1]) {
    case ">=":
      return order >= 0
    case "<=":
      return order <= 0
    case ">":
      return order > 0
    case "<":
      return order < 0
    case "^":
      return order >= 0 && at[0] === bound[0]
    case "~":
      return order >= 0 && at[0] === bound[0] && (parts < 2 || at[1] === bound[1])
    default:
      return at.slice(0, parts).every((part, i) => part === bound[i])
  }
}

function parse(version: string): Version {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number(part) || 0)
  return [major, minor, patch]
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
