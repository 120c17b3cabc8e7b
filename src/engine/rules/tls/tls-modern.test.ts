import { judges, tls } from "../../../../test/observation.ts"
import { tlsModern } from "./tls-modern.ts"

const speaks = (protocol: string, cipher: string) =>
  tls((t) => Object.assign(t, { protocol, cipher }))

judges(tlsModern, [
  ["1.3", () => {}, true, "TLSv1.3, TLS_AES_128_GCM_SHA256"],
  ["1.2 with forward secrecy and AEAD", speaks("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"), true],
  ["1.2 with ChaCha20", speaks("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"), true],
  ["1.2 with CBC", speaks("TLSv1.2", "ECDHE-RSA-AES128-SHA256"), false],
  ["1.2 without forward secrecy", speaks("TLSv1.2", "AES128-GCM-SHA256"), false],
  ["1.1", speaks("TLSv1.1", "ECDHE-RSA-AES128-SHA"), false],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "tls_failed" }
    },
    "tls_failed",
  ],
])
