import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Problem } from "../core/problem.ts"
import { normalizeName } from "./name.ts"

describe("normalizeName", () => {
  for (const [input, host, because] of [
    ["example.com", "example.com", "a domain is taken as it is"],
    ["  Example.COM.\n", "example.com", "case, trailing dot and whitespace are dropped"],
    ["https://www.Example.com/shop?a=b#c", "example.com", "of a URL the host alone counts"],
    ["HTTP://example.com:8080", "example.com", "port and scheme are dropped"],
    ["example.com:443/x", "example.com", "a port needs no scheme"],
    ["//example.com/x", "example.com", "a URL may come without its scheme"],
    ["https://good.com@evil.com/", "evil.com", "what is before @ is not the host"],
    ["https://evil.com\\@good.com/", "evil.com", "browsers end the host at a backslash"],
    ["https://evil.com?@good.com/", "evil.com", "the host ends at a question mark"],
    ["www.www.example.com", "example.com", "www is removed however often"],
    ["www.co.uk", "www.co.uk", "here www is the registrable label"],
    ["www.test", "www.test", "a bare suffix would be left"],
    ["shop.example.co.uk", "shop.example.co.uk", "hosts below the registrable domain stay"],
    ["bücher.de", "xn--bcher-kva.de", "Unicode becomes an A-label"],
    ["BÜCHER.DE", "xn--bcher-kva.de", "Unicode case is folded"],
    ["faß.de", "xn--fa-hia.de", "UTS #46 non-transitional keeps ß"],
    ["ｅｘａｍｐｌｅ．ｃｏｍ", "example.com", "fullwidth letters and dot are mapped"],
    ["例。com", "xn--fsq.com", "the ideographic full stop is a dot"],
    ["a\u00adb.com", "ab.com", "a soft hyphen is ignored"],
    ["r3---sn.example.com", "r3---sn.example.com", "hyphens in third and fourth place exist"],
    ["approve.test", "approve.test", ".test is for the sandbox"],
    ["shop.example", "shop.example", ".example is for the lab"],
    [`${"a".repeat(63)}.com`, `${"a".repeat(63)}.com`, "the longest label"],
    [`${"a.".repeat(125)}com`, `${"a.".repeat(125)}com`, "the longest name"],
    [`example.com/${"a".repeat(1_988)}`, "example.com", "the longest input"],
    ["1.2.3.4.nip.io", "1.2.3.4.nip.io", "digits before a name are no address"],
  ] as const) {
    it(`${because}: ${JSON.stringify(input)} gives ${host}`, () => {
      assert.equal(normalizeName(input).host, host)
    })
  }

  for (const [input, message, because] of [
    ["", /empty/, "nothing"],
    ["   ", /empty/, "nothing but spaces"],
    ["a".repeat(2_001), /2000/, "more than an address ever needs"],
    ["exa\u0000mple.com", /control/, "a control character"],
    ["exam\nple.com", /control/, "a line break within"],
    ["localhost", /localhost/, "special use"],
    ["printer.local", /local/, "special use"],
    ["db.internal", /internal/, "special use"],
    ["expyuzz4wqqyqhjn.onion", /onion/, "special use"],
    ["1.0.0.127.in-addr.arpa", /arpa/, "special use"],
    ["x.invalid", /invalid/, "special use"],
    ["example", /single label.*example\.com/, "a single label"],
    ["com", /single label/, "a bare suffix of one label"],
    ["co.uk", /public suffix/, "a bare suffix of two labels"],
    ["127.0.0.1", /IP address/, "IPv4"],
    ["127.1", /IP address/, "IPv4 shortened"],
    ["0x7f.1", /IP address/, "IPv4 in hexadecimal"],
    ["2130706433", /IP address/, "IPv4 as one number"],
    ["0177.0.0.01", /IP address/, "IPv4 in octal"],
    ["１２７.0.0.1", /IP address/, "IPv4 in fullwidth digits"],
    ["127。0。0。1", /IP address/, "IPv4 with ideographic dots"],
    ["http://127.0.0.1:80/", /IP address/, "IPv4 in a URL"],
    ["example.1", /IP address/, "what ends in a number is an address for browsers"],
    ["[::1]:443", /IP address/, "IPv6 in brackets"],
    ["::1", /IP address/, "IPv6"],
    ["fe80::1%eth0", /IP address/, "IPv6 with a zone"],
    ["ftp://example.com", /ftp/, "another scheme"],
    ["javascript:alert(1)", /characters that/, "no address of a site"],
    ["a..example.com", /empty label/, "two dots"],
    [".example.com", /empty label/, "a dot in front"],
    ["example.com..", /empty label/, "two dots at the end"],
    ["-a.com", /hyphen/, "a leading hyphen"],
    ["a-.com", /hyphen/, "a trailing hyphen"],
    ["_dmarc.example.com", /letters, digits and hyphens/, "an underscore"],
    ["a,b.com", /letters, digits and hyphens/, "a comma"],
    ["a b.com", /characters that/, "a space"],
    ["%65xample.com", /escapes/, "percent escapes"],
    [`${"a".repeat(64)}.com`, /63/, "a label too long"],
    [`${"a.".repeat(126)}com`, /253/, "a name too long"],
    ["xn--a.com", /punycode/, "punycode that stands for nothing"],
    ["xn--abc-.com", /hyphen/, "punycode for plain ASCII"],
    ["a\u200db.com", /characters that/, "a joiner where it may not stand"],
    ["example.com:80:90", /characters that/, "two ports"],
  ] as const) {
    it(`refuses ${because}: ${JSON.stringify(input.slice(0, 40))}`, () => {
      assert.throws(
        () => normalizeName(input),
        (error) =>
          error instanceof Problem &&
          error.code === "INVALID_DOMAIN" &&
          message.test(error.message),
      )
    })
  }

  for (const [input, registrable, suffix, shared, because] of [
    ["shop.example.co.uk", "example.co.uk", "co.uk", false, "a suffix of two labels"],
    ["user.github.io", "user.github.io", "github.io", true, "a private suffix"],
    ["a.user.github.io", "user.github.io", "github.io", true, "below a private suffix"],
    ["github.io", "github.io", "io", false, "the platform's own home"],
    ["www.github.io", "github.io", "io", false, "the platform's own home under www"],
    ["shop.unlisted", "shop.unlisted", "unlisted", false, "an unlisted suffix is one label"],
  ] as const) {
    it(`knows ${because}: ${input}`, () => {
      const name = normalizeName(input)
      assert.deepEqual([name.registrable, name.suffix, name.shared], [registrable, suffix, shared])
    })
  }

  it("gives the Unicode form too", () => {
    assert.equal(normalizeName("xn--bcher-kva.de").unicode, "bücher.de")
  })

  it("never repeats what is invisible", () => {
    const message = (input: string) => {
      try {
        return normalizeName(input).host
      } catch (error) {
        return error instanceof Error ? error.message : ""
      }
    }
    assert.doesNotMatch(message("a\u202eb c.com"), /\u202e/)
  })

  const fragment = fc.oneof(
    fc.constantFrom(
      "www.",
      "xn--",
      "http://",
      "https://",
      "@",
      ":",
      "/",
      "\\",
      "?",
      "#",
      "%",
      "[",
      "]",
      "-",
      "_",
      "。",
      "．",
      "ß",
      "İ",
      "\u200d",
      "\u00ad",
      "0x",
      "127.",
      "co.uk",
      "github.io",
      ".com",
      ".test",
      " ",
    ),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.stringMatching(/^[a-z0-9-]{1,12}$/),
    fc.domain(),
  )
  const anything = fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join(""))
  /** @returns undefined for what is refused; fails on any other error. */
  const tried = (input: string) => {
    try {
      return normalizeName(input)
    } catch (error) {
      if (error instanceof Problem && error.code === "INVALID_DOMAIN") return undefined
      throw error
    }
  }

  it("is idempotent, by its ASCII and by its Unicode form, and throws Problems alone", () => {
    fc.assert(
      fc.property(anything, (input) => {
        const name = tried(input)
        if (name === undefined) return
        assert.deepEqual(normalizeName(name.host), name)
        assert.deepEqual(normalizeName(name.unicode), name)
        assert.match(name.host, /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]+$/)
        assert.ok(name.host === name.registrable || name.host.endsWith(`.${name.registrable}`))
        assert.ok(name.registrable.endsWith(`.${name.suffix}`))
      }),
      { numRuns: 2_000 },
    )
  })

  it("takes what fast-check calls a domain, however it is dressed", () => {
    fc.assert(
      fc.property(fc.domain(), fc.constantFrom("", "https://", "http://u:p@"), (domain, before) => {
        const plain = tried(domain)
        assert.deepEqual(tried(`${before}${domain.toUpperCase()}.:8443/a@b?c#d`), plain)
      }),
    )
  })
})
