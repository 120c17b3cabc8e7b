/** `zygentrust secrets rotate`: a new generation of one secret, while requests flow. */
import type { Config } from "../config.ts"
import { credentials } from "../db/connection.ts"
import { rotatePassword } from "../db/rotate-password.ts"
import type { Server } from "../db/server.ts"
import { openDeployment } from "../db/server.ts"
import { generateAuthority, renewLeaf } from "../edge/authority.ts"
import { generateVerdictKey } from "../engine/attestation.ts"
import { VERDICT_LIFE_MS } from "../rotation.ts"
import { generateRootKey } from "../secrets/keyring.ts"
import { isNeeded } from "../secrets/overlap.ts"
import type { SecretName, SecretStore } from "../secrets/store.ts"
import type { Cli } from "./cli.ts"
import { wrongUsage } from "./cli.ts"
import { openSecrets } from "./open-secrets.ts"
import { recordedOn } from "./secrets-record.ts"

export interface Rotated {
  readonly number: number
  /** What happens next, or is to be done. */
  readonly advice: string
}

/** @param now - Ends the old generation at once. @throws Problem; the old one is good then. */
export async function rotateSecret(cli: Cli, name: SecretName, now: boolean): Promise<Rotated> {
  if (now && name !== "verdict-key" && name !== "authority-key") {
    throw wrongUsage("--now is for verdict-key and authority-key, whose old generation stays good")
  }
  if (name === "superuser-password" && cli.config.databaseUrl !== undefined) {
    throw wrongUsage(
      "superuser-password is the embedded database's, which ZT_DATABASE_URL replaces",
    )
  }
  if (name === "leaf-key" && cli.config.tlsCertFile !== undefined) {
    throw wrongUsage("leaf-key is the local authority's, which ZT_TLS_CERT_FILE replaces")
  }
  const secrets = openSecrets(cli.config, cli.signal)
  const server = await openDeployment(cli.config, secrets)
  try {
    return await recordedOn(server, { action: "secret.rotated", subject: name }, () =>
      rotateOne(cli.config, secrets, server, name, now),
    )
  } finally {
    await server.close()
  }
}

async function rotateOne(
  config: Config,
  secrets: SecretStore,
  server: Server,
  name: SecretName,
  now: boolean,
): Promise<Rotated> {
  switch (name) {
    case "root-key":
      return {
        number: await secrets.rotate(name, generateRootKey()),
        advice:
          "New rows are sealed with it from now on. Run 'zygentrust secrets reseal' for the others.",
      }
    case "verdict-key": {
      const value = await generateVerdictKey()
      if (now)
        return replace(secrets, name, value, "Verdicts that the old one signed verify no more.")
      const number = await secrets.rotate(name, value)
      await retireVerdictKeys(secrets)
      return {
        number,
        advice:
          "It is published now, and signs in an hour; the old one stays published while its verdicts are good.",
      }
    }
    case "authority-key": {
      const value = await generateAuthority(config.host, new Date())
      if (now) {
        return replace(
          secrets,
          name,
          value,
          "Clients must trust the new authority.pem from now on.",
        )
      }
      const number = await secrets.rotate(name, value)
      const all = await secrets.generations(name)
      for (const { number: old } of all.slice(2)) await secrets.retire(name, old)
      return {
        number,
        advice:
          "authority.pem holds both now: give it to clients. The new one signs when the certificate is renewed.",
      }
    }
    case "leaf-key": {
      const before = (await secrets.generations(name))[0]?.number ?? 0
      await renewLeaf(config, secrets)
      const number = (await secrets.generations(name))[0]?.number ?? before
      return { number, advice: "A new certificate with it is in use for new connections." }
    }
    case "superuser-password": {
      if (server.superuser === undefined) throw wrongUsage(`${name} is the embedded database's`)
      return password(await rotatePassword(server.address, server.superuser, secrets, name))
    }
    default: {
      const login = await credentials(secrets, LOGIN_OF[name])
      return password(await rotatePassword(server.address, login, secrets, name))
    }
  }
}

const LOGIN_OF = {
  "zt_migrate-password": "zt_migrate",
  "zt_runtime-password": "zt_runtime",
  "zt_admin-password": "zt_admin",
  "zt_backup-password": "zt_backup",
} as const

function password(number: number): Rotated {
  return { number, advice: "The database takes it alone from now on; who is logged in stays." }
}

async function replace(
  secrets: SecretStore,
  name: SecretName,
  value: string,
  advice: string,
): Promise<Rotated> {
  await secrets.set(name, value)
  return { number: (await secrets.generations(name))[0]?.number ?? 0, advice }
}

/** Those whose verdicts have all expired. */
async function retireVerdictKeys(secrets: SecretStore): Promise<void> {
  const all = await secrets.generations("verdict-key")
  for (const one of all) {
    if (!isNeeded(one, all, VERDICT_LIFE_MS, Date.now())) {
      await secrets.retire("verdict-key", one.number)
    }
  }
}
