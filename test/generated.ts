/** The documents that come out of the code; `npm run docs` writes them, a test compares them. */
import { labMarkdown } from "../lab/markdown.ts"
import { configurationMarkdown } from "./configuration.ts"
import { contractDocument } from "./contract/document.ts"
import { privilegesMarkdown } from "./privileges.ts"

/** Path from the checkout → how the document is made. */
export const GENERATED: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/configuration.md": configurationMarkdown,
  "docs/lab.md": labMarkdown,
  "docs/openapi.json": () => `${JSON.stringify(contractDocument(), null, 2)}\n`,
  "docs/privileges.md": privilegesMarkdown,
}
