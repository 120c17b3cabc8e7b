/** The OpenAPI document without a server behind it: only the shapes of the routes are asked. */
import { LRUCache } from "lru-cache"
import manifest from "../../package.json" with { type: "json" }
import { createApp } from "../../src/http/app.ts"
import type { OpenAPIDocument } from "../../src/http/openapi-document.ts"
import { openapiDocument } from "../../src/http/openapi-document.ts"
import type { Parts } from "../../src/http/parts.ts"

/** The application, good for its routes and its document; a request to a route with work fails. */
export function bareApp(origin: string) {
  return createApp({ version: manifest.version, origin } as Parts, new LRUCache({ max: 1 }))
}

/** @param origin - Where the deployment would be; by default where `npm start` serves. */
export function contractDocument(origin = "https://localhost:8443"): OpenAPIDocument {
  return openapiDocument(bareApp(origin), { version: manifest.version, origin })
}
