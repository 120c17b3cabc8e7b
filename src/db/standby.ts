/**
 * What a failover would lose: whether a standby confirms each commit, follows behind, or is not there.
 *
 * Owns: the question and its words. Settings say what a commit waits for, so they alone decide on
 * "synchronous"; of connections to standbys only their number is seen (docs/privileges.md), a base backup
 * under way among them. What a managed service copies below PostgreSQL cannot be seen from here.
 */

export type Standby =
  /** Each commit is on a standby before it is acknowledged. */
  | "synchronous"
  /** A standby follows, and may lack what was acknowledged last. */
  | "asynchronous"
  /** Commits wait for a standby, and none is connected. */
  | "missing"
  | "none"
  /** Not even this server has written what it acknowledged. */
  | "volatile"

/** As `zt_health` or `zt_migrate`, on the server that takes writes. */
export const STANDBY = `
  select current_setting('synchronous_standby_names') <> '' as named,
    current_setting('synchronous_commit') as commits,
    (select count(*)::integer from pg_catalog.pg_stat_get_wal_senders()) as senders`

export interface StandbyRow {
  readonly named: boolean
  /** PostgreSQL's `synchronous_commit`. */
  readonly commits: string
  /** Connections that take the write-ahead log. */
  readonly senders: number
}

export function standbyOf({ named, commits, senders }: StandbyRow): Standby {
  if (commits === "off") return "volatile"
  if (named && commits !== "local") return senders > 0 ? "synchronous" : "missing"
  return senders > 0 ? "asynchronous" : "none"
}

/** What is so, and what to do where somebody should. */
export const STANDBY_WORDS: Readonly<
  Record<Standby, { readonly message: string; readonly advice?: string }>
> = {
  synchronous: {
    message: "a synchronous standby: a failover to it loses nothing that was acknowledged",
  },
  asynchronous: {
    message:
      "an asynchronous standby: a failover to it can lose what was acknowledged last, so a revoked key may work again",
    advice:
      "Name it in synchronous_standby_names, and leave synchronous_commit on; or check keys, plans and usage after each failover.",
  },
  missing: {
    message: "its synchronous standby is away: what writes waits, and requests get 503",
    advice:
      "Bring the standby back. To go on without it, empty synchronous_standby_names and reload: until it is back, a failover can then lose what was acknowledged.",
  },
  none: { message: "no standby is seen" },
  volatile: {
    message:
      "synchronous_commit is off: a crash of the database alone loses what was acknowledged last, so a revoked key may work again",
    advice: "Set synchronous_commit to on for this database and its roles.",
  },
}
