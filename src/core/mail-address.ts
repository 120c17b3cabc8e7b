/** What counts as a mail address: one, in ASCII, without a display name. */

/** Local part as in the HTML standard's `valid e-mail address`; a host name after it. */
const ADDRESS =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** Octets, of a forward-path without its angle brackets (RFC 5321 §4.5.3.1.3). */
const MAX_LENGTH = 254

/** @returns Whether mail can be addressed to it; nothing in it can end a header or add an address. */
export function isMailAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && ADDRESS.test(text)
}
