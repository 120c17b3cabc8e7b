/** Sessions that COPY: the driver's pipeline cannot carry one. */
import pg from "pg"
import type { Address, Credentials } from "../db/connection.ts"
import { clientConfig } from "../db/connection.ts"
import { databaseProblem } from "../db/errors.ts"

/** Logs in for one piece of work; a COPY that it leaves is cut off. @throws as `databaseProblem` */
export async function withCopyClient<T>(
  address: Address,
  credentials: Credentials,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...clientConfig(address, credentials), pipeline: false })
  client.on("error", () => {}) // a lost connection fails the query under way as well
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw databaseProblem(error)
  } finally {
    await client.end().catch(() => {})
  }
}
