/**
 * /v1/keys: keys that see and manage their tenant's keys, of their own environment. Costs nothing.
 * All but `me` need the scope `keys:write`. Another tenant's id is as unknown as nobody's.
 */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import { newUuid } from "../../core/ids.ts"
import type { Tx } from "../../db/database.ts"
import type { Attempt } from "../../keys/once.ts"
import { madeBefore } from "../../keys/once.ts"
import type { Own } from "../../keys/own.ts"
import {
  changeOwn,
  issueOwn,
  madeKey,
  ownersKey,
  ownersKeys,
  ownKey,
  revokeOwn,
  rotateOwn,
} from "../../keys/own.ts"
import {
  IdempotencyHeaders,
  IssueBody,
  Key,
  KeyList,
  KeyParams,
  KeysQuery,
  NewKey,
  NoBody,
  NoQuery,
  RenameBody,
  RevokedKey,
  RotateBody,
  RotatedKey,
  UsedKey,
} from "../contract-keys.ts"
import { cursorAfter, readCursor } from "../cursor.ts"
import { metered } from "../metered.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, KEYED, refusals } from "../refusals.ts"

const PAGE = 50
const FIRST = "00000000-0000-0000-0000-000000000000"
const SENT = ["TOO_LARGE", "UNSUPPORTED_TYPE"] as const
const tags = ["Account"]
const json = <T>(schema: T) => ({
  required: true,
  content: { "application/json": { schema } },
})

const me = createRoute({
  method: "get",
  path: "/v1/keys/me",
  operationId: "getOwnKey",
  tags,
  summary: "The key that asks",
  description: "Its name, bounds and end. Any key may ask.",
  request: { query: NoQuery },
  responses: { 200: answer("The key.", Key), ...refusals(...KEYED) },
})

const list = createRoute({
  method: "get",
  path: "/v1/keys",
  operationId: "listKeys",
  tags,
  summary: "Your keys",
  description: "Those of the asking key's environment, in the order of their issue.",
  request: { query: KeysQuery },
  responses: { 200: answer("Some of them.", KeyList), ...refusals(...KEYED) },
})

const issue = createRoute({
  method: "post",
  path: "/v1/keys",
  operationId: "issueKey",
  tags,
  summary: "Issue a key",
  description:
    "A subset of the key that asks: its scopes, addresses, end and environment. It is shown this once.",
  request: { headers: IdempotencyHeaders, body: json(IssueBody) },
  responses: {
    201: answer("The key.", NewKey),
    ...refusals(...KEYED, ...SENT, "CONFLICT", "IDEMPOTENCY_MISMATCH"),
  },
})

const get = createRoute({
  method: "get",
  path: "/v1/keys/{id}",
  operationId: "getKey",
  tags,
  summary: "One key",
  description: "All of it but the key itself, and when it was last used.",
  request: { params: KeyParams },
  responses: { 200: answer("The key.", UsedKey), ...refusals(...KEYED, "NOT_FOUND") },
})

const rename = createRoute({
  method: "patch",
  path: "/v1/keys/{id}",
  operationId: "renameKey",
  tags,
  summary: "Rename a key",
  description: "What a key may do stays as it was issued.",
  request: { params: KeyParams, body: json(RenameBody) },
  responses: {
    200: answer("The key.", Key),
    ...refusals(...KEYED, ...SENT, "NOT_FOUND", "CONFLICT"),
  },
})

const rotate = createRoute({
  method: "post",
  path: "/v1/keys/{id}/rotate",
  operationId: "rotateKey",
  tags,
  summary: "Rotate a key",
  description:
    "A new key in its place, with the same bounds, shown this once. The old one ends at once, or after an overlap. A key that rotates itself does well to ask for one: the answer can get lost.",
  request: { params: KeyParams, headers: IdempotencyHeaders, body: json(RotateBody) },
  responses: {
    201: answer("The new key, and the old one's end.", RotatedKey),
    ...refusals(...KEYED, ...SENT, "NOT_FOUND", "CONFLICT", "IDEMPOTENCY_MISMATCH"),
  },
})

const switching = (action: "disable" | "enable", summary: string, description: string) =>
  createRoute({
    method: "post",
    path: `/v1/keys/{id}/${action}`,
    operationId: `${action}Key`,
    tags,
    summary,
    description,
    request: { params: KeyParams },
    responses: {
      200: answer("The key.", Key),
      ...refusals(...KEYED, ...SENT, "NOT_FOUND", "CONFLICT"),
    },
  })

const disable = switching("disable", "Disable a key", "It is refused until it is enabled.")
const enable = switching(
  "enable",
  "Enable a key",
  "It is served again. What an operator disabled, an operator enables.",
)

const revoke = createRoute({
  method: "post",
  path: "/v1/keys/{id}/revoke",
  operationId: "revokeKey",
  tags,
  summary: "Revoke a key",
  description: "For good; again is harmless. No request that begins afterwards is served.",
  request: { params: KeyParams },
  responses: {
    200: answer("Its end, and which keys it had issued.", RevokedKey),
    ...refusals(...KEYED, ...SENT, "NOT_FOUND"),
  },
})

interface Asker extends Own {
  /** What stands in the path. */
  readonly id: string
}

export function keyRoutes(parts: Parts): OpenAPIHono<AppEnv> {
  const { keyring } = parts
  const app = new OpenAPIHono<AppEnv>()
  const routes = [me, list, issue, get, rename, rotate, disable, enable, revoke]
  for (const route of routes) app.openAPIRegistry.registerPath(route)

  /** One transaction of the tenant's; what it returns is the answer. */
  const within = async (asker: Asker, status: 200 | 201, work: (tx: Tx) => Promise<object>) => {
    const body = await parts.database.asTenant(asker.environment, asker.tenantId, work)
    return { body: JSON.stringify(body), cacheHit: false, status }
  }
  /** What makes a key: once, however often it is asked for under one name. */
  const once = (
    asker: Asker,
    attempt: Attempt | undefined,
    make: (tx: Tx, uuid: string) => Promise<object>,
  ) =>
    within(asker, 201, async (tx) => {
      const uuid = newUuid()
      const before = attempt && (await madeBefore(tx, asker, attempt, uuid))
      if (before === undefined) return make(tx, uuid)
      return { ...(await madeKey(tx, keyring, asker, before)), secret_shown: true }
    })
  /** A route that takes an id and nothing else. */
  const simple = (
    route: "GET /v1/keys/{id}" | `POST /v1/keys/{id}/${"disable" | "enable" | "revoke"}`,
    work: (tx: Tx, asker: Asker) => Promise<object>,
  ) =>
    metered(parts, {
      route,
      query: NoQuery,
      ...(route.startsWith("POST") && { body: NoBody }),
      work: (_, asker) => within(asker, 200, (tx) => work(tx, asker)),
    })

  app.get(
    me.getRoutingPath(),
    metered(parts, {
      route: "GET /v1/keys/me",
      query: NoQuery,
      work: (_, asker) => within(asker, 200, (tx) => ownKey(tx, keyring, asker)),
    }),
  )
  app.get(
    list.getRoutingPath(),
    metered(parts, {
      route: "GET /v1/keys",
      query: KeysQuery,
      work: ({ limit, cursor }, asker) =>
        within(asker, 200, async (tx) => {
          const count = limit === undefined ? PAGE : Number(limit)
          const found = await ownersKeys(tx, keyring, asker, readCursor(cursor) ?? FIRST, count + 1)
          const keys = found.slice(0, count)
          const last = found.length > count ? keys.at(-1) : undefined
          return { keys, next_cursor: last === undefined ? null : cursorAfter("key", last.id) }
        }),
    }),
  )
  app.post(
    issue.getRoutingPath(),
    metered(parts, {
      route: "POST /v1/keys",
      query: NoQuery,
      body: IssueBody,
      work: (_, asker, { body, attempt }) =>
        once(asker, attempt, (tx, uuid) => issueOwn(tx, keyring, asker, body, uuid)),
    }),
  )
  app.get(
    get.getRoutingPath(),
    simple("GET /v1/keys/{id}", (tx, asker) => ownersKey(tx, keyring, asker, asker.id)),
  )
  app.patch(
    rename.getRoutingPath(),
    metered(parts, {
      route: "PATCH /v1/keys/{id}",
      query: NoQuery,
      body: RenameBody,
      work: (_, asker, { body }) =>
        within(asker, 200, (tx) => changeOwn(tx, keyring, asker, asker.id, body)),
    }),
  )
  app.post(
    rotate.getRoutingPath(),
    metered(parts, {
      route: "POST /v1/keys/{id}/rotate",
      query: NoQuery,
      body: RotateBody,
      work: (_, asker, { body: { overlap_seconds = 0 }, attempt }) =>
        once(asker, attempt, (tx, uuid) =>
          rotateOwn(tx, keyring, asker, asker.id, overlap_seconds, uuid),
        ),
    }),
  )
  for (const [action, route] of [
    ["disable", disable],
    ["enable", enable],
  ] as const) {
    app.post(
      route.getRoutingPath(),
      simple(`POST /v1/keys/{id}/${action}`, (tx, asker) =>
        changeOwn(tx, keyring, asker, asker.id, action),
      ),
    )
  }
  app.post(
    revoke.getRoutingPath(),
    simple("POST /v1/keys/{id}/revoke", (tx, asker) => revokeOwn(tx, asker, asker.id)),
  )
  return app
}
