/** `npm run docs`: writes the documents that come out of the code. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { GENERATED } from "./generated.ts"
import { closeServers } from "./postgres-servers.ts"

for (const [path, make] of Object.entries(GENERATED)) {
  writeFileSync(join(import.meta.dirname, "..", path), await make())
  console.log(path)
}
await closeServers()
