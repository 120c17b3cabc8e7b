import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { describe, it } from "node:test"
import { randomPassword, scramVerifier } from "./password.ts"

describe("SCRAM verifiers", () => {
  it("gives the server signature of RFC 7677 §3", () => {
    const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64")
    const [, serverKey = ""] = scramVerifier("pencil", salt).split("$")[2]?.split(":") ?? []
    const authMessage = [
      "n=user,r=rOprNGfwEbeRWgbNEkqO",
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    ].join(",")
    const signature = createHmac("sha256", Buffer.from(serverKey, "base64")).update(authMessage)
    assert.equal(signature.digest("base64"), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
  })

  it("salts each anew", () => {
    assert.notEqual(scramVerifier("pencil"), scramVerifier("pencil"))
  })

  it("passwords have 256 bits, as letters that SASLprep leaves alone", () => {
    assert.match(randomPassword(), /^[A-Za-z0-9_-]{43}$/)
    assert.notEqual(randomPassword(), randomPassword())
  })
})
