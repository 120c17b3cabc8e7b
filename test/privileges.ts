/** `docs/privileges.md`, out of a migrated database. */
import { readCatalog } from "../src/controls/catalog.ts"
import { privilegesDocument } from "../src/controls/privileges-document.ts"
import { asSuperuser, cloneDatabase, sharedServer } from "./postgres-servers.ts"

export async function privilegesMarkdown(): Promise<string> {
  const { server } = await sharedServer(18)
  const clone = await cloneDatabase(server)
  try {
    return privilegesDocument(await asSuperuser(server, clone, readCatalog))
  } finally {
    await asSuperuser(server, "postgres", (client) => client.query(`drop database ${clone}`))
  }
}
