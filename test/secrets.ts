/** Does to a data folder's secrets what the program never does. */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Decrypter, Encrypter } from "age-encryption"
import { fileSecrets } from "../src/secrets/files.ts"

/** What `secrets.age` holds (src/secrets/document.ts). */
export interface SecretsDocument {
  format: string
  secrets: Record<string, unknown>
}

/** @returns The store's text in clear. */
export async function openedSecrets(dataDir: string): Promise<string> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(await fileSecrets(dataDir).identity())
  return decrypter.decrypt(await readFile(join(dataDir, "secrets.age")), "text")
}

/** Changes the document by hand, as someone with the identity could. */
export async function editSecrets(
  dataDir: string,
  edit: (document: SecretsDocument) => void,
): Promise<void> {
  const document: SecretsDocument = JSON.parse(await openedSecrets(dataDir))
  edit(document)
  const encrypter = new Encrypter()
  encrypter.addRecipient(await fileSecrets(dataDir).recipient())
  await writeFile(join(dataDir, "secrets.age"), await encrypter.encrypt(JSON.stringify(document)))
}

/** Leaves out secrets as if they had never been made. */
export function forgetSecrets(dataDir: string, ...names: readonly string[]): Promise<void> {
  return editSecrets(dataDir, ({ secrets }) => {
    for (const name of names) delete secrets[name]
  })
}
