/** What a key may be used for. Bits lie in the database: add, never reuse. */
export const SCOPES = {
  analyze: 1,
  "usage:read": 2,
  "keys:write": 4,
} as const
