/** The TLS policy (T1): 1.3, 1.2 as the floor, forward-secret AEAD suites only. */
import { constants } from "node:crypto"
import type { TlsOptions } from "node:tls"

// Both kinds of certificate: the local authority's are ECDSA, an operator's may be RSA.
const SUITES = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
]

/**
 * The server's order of suites counts, except that a client which puts ChaCha20 first (it has no
 * AES in hardware) gets it. Renegotiation is refused; compression and early data are off in Node.
 */
export const TLS_POLICY = Object.freeze({
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: SUITES.join(":"),
  ecdhCurve: "X25519MLKEM768:X25519:P-256:P-384",
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
} as const satisfies TlsOptions)
