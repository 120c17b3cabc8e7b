/** Loaded into the program by NODE_OPTIONS: on SIGUSR2 throws or prints a secret, in every part. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const folder = process.env["TMPDIR"] ?? ""

process.on("SIGUSR2", () => {
  const order = join(folder, `order-${process.pid}.json`)
  const { how, secret } = JSON.parse(readFileSync(order, "utf8")) as { how: string; secret: string }
  writeFileSync(order, "")
  const cause = Object.assign(new Error(`the cause says ${secret}`), { detail: secret, secret })
  const error = Object.assign(new TypeError(`${secret} broke`, { cause }), { query: secret })
  if (how === "thrown") throw error
  if (how === "rejected") void Promise.reject(error)
  if (how === "rejected with a text") void Promise.reject(secret)
  if (how === "printed") {
    console.log(secret)
    console.error(error)
  }
  if (how === "warned") process.emitWarning(secret, secret)
})
