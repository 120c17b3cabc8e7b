/** `zygentrust secrets export-recovery`: the identity under a passphrase, to be kept elsewhere. */
import { open } from "node:fs/promises"
import { resolve } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Cli } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { canAsk, readHidden } from "./hidden-input.ts"
import { recorded } from "./secrets-record.ts"

const MIN_CHARACTERS = 12

/**
 * @param file - Where to; it must not be there yet.
 * @returns The file's text, an armored age file.
 * @throws Problem `WRONG_USAGE` for a passphrase that is short or not typed twice alike.
 */
export async function writeRecovery(
  cli: Cli,
  secrets: SecretStore,
  file: string | undefined,
): Promise<string> {
  const [identity, recipient] = [await secrets.identity(), await secrets.recipient()]
  const passphrase = await readHidden(cli, "Passphrase for the recovery file: ")
  if (passphrase.length < MIN_CHARACTERS) {
    throw wrongUsage(
      `the passphrase has fewer than ${MIN_CHARACTERS} characters: whoever finds the file may try as often as they like`,
    )
  }
  if (canAsk() && (await readHidden(cli, "The same again: ")) !== passphrase) {
    throw wrongUsage("the two passphrases differ")
  }
  const text = await encrypted(`# public key: ${recipient}\n${identity}\n`, passphrase)
  const what = { action: "secret.exported", subject: "identity" } as const
  await recorded(cli, secrets, what, async () => {
    if (file !== undefined) await writeNew(resolve(file), text)
  })
  return text
}

async function encrypted(plain: string, passphrase: string): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption")
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  return armor.encode(await encrypter.encrypt(plain))
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await using handle = await open(path, "wx", 0o600)
    await handle.writeFile(text)
    await handle.sync()
  } catch (cause) {
    const message =
      codeOf(cause) === "EEXIST"
        ? `${path} is there already, and is not overwritten: name another file.`
        : `${path} cannot be written: ${messageOf(cause)}`
    throw new Problem("DATA_FOLDER", { message, cause })
  }
}
