import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Change } from "../../../../test/observation.ts"
import { all, home, judges } from "../../../../test/observation.ts"
import { faultOf, securityTxtValid } from "./security-txt-valid.ts"

const file =
  (text: string, status = 200, contentType = "text/plain; charset=utf-8"): Change =>
  (o) => {
    o.http.securityTxt = {
      value: { url: "https://shop.example/.well-known/security.txt", status, contentType, text },
    }
  }
const VALID = "Contact: mailto:a@shop.example\nExpires: 2027-01-01T00:00:00Z\n"

judges(securityTxtValid, [
  [
    "over this very moment",
    file("Contact: mailto:a@shop.example\nExpires: 2026-11-24T12:00:00Z\n"),
    false,
  ],
  [
    "valid, though no home page was seen",
    all(file(VALID), (o) => {
      o.http.home = { unknown: "timeout" }
    }),
    true,
  ],
  ["contact and a time to come", file(VALID), true],
  [
    "a time gone by",
    file("Contact: mailto:a@shop.example\nExpires: 2025-01-01T00:00:00Z\n"),
    false,
    "expired 2025-01-01T00:00:00Z",
  ],
  ["a page in its place", file(VALID, 200, "text/html"), false],
  ["a media type that only begins alike", file(VALID, 200, "text/plain-ish"), false],
  ["none", file("", 404), false],
  ["a gatekeeper", file("", 403), "challenge"],
  [
    "not seen",
    (o) => {
      o.http.securityTxt = { unknown: "timeout" }
    },
    "timeout",
  ],
  [
    "of a site that sends its visitors away",
    home((page) => {
      page.url = "https://other.example/"
    }),
    "not_observed",
  ],
])

describe("faultOf", () => {
  for (const [because, text, fault] of [
    [
      "the example of RFC 9116 §2.6, signed",
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# Our security address\n${VALID}-----BEGIN PGP SIGNATURE-----\nabc=\n`,
      undefined,
    ],
    [
      "names in any case, lines ending in CRLF",
      VALID.replaceAll("\n", "\r\n").toUpperCase(),
      undefined,
    ],
    ["no contact", "Expires: 2027-01-01T00:00:00Z", "no Contact that is a URI"],
    [
      "a bare address is no URI",
      "Contact: a@shop.example\nExpires: 2027-01-01T00:00:00Z",
      "no Contact that is a URI",
    ],
    ["no time", "Contact: mailto:a@b.example", "no Expires"],
    ["two times", `${VALID}Expires: 2028-01-01T00:00:00Z`, "several Expires"],
    [
      "a time in words",
      "Contact: mailto:a@b.example\nExpires: next year",
      "an Expires that is no time",
    ],
    [
      "a month that is none",
      "Contact: mailto:a@b.example\nExpires: 2027-13-41T00:00:00Z",
      "an Expires that is no time",
    ],
    [
      "a day that the month has not",
      "Contact: mailto:a@b.example\nExpires: 2035-02-31T00:00:00Z",
      "an Expires that is no time",
    ],
    [
      "an hour that is none",
      "Contact: mailto:a@b.example\nExpires: 2027-01-01T24:00:00Z",
      "an Expires that is no time",
    ],
    [
      "a time of nowhere, which is another one in each time zone",
      "Contact: mailto:a@b.example\nExpires: 2026-11-24T15:00:00",
      "an Expires that is no time",
    ],
    [
      "a time without seconds",
      "Contact: mailto:a@b.example\nExpires: 2027-01-01T00:00Z",
      "an Expires that is no time",
    ],
    [
      "an hour ahead, by its offset",
      "Contact: mailto:a@b.example\nExpires: 2026-11-24T08:00:00.5-05:00",
      undefined,
    ],
    [
      "an hour ago, by its offset",
      "Contact: mailto:a@b.example\nExpires: 2026-11-24T16:00:00+05:00",
      "expired 2026-11-24T16:00:00+05:00",
    ],
    ["small letters", "Contact: mailto:a@b.example\nExpires: 2027-01-01t00:00:00z", undefined],
  ] as const) {
    it(`${because}: ${fault ?? "valid"}`, () => {
      assert.equal(faultOf(text, Date.parse("2026-11-24T12:00:00Z")), fault)
    })
  }
})
