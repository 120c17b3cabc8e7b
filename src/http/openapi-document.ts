/** The OpenAPI 3.1 document of the application. */
import type { OpenAPIHono } from "@hono/zod-openapi"
import type { AppEnv } from "./parts.ts"

const DESCRIPTION = `Ask whether a domain can be trusted. The answer is a deterministic score from
public evidence alone, and every point of it is explained.

Send a key as \`Authorization: Bearer <key>\` or as \`x-api-key: <key>\`; never in the address.
Keys that begin with \`zt_test_\` get fixed answers and touch nothing live.`

export type OpenAPIDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>

/** @returns The document of an application. */
export function openapiDocument(
  app: OpenAPIHono<AppEnv>,
  { version, origin }: { version: string; origin: string },
): OpenAPIDocument {
  const registry = app.openAPIRegistry
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "`Authorization: Bearer <key>` (RFC 6750 §2.1).",
  })
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description:
      "`x-api-key: <key>`, the same key for clients that keep `Authorization` for other things.",
  })
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "ZygenTrust",
      version,
      description: DESCRIPTION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: origin }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [
      { name: "Analyse", description: "Ask whether a domain can be trusted." },
      {
        name: "Account",
        description: "What is yours: a key sees its own tenant, and nothing else.",
      },
      { name: "Access", description: "Ask for a key, without having one." },
      { name: "Health", description: "How the deployment is. Open to all, nothing of any tenant." },
      { name: "Contract", description: "What this page is made from." },
    ],
  })
}
