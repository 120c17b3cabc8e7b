/** Whether a `pg_control` is what a server wrote: its checksum is right (src/common/controldata_utils.c). */

const POLYNOMIAL = 0x82f63b78 // CRC-32C (RFC 3720 §12.1), reversed
const WORD_BYTES = 4

/**
 * The checksum is the last word of a structure whose length differs by version, of all that is
 * before; behind it are only zeroes. So the last words that are not zero are looked at.
 */
export function isControlFile(file: Buffer): boolean {
  const end = file.findLastIndex((byte) => byte !== 0) + 1
  const last = Math.floor((end - 1) / WORD_BYTES) * WORD_BYTES
  if (last < WORD_BYTES || last + WORD_BYTES > file.length) return false
  return crc32c(file.subarray(0, last)) === file.readUInt32LE(last)
}

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  }
  return ~crc >>> 0
}
