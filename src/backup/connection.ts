/** Sessions that COPY: the driver's pipeline cannot carry one. */
import type pg from "pg"
import type { Address, Credentials } from "../db/connection.ts"
import { logIn } from "../db/connection.ts"
import { databaseProblem } from "../db/errors.ts"

/** Logs in for one piece of work; a COPY that it leaves is cut off. @throws as `databaseProblem` */
export async function withCopyClient<T>(
  address: Address,
  credentials: Credentials,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  let client: pg.Client | undefined
  try {
    client = await logIn(address, credentials, { pipeline: false })
    return await work(client)
  } catch (error) {
    throw databaseProblem(error)
  } finally {
    await client?.end().catch(() => {})
  }
}
