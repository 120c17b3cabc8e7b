/** How legal entities are told by number in an imprint: label, then number. */
export const LEGAL_IDENTIFIERS = {
  version: "2026-11-24",
  patterns: [
    /\bHR[AB]\s?(?:Nr\.?\s?)?\d{2,6}\b/, // Germany, commercial register
    /\b(?:USt-?Id(?:Nr)?\.?|VAT(?: (?:number|no\.?|ID|reg(?:istration)?(?: (?:number|no\.?))?))?|TVA(?: intracommunautaire)?|P(?:artita|\.)\s?IVA|CIF|NIF|BTW(?:-nummer)?|UID)\s?:?\s?[A-Z]{0,3}[\s.-]?\d[\d .-]{6,14}/i,
    /\b(?:compan(?:y|ies house)(?: registration)? (?:number|no\.?)|registered (?:number|no\.?)|registration (?:number|no\.?))\s?:?\s?[A-Z]{0,2}\d{6,10}\b/i,
    /\bSIRE[NT]\s?:?\s?\d{3}\s?\d{3}\s?\d{3}/i, // France
    /\b(?:KvK|IČO|ICO|KRS|NIP|CNPJ|ABN|ACN|CIN|CHE)(?:-nummer)?\s?[:-]?\s?\d[\d .\-/]{5,17}/i,
    /\bLEI\s?:?\s?[A-Z0-9]{18}\d{2}\b/, // ISO 17442
    /\bD-?U-?N-?S\s?:?\s?\d{2}-?\d{3}-?\d{4}\b/i,
  ] as readonly RegExp[],
}
