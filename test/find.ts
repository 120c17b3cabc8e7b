/** Which files are tests: every `*.test.ts` of src, lab and test; `*.long.test.ts` are soaks. */
import { globSync } from "node:fs"

export interface Found {
  readonly files: readonly string[]
  /** Soaks that were left out. */
  readonly leftOut: readonly string[]
}

/**
 * @param paths - Parts of a path, as `src/engine`; a file is taken when it contains one of them.
 * @returns Paths relative to `root`, black-box suites first, since they take longest.
 */
export function findTests(root: string, paths: readonly string[], long: boolean): Found {
  const wanted = globSync("{test,lab,src}/**/*.test.ts", { cwd: root })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => paths.length === 0 || paths.some((part) => path.includes(part)))
    .sort()
    .reverse()
  const isSoak = (path: string) => path.endsWith(".long.test.ts")
  return {
    files: wanted.filter((path) => long || !isSoak(path)),
    leftOut: wanted.filter((path) => !long && isSoak(path)),
  }
}
