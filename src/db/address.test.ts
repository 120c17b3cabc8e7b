import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import { readAdministratorUrl, readDatabaseUrl } from "./address.ts"

describe("ZT_DATABASE_URL", () => {
  for (const [text, database, url] of [
    ["postgresql://db.example/zt", "zt", "postgresql://db.example/other"],
    [
      "postgres://db.example:6432/zt?sslmode=verify-full",
      "zt",
      "postgres://db.example:6432/other?sslmode=verify-full",
    ],
    ["postgresql:///zt?host=/run/postgresql", "zt", "postgresql:///other?host=%2Frun%2Fpostgresql"],
    ["postgresql://[2001:db8::1]/a%20b", "a b", "postgresql://[2001:db8::1]/other"],
  ] as const) {
    it(`reads ${text}`, () => {
      const own = readDatabaseUrl(text)
      assert.equal(own.database, database)
      assert.deepEqual(own.address("other"), { url })
    })
  }

  for (const [text, url, others] of [
    [
      "postgresql://a.example:5433,b.example/zt?sslmode=verify-full&target_session_attrs=read-write",
      "postgresql://a.example:5433/other?sslmode=verify-full",
      ["postgresql://b.example/other?sslmode=verify-full"],
    ],
    [
      "postgresql://10.0.0.1,[2001:db8::1]:5433,c/zt",
      "postgresql://10.0.0.1/other",
      ["postgresql://[2001:db8::1]:5433/other", "postgresql://c/other"],
    ],
    ["postgresql://one.example/zt?target_session_attrs=primary", "postgresql://one.example/other"],
  ] as const) {
    it(`reads the hosts of ${text}`, () => {
      const address = readDatabaseUrl(text).address("other")
      assert.deepEqual(address, others === undefined ? { url } : { url, others })
    })
  }

  for (const [text, because] of [
    ["postgresql://a.example,/zt", "has a comma without a host beside it"],
    ["postgresql://app:secret@a.example,b.example/zt", "holds a user or a password"],
    ["postgresql://a.example,b.example:port/zt", "is not a postgresql:// address"],
    ["postgresql://a,b/zt?target_session_attrs=standby", "asks for target_session_attrs"],
    ["postgresql://app@db.example/zt", "holds a user"],
    ["postgresql://:secret@db.example/zt", "holds a user or a password"],
    ["postgresql://db.example/zt?password=secret", "holds a user or a password"],
    ["postgresql://db.example", "names no database"],
    ["postgresql://db.example/", "names no database"],
    ["postgresql://db.example:port/zt", "is not a postgresql:// address"],
    ["postgresql://db.example/secret%zz", "holds a % that encodes nothing"],
    ["postgresql://u:pw%zz@db.example/zt", "holds a % that encodes nothing"],
  ] as const) {
    it(`refuses ${text}: ${because}`, () => {
      assert.throws(
        () => readDatabaseUrl(text),
        (error) => {
          assert.ok(error instanceof Problem && error.code === "INVALID_SETTING")
          assert.match(error.message, new RegExp(`^ZT_DATABASE_URL ${because}`))
          assert.doesNotMatch(error.message, /secret/)
          return true
        },
      )
    })
  }
})

describe("ZT_ADMIN_DATABASE_URL", () => {
  it("takes user and password out of the address", () => {
    const { credentials, database, address } = readAdministratorUrl(
      "postgresql://ad%40min:p%3Aw@db.example/postgres",
    )
    assert.deepEqual(credentials, { user: "ad@min", password: "p:w" })
    assert.equal(database, "postgres")
    assert.deepEqual(address("zt"), { url: "postgresql://db.example/zt" })
  })

  it("takes them from parameters too, as an address of a Unix socket must have them", () => {
    const { credentials, address } = readAdministratorUrl(
      "postgresql:///?host=/run/postgresql&user=postgres&password=pw",
    )
    assert.deepEqual(credentials, { user: "postgres", password: "pw" })
    assert.deepEqual(address("zt"), { url: "postgresql:///zt?host=%2Frun%2Fpostgresql" })
  })

  it("gives each of several hosts the same user", () => {
    const { credentials, address } = readAdministratorUrl("postgresql://u:p@a:1,b:2/postgres")
    assert.deepEqual(credentials, { user: "u", password: "p" })
    const [url, other] = ["postgresql://a:1/zt", "postgresql://b:2/zt"]
    assert.deepEqual(address("zt"), { url, others: [other] })
  })

  it("refuses one without a user", () => {
    assert.throws(() => readAdministratorUrl("postgresql://db.example/postgres"), Problem)
  })
})
