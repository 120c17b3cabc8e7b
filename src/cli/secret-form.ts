/** What each secret must look like, for whoever sets or checks one. */
import { createPrivateKey, X509Certificate } from "node:crypto"
import { createAttestor } from "../engine/attestation.ts"
import { isRootKey } from "../secrets/keyring.ts"
import type { SecretName } from "../secrets/store.ts"

/** Never throws: what is thrown may quote the secret. */
export async function hasForm(name: SecretName, text: string): Promise<boolean> {
  try {
    switch (name) {
      case "verdict-key":
        await createAttestor(text)
        return true
      case "authority-key": {
        const { key, certificate } = JSON.parse(text)
        return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
      }
      case "leaf-key":
        return createPrivateKey(text).type === "private"
      case "root-key":
        return isRootKey(text)
      default:
        return /^[!-~]+$/.test(text)
    }
  } catch {
    return false
  }
}
