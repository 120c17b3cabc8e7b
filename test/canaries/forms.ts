/**
 * The forms in which loggers, serialisers, shells and databases write one and the same text.
 *
 * Pure. Invariant: a form of a piece stands unchanged inside the same form of any text around it,
 * so that a search for pieces finds what was cut off, wrapped or put into something longer.
 */

/** Shorter pieces would turn up by chance; longer ones would miss what was cut. */
const PIECE_LENGTH = 8

/**
 * @param secret - Text, or bytes for keys that are no text.
 * @returns Its pieces of 8 characters or bytes: any 15 in a row hold a whole one. What is left over
 *   at the end overlaps the piece before it.
 */
export function piecesOf(secret: string | Uint8Array): (string | Buffer)[] {
  const units = typeof secret === "string" ? [...secret] : [...secret]
  if (units.length < PIECE_LENGTH) throw new RangeError("too short to be told from chance")
  const starts = Array.from({ length: Math.floor(units.length / PIECE_LENGTH) }, (_, i) => i * 8)
  if (units.length % PIECE_LENGTH > 0) starts.push(units.length - PIECE_LENGTH)
  return starts.map((start) => {
    const piece = units.slice(start, start + PIECE_LENGTH)
    return typeof secret === "string" ? piece.join("") : Buffer.from(piece as number[])
  })
}

/** @returns Each form's name with its bytes; some forms of a plain piece are the same. */
export function formsOf(piece: string | Buffer): [name: string, bytes: Buffer][] {
  const bytes = typeof piece === "string" ? Buffer.from(piece) : piece
  const forms: [string, string | Buffer][] = [
    ["as it is", bytes],
    ["reversed", Buffer.from(bytes.toReversed())],
    ["hexadecimal", each(bytes, hex)],
    ["upper-case hexadecimal", each(bytes, hex).toUpperCase()],
    ["hexadecimal with spaces", [...bytes].map(hex).join(" ")],
    ["hexadecimal with colons", [...bytes].map(hex).join(":").toUpperCase()],
    ["hexadecimal with lower-case colons", [...bytes].map(hex).join(":")],
    ["a list of numbers", [...bytes].join(",")],
    ["a list of numbers with spaces", [...bytes].join(", ")],
    ["percent-encoded whole", each(bytes, (byte) => `%${hex(byte).toUpperCase()}`)],
    ["percent-encoded whole, lower case", each(bytes, (byte) => `%${hex(byte)}`)],
    ["C escapes", each(bytes, (byte) => `\\x${hex(byte)}`)],
    ["octal escapes", each(bytes, octal)],
    [
      "PostgreSQL's bytea escapes",
      each(bytes, (byte) => (printable(byte) ? chr(byte) : octal(byte))),
    ],
    [
      "quoted-printable",
      each(bytes, (byte) => (printable(byte) && byte !== 0x3d ? chr(byte) : quoted(byte))),
    ],
    ["quoted-printable whole", each(bytes, quoted)],
    ...[0, 1, 2].flatMap((offset): [string, string][] => [
      [`base64, ${offset} bytes in`, base64(bytes, offset, "base64")],
      [`base64url, ${offset} bytes in`, base64(bytes, offset, "base64url")],
    ]),
  ]
  if (typeof piece === "string") forms.push(...textForms(piece))
  return forms.map(([name, form]) => [name, Buffer.from(form as string)])
}

function textForms(piece: string): [string, string | Buffer][] {
  const utf16 = Buffer.from(piece, "utf16le")
  const each16 = (write: (unit: number) => string) => {
    let text = ""
    for (let i = 0; i < piece.length; i++) text += write(piece.charCodeAt(i))
    return text
  }
  return [
    ["lower case", piece.toLowerCase()],
    ["upper case", piece.toUpperCase()],
    ["Latin-1", Buffer.from(piece, "latin1")],
    ["UTF-16 little-endian", utf16],
    ["UTF-16 big-endian", Buffer.from(utf16).swap16()],
    ["JSON", JSON.stringify(piece).slice(1, -1)],
    ["JSON in JSON", JSON.stringify(JSON.stringify(piece)).slice(3, -3)],
    [
      "JSON in ASCII",
      each16((unit) => (unit > 0x7e ? unicode(unit) : JSON.stringify(chr(unit)).slice(1, -1))),
    ],
    ["JSON escapes", each16(unicode)],
    ["percent-encoded", encodeURIComponent(piece)],
    ["percent-encoded twice", encodeURIComponent(encodeURIComponent(piece))],
    [
      "percent-encoded, lower case",
      encodeURIComponent(piece).replaceAll(/%../g, (x) => x.toLowerCase()),
    ],
    ["percent-encoded as in a URL", encodeURI(piece)],
    ["a form", new URLSearchParams({ "": piece }).toString().slice(1)],
    ["HTML", entities(piece, { "'": "&#39;" })],
    ["HTML, hexadecimal quotes", entities(piece, { "'": "&#x27;", '"': "&#34;" })],
    ["HTML entities", [...piece].map((c) => `&#${c.codePointAt(0)};`).join("")],
    [
      "HTML entities, hexadecimal",
      [...piece].map((c) => `&#x${c.codePointAt(0)?.toString(16)};`).join(""),
    ],
    ["an SQL literal", piece.replaceAll("'", "''").replaceAll("\\", "\\\\")],
    ["a literal between backticks", piece.replaceAll("\\", "\\\\").replaceAll("`", "\\`")],
    ["an SQL literal, backslashes as they are", piece.replaceAll("'", "''")],
    [
      "a single-quoted literal",
      JSON.stringify(piece).slice(1, -1).replaceAll("'", "\\'").replaceAll('\\"', '"'),
    ],
  ]
}

/** The characters that the bytes alone decide, whatever stands before and after them. */
function base64(bytes: Buffer, offset: number, encoding: "base64" | "base64url"): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding)
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
}

const each = (bytes: Buffer, write: (byte: number) => string) => [...bytes].map(write).join("")
const chr = (code: number) => String.fromCharCode(code)
const hex = (byte: number) => byte.toString(16).padStart(2, "0")
const octal = (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`
const quoted = (byte: number) => `=${hex(byte).toUpperCase()}`
const unicode = (unit: number) => `\\u${unit.toString(16).padStart(4, "0")}`
const printable = (byte: number) => byte >= 0x20 && byte < 0x7f

function entities(text: string, more: Readonly<Record<string, string>>): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    ...more,
  }
  return text.replaceAll(/[&<>"']/g, (c) => names[c] ?? c)
}
