/** Passwords of database roles, and what PostgreSQL keeps of them. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"

const ITERATIONS = 4096
const SALT_BYTES = 16

/** @returns 256 bits as text. */
export function randomPassword(): string {
  return randomBytes(32).toString("base64url")
}

/**
 * Made here, so that no password is ever sent in clear or logged (RFC 5803).
 * @param password - ASCII, so that SASLprep changes nothing.
 * @returns `SCRAM-SHA-256$…`
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(SALT_BYTES)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256")
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest()
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64")
  const server = hmac("Server Key").toString("base64")
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${server}`
}
