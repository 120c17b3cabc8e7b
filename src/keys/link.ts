/**
 * The one-time link that shows a key: its token, and the mail that carries it.
 *
 * Invariants: of a token, the database has the SHA-256 alone; in the link it stands behind `#`, which
 * browsers send to nobody, so that no log, no Referer and no scanner's GET has it or uses it up. The
 * mail holds nothing that an applicant wrote: they may have named somebody else's address.
 */
import { hash, randomBytes } from "node:crypto"

export const LINK_HOURS = 72
/** Where links lead to. */
export const CLAIM_PATH = "/claim-a-key"

const TOKEN = /zt_link_[0-9a-f]{64}(?![0-9a-z])/
const TOKEN_BYTES = 32

export interface Link {
  readonly token: string
  /** What the database keeps of it. */
  readonly digest: Buffer
}

export interface LinkMail {
  readonly subject: string
  readonly text: string
}

/** @returns A new link, of 256 random bits. */
export function newLink(): Link {
  const token = `zt_link_${randomBytes(TOKEN_BYTES).toString("hex")}`
  return { token, digest: linkDigest(token) }
}

/** @returns The token in a text, such as a whole link that was pasted; undefined where none is. */
export function findToken(text: string): string | undefined {
  return TOKEN.exec(text)?.[0]
}

export function linkDigest(token: string): Buffer {
  return hash("sha256", token, "buffer")
}

/** @param origin - `https://host:port` of this deployment. */
export function linkMail(origin: string, token: string, endsAt: Date): LinkMail {
  const { host } = new URL(origin)
  const end = endsAt.toISOString().slice(0, 16).replace("T", " ")
  return {
    subject: `Your API key for ${host}`,
    text: `An API key for ${host} was asked for with this address, and granted.
This link shows it, once:

${origin}${CLAIM_PATH}#${token}

It works until ${end} UTC. The key is made when you press the
button there, so that nobody has it before you. Keep it where secrets are
kept: it is not shown again.

If the page does not know the link, paste the whole line above into its
field. If you did not ask for a key, do nothing, and none is made.
`,
  }
}
