/** Reads an answer as the contract has it, and nothing beyond it. */
import assert from "node:assert/strict"
import type { z } from "@hono/zod-openapi"

/** @throws AssertionError or ZodError where a field is missing, wrong or not in the contract. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.parse(answer)
  assert.deepEqual(answer, read, "a field that the contract does not have")
  return read
}
