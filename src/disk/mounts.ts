/** Reads /proc/self/mountinfo (proc_pid_mountinfo(5)). Pure. */

export interface Mount {
  /** `major:minor`; major 0 for what is no block device. */
  readonly device: string
  readonly point: string
  /** `ext4`, `fuse.sshfs`… */
  readonly type: string
  /** A device's path, a dataset, a server's export. */
  readonly source: string
}

export function readMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ", 2)
    const [, , device, , point] = before?.split(" ") ?? []
    const [type, source] = after?.split(" ") ?? []
    if (device === undefined || point === undefined || type === undefined) return []
    return [{ device, point: unescaped(point), type, source: unescaped(source ?? "") }]
  })
}

/** @returns The mount that a real path lies on: of the longest, the last, which hides the others. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const around = mounts.filter(({ point }) => {
    const folder = point.endsWith("/") ? point : `${point}/`
    return path === point || path.startsWith(folder)
  })
  const longest = Math.max(...around.map(({ point }) => point.length))
  return around.findLast(({ point }) => point.length === longest)
}

/** Spaces, tabs, newlines and backslashes are octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
}
