/** Every character of the lab, in the order of its table. */
import type { Character } from "../character.ts"
import { certificates } from "./certificates.ts"
import { dnsTrouble } from "./dns-trouble.ts"
import { handshakes } from "./handshakes.ts"
import { hostile } from "./hostile.ts"
import { impostors } from "./impostors.ts"
import { mail } from "./mail.ts"
import { redirects } from "./redirects.ts"
import { sites } from "./sites.ts"
import { trusted } from "./trusted.ts"
import { young } from "./young.ts"

export const GROUPS = {
  "Deserving trust": trusted,
  "Registration decides": young,
  Impostors: impostors,
  Certificates: certificates,
  Handshakes: handshakes,
  Redirects: redirects,
  "Hostile servers": hostile,
  "Sites in trouble": sites,
  "Names in trouble": dnsTrouble,
  Mail: mail,
} as const satisfies Record<string, readonly Character[]>

export const CHARACTERS: readonly Character[] = Object.values(GROUPS).flat()
