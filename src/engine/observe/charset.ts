/** Bytes of a page → text, by the charset that it says it is in. */

/** How far in a page may say its charset (HTML §13.2.3.2), in bytes. */
const PRESCAN_BYTES = 1024

/**
 * @param contentType - The header's value.
 * @returns Text. The charset is the byte order mark's, the header's, the page's own, or UTF-8;
 *   one that nobody knows counts as unsaid. Never throws.
 */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const head = Buffer.from(bytes.subarray(0, PRESCAN_BYTES)).toString("latin1")
  const named =
    markOf(bytes) ??
    /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType)?.[1] ??
    /<meta[^>]+charset\s*=\s*["']?([\w.:-]+)/i.exec(head)?.[1]
  return (decoderFor(named) ?? new TextDecoder()).decode(bytes)
}

function markOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8"
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be"
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  return undefined
}

function decoderFor(label: string | undefined): TextDecoder | undefined {
  try {
    return label === undefined ? undefined : new TextDecoder(label)
  } catch {
    return undefined
  }
}
