/** What stands in the way of a file operation, for people: its errno (errno(3)) in words, and what to do. */
import { codeOf, messageOf } from "./thrown.ts"

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space, then start again",
  EDQUOT: "The disk quota is used up: free some space, then start again",
  EFBIG: "The limit on file sizes (ulimit -f) is too low: raise it, then start again",
  EROFS: "The file system is read-only: mount it writable, or set ZT_DATA_DIR to another folder",
  EACCES: "This user may not write there: change its owner, or set ZT_DATA_DIR to another folder",
  EPERM: "This user may not write there: change its owner, or set ZT_DATA_DIR to another folder",
  ENOTDIR: "A part of that path is a file: move it away, or set ZT_DATA_DIR to another folder",
  EEXIST: "A part of that path is a file: move it away, or set ZT_DATA_DIR to another folder",
}

/** @returns A sentence without its stop; what was thrown itself where there is none for it. */
export function fileRemedy(cause: unknown): string {
  return REMEDIES[codeOf(cause) ?? ""] ?? messageOf(cause)
}
