/** Organisations that a page describes in JSON-LD (schema.org). Never throws. */
import type { Page } from "../types.ts"
import { plainText } from "./text.ts"

type Organisation = Page["organisations"][number]

const MAX_NODES = 500
const MAX_LENGTH = 300

/** Organization, and the ends of its subtypes' names: LocalBusiness, OnlineStore, Corporation… */
const ORGANISATION =
  /(Organization|Business|Corporation|Store|NGO|Airline|Consortium|Cooperative|Project|Service|School|University|Hospital|Clinic|Hotel|Restaurant|CreditUnion|Agency|Dealer)$/
const IDENTIFIERS = ["leiCode", "vatID", "taxID", "iso6523Code", "duns", "identifier"]

/** @param json - The text of one `application/ld+json` script. */
export function organisationsIn(json: string): Organisation[] {
  let document: unknown
  try {
    document = JSON.parse(json)
  } catch {
    return []
  }
  const found: Organisation[] = []
  const waiting: unknown[] = [document]
  for (let seen = 0; seen < MAX_NODES && waiting.length > 0; seen++) {
    const node = waiting.shift()
    if (typeof node !== "object" || node === null) continue
    if (isOrganisation(node)) found.push(organisationOf(node))
    const children = Object.values(node).filter((child) => typeof child === "object")
    waiting.push(...children.slice(0, MAX_NODES))
  }
  return found
}

function isOrganisation(node: object): boolean {
  const type: unknown = "@type" in node ? node["@type"] : undefined
  const types: unknown[] = Array.isArray(type) ? type : [type]
  return types.some((name) => typeof name === "string" && ORGANISATION.test(name))
}

function organisationOf(node: object): Organisation {
  const entries: Readonly<Record<string, unknown>> = { ...node }
  const name = textOf(entries["legalName"]) ?? textOf(entries["name"])
  const url = textOf(entries["url"])
  const identifier = IDENTIFIERS.map((key) => textOf(entries[key])).find(Boolean)
  return {
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url }),
    ...(identifier === undefined ? {} : { identifier }),
  }
}

/** @returns A string, or the value of a schema.org PropertyValue. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "object" && value !== null && "value" in value) return textOf(value.value)
  if (typeof value !== "string") return undefined
  return plainText(value, MAX_LENGTH) || undefined
}
