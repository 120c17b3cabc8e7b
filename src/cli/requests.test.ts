/** What `zygentrust requests` refuses before it looks for a database. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import type { Cli } from "./cli.ts"
import { run } from "./requests.ts"

describe("zygentrust requests refuses", () => {
  for (const [args, message] of [
    [[], /takes one of list, show/],
    [["give"], /has no 'give'/],
    [["toString"], /has no 'toString'/],
    [["list", "x"], /not an option/],
    [["list", "--revoke"], /takes no --revoke/],
    [["show"], /one request's id/],
    [["show", "a", "--all"], /takes no --all/],
    [["approve"], /one request's id/],
    [["approve", "a", "b"], /one request's id/],
    [["approve", "a", "--environment", "prod"], /live or --environment test/],
    [["decline", "a", "--plan", "x"], /takes no --plan/],
    [["relink", "a", "--tenant", "x"], /takes no --tenant/],
  ] as const) {
    it(`requests ${args.join(" ")}`, async () => {
      await assert.rejects(run([...args], {} as Cli), (error: unknown) => {
        assert.ok(error instanceof Problem && error.code === "WRONG_USAGE")
        assert.match(error.message, message)
        return true
      })
    })
  }
})
