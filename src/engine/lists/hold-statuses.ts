/** RDAP status values (RFC 8056) of a name that its registry or registrar took out of the DNS. */
export const HOLD_STATUSES = {
  version: "2026-11-24",
  statuses: [
    "client hold",
    "server hold",
    "redemption period",
    "pending delete",
    "pending restore",
  ] as readonly string[],
}
