/**
 * The lives of keys: made, disabled, enabled, expired, re-scoped, bound to addresses, rotated and
 * revoked at random, through the database. Each change goes into the history.
 *
 * Invariant: one key is changed by one operator at a time. A change whose connection was cut is looked
 * up afterwards, behind the row's lock, so that it is known whether it was made.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { newUuid } from "../../src/core/ids.ts"
import { generateKey, readKey } from "../../src/keys/format.ts"
import type { Random } from "../kills/random.ts"
import type { Cluster } from "./cluster.ts"
import type { History, KeyState } from "./history.ts"

export interface Slot {
  readonly tenantId: string
  key: string
  id: string
  state: KeyState
  /** The key before this one, which is revoked. */
  former: string | undefined
}

const UNBORN: KeyState = {
  exists: false,
  revoked: false,
  disabled: false,
  expired: false,
  addressAllowed: true,
  scopes: 3,
}
/** The clock of the database and `performance.now` are read one after the other. */
const CLOCK_MS = 25
const EXPIRES_IN_MS = 60

interface Change {
  readonly weight: number
  readonly name: string
  readonly set: string
  readonly to: Partial<KeyState>
}

const CHANGES: readonly Change[] = [
  { weight: 3, name: "revoked", set: "revoked_at = clock_timestamp()", to: { revoked: true } },
  { weight: 3, name: "rotated", set: "revoked_at = clock_timestamp()", to: { revoked: true } },
  { weight: 3, name: "disabled", set: "disabled_at = clock_timestamp()", to: { disabled: true } },
  { weight: 4, name: "enabled", set: "disabled_at = null", to: { disabled: false } },
  {
    weight: 2,
    name: "expired",
    // One that had expired before was not good until now.
    set: "expires_at = least(expires_at, clock_timestamp())",
    to: { expired: true },
  },
  {
    weight: 2,
    name: "expires soon",
    set: "expires_at = to_timestamp($2)",
    to: { expired: false },
  },
  { weight: 5, name: "does not expire", set: "expires_at = null", to: { expired: false } },
  { weight: 1, name: "for usage alone", set: "scopes = 2", to: { scopes: 2 } },
  { weight: 1, name: "for analyses alone", set: "scopes = 1", to: { scopes: 1 } },
  { weight: 2, name: "for both", set: "scopes = 3", to: { scopes: 3 } },
  {
    weight: 1,
    name: "for elsewhere",
    set: "addresses = '{192.0.2.0/24}'",
    to: { addressAllowed: false },
  },
  {
    weight: 1,
    name: "for here",
    set: "addresses = '{127.0.0.0/8,::1/128}'",
    to: { addressAllowed: true },
  },
  { weight: 2, name: "for anywhere", set: "addresses = null", to: { addressAllowed: true } },
]

/** @returns Slots, each with a key that is not made yet. */
export function newSlots(history: History, tenants: readonly string[], count: number): Slot[] {
  return Array.from({ length: count }, (_, n) => {
    const slot = { tenantId: tenants[n % tenants.length] ?? "", ...unborn(), former: undefined }
    history.begin(slot.key, UNBORN)
    return slot
  })
}

/** Changes the slots' keys until told to stop. */
export async function operate(
  cluster: Cluster,
  history: History,
  random: Random,
  slots: readonly Slot[],
  isOver: () => boolean,
): Promise<void> {
  let client = await cluster.superuser()
  try {
    for (const slot of slots) await make(slot)
    while (!isOver()) {
      const slot = slots[Math.floor(random.next() * slots.length)]
      if (slot !== undefined) await live(slot)
      await sleep(random.next() * 20)
    }
  } finally {
    await client.end().catch(() => {})
  }

  async function live(slot: Slot): Promise<void> {
    if (!slot.state.exists) return make(slot)
    const change = random.pick(CHANGES)
    const state = { ...slot.state, ...change.to }
    if (change.name === "rotated") return rotate(slot, state)
    const began = performance.now()
    const expiry = Date.now() + EXPIRES_IN_MS
    const soon = change.name === "expires soon"
    await sure(
      (on) =>
        on.query(`update live.api_key set ${change.set} where id = $1`, [
          slot.id,
          ...(soon ? [expiry / 1000] : []),
        ]),
      async () => false, // it is done again: that changes nothing
    )
    note(slot, state, began)
    if (soon) await expire(slot, began + EXPIRES_IN_MS)
    if (state.revoked) replace(slot)
  }

  /** By itself, at about `moment`. */
  async function expire(slot: Slot, moment: number): Promise<void> {
    await sleep(Math.max(0, moment + CLOCK_MS - performance.now()))
    slot.state = { ...slot.state, expired: true }
    history.changed(slot.key, slot.state, moment - CLOCK_MS, performance.now())
  }

  async function make(slot: Slot): Promise<void> {
    const began = performance.now()
    await sure(
      (on) => insert(on, slot),
      () => exists(slot.id),
    )
    note(slot, { ...UNBORN, exists: true }, began)
  }

  /** The new key is made and the old one revoked in one transaction. */
  async function rotate(slot: Slot, revoked: KeyState): Promise<void> {
    const next: Slot = { ...slot, ...unborn(), former: slot.key }
    history.begin(next.key, UNBORN)
    const began = performance.now()
    await sure(
      async (on) => {
        await on.query("begin")
        await insert(on, next)
        await on.query("update live.api_key set revoked_at = clock_timestamp() where id = $1", [
          slot.id,
        ])
        await on.query("commit")
      },
      () => exists(next.id),
    )
    note(slot, revoked, began)
    Object.assign(slot, next)
    note(slot, { ...UNBORN, exists: true }, began)
  }

  function note(slot: Slot, state: KeyState, began: number): void {
    history.changed(slot.key, state, began, performance.now())
    slot.state = state
  }

  function replace(slot: Slot): void {
    Object.assign(slot, unborn(), { former: slot.key })
    history.begin(slot.key, UNBORN)
  }

  /** Does it once, whatever happens to the connection. */
  async function sure(
    work: (on: pg.Client) => Promise<unknown>,
    done: () => Promise<boolean>,
  ): Promise<void> {
    for (;;) {
      try {
        await work(client)
        return
      } catch {
        await reconnect()
        if (await done().catch(() => false)) return
      }
    }
  }

  async function reconnect(): Promise<void> {
    for (;;) {
      await client.end().catch(() => {})
      try {
        client = await cluster.superuser()
        // A transaction that was cut may still be committing: it holds this lock until it is over.
        await client.query("begin; lock table live.api_key in share mode; commit")
        return
      } catch {
        await sleep(10)
      }
    }
  }

  async function exists(id: string): Promise<boolean> {
    const { rowCount } = await client.query("select from live.api_key where id = $1", [id])
    return rowCount === 1
  }
}

function unborn(): Pick<Slot, "key" | "id" | "state"> {
  return { key: generateKey("live"), id: newUuid(), state: UNBORN }
}

/** @returns A new key of a tenant. */
export async function issue(client: pg.Client, tenantId: string): Promise<string> {
  const { key, id } = unborn()
  await insert(client, { key, id, tenantId })
  return key
}

function insert(
  client: pg.Client,
  { key, id, tenantId }: Pick<Slot, "key" | "id" | "tenantId">,
): Promise<unknown> {
  const parts = readKey(key)
  return client.query(
    `insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
      values ($1, $2, '', $3, decode($4, 'hex'))`,
    [tenantId, id, parts?.index8, parts?.digest],
  )
}
