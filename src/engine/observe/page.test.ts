import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { canonicalJson } from "../../core/canonical-json.ts"
import { readHtml, readPage } from "./page.ts"

const URL_ = "https://shop.example/de/"
const read = (html: string) => readHtml(html, URL_)

describe("a page", () => {
  it("gives what rules read", () => {
    assert.deepEqual(
      readPage(
        { url: URL_, status: 200, contentType: "text/html" },
        Buffer.from(`<!doctype html><html><head>
          <title> Linden &amp; Söhne\n – Shop </title>
          <meta name="Description" content="Tea  and\tpots">
          <link rel="canonical" href="/de/"><link rel="shortcut icon" href="/i.png">
          <script src="https://cdn.example/a.js"></script><style>p { color: red }</style>
          <script type="application/ld+json">{"@type":"Organization","name":"Linden GmbH",
            "url":"https://shop.example","vatID":"DE123"}</script>
        </head><body><h1>Hello</h1><p>a <b>b</b>c</p><noscript>off</noscript>
          <a href="../privacy#top"> Privacy
          policy</a> <a href="mailto:Info@shop.example?subject=x">write</a>
          <a href="javascript:alert(1)">no</a>
          <img src="//img.example/x.png"><iframe src="https://pay.example/"></iframe>
          <svg><title>not a title</title></svg>
        </body></html>`),
      ),
      {
        url: URL_,
        status: 200,
        title: "Linden & Söhne – Shop",
        description: "Tea and pots",
        canonical: "https://shop.example/de/",
        favicon: true,
        text: "Hello a bc Privacy policy write no",
        textLength: 34,
        links: [{ url: "https://shop.example/privacy#top", text: "Privacy policy" }],
        resourceHosts: ["cdn.example", "img.example", "pay.example"],
        emails: ["Info@shop.example"],
        organisations: [{ name: "Linden GmbH", url: "https://shop.example", identifier: "DE123" }],
      },
    )
  })

  for (const [html, text, because] of [
    ["<head><title>x</title><body>words", "words", "a head that nobody closed"],
    ["<p>a<p>b", "a b", "blocks stand apart"],
    ["a<i>b</i>c", "abc", "inline does not"],
    ["a<br>b", "a b", "a line break does"],
    ["<template>x</template>y", "y", "templates are not shown"],
    ["a\u0000\u0007b\u00a0c", "a b c", "control characters are space"],
    ["&#xd800;&#x110000;", "\ufffd\ufffd", "no lone surrogates out of references"],
    ["plain text", "plain text", "no HTML at all"],
    ["", "", "nothing"],
  ] as const) {
    it(`shows ${JSON.stringify(text)}: ${because}`, () => assert.equal(read(html).text, text))
  }

  it("is cut at 4,000 characters, and all of it counted", () => {
    const { text, textLength } = read("word ".repeat(2000))
    assert.deepEqual([text.length, textLength], [4000, 9999])
  })

  it("is not cut within a character", () => {
    assert.ok(read(`x${"😀".repeat(3000)}`).text.isWellFormed())
  })

  it("resolves links against its base", () => {
    const [link] = read('<base href="https://other.example/x/"><a href="y">z</a>').links
    assert.equal(link?.url, "https://other.example/x/y")
  })

  it("has 200 links at most", () => {
    assert.equal(read('<a href="/x">y</a>'.repeat(500)).links.length, 200)
  })

  it("counts links whose end is missing", () => {
    assert.deepEqual(
      read('<a href="/a">one<a href="/b">two').links.map(({ text }) => text),
      ["one", "two"],
    )
  })

  for (const [contentType, bytes, text] of [
    ["text/html; charset=utf-8", Buffer.from("müde"), "müde"],
    ["text/html; charset=ISO-8859-1", Buffer.from("müde", "latin1"), "müde"],
    ["text/html; charset=windows-1252", Buffer.from([0x80]), "€"],
    ["text/html", Buffer.from('<meta charset="latin1">müde', "latin1"), "müde"],
    ["text/html", Buffer.from([0xff, 0xfe, 0x41, 0x00]), "A"],
    ["text/html; charset=no-such-thing", Buffer.from("müde"), "müde"],
    ["text/html", Buffer.from([0x6d, 0xfc]), "m\ufffd"],
    ["", Buffer.from("a page"), "a page"],
    ["application/json", Buffer.from('"no page"'), ""],
    ["image/png", Buffer.from("no page"), ""],
  ] as const) {
    it(`of ${contentType || "no type"} reads ${JSON.stringify(text)}`, () => {
      assert.equal(readPage({ url: URL_, status: 200, contentType }, bytes).text, text)
    })
  }

  const MEBIBYTE = 1024 * 1024
  for (const [piece, because] of [
    ["<div>", "depth without end"],
    ["<p></b>", "ends that match nothing"],
    ["<form>", "forms within forms"],
    ["<svg><title>", "foreign elements"],
    ["<a href=/x>", "links that never end"],
    ["<a href=/x>y</a>", "links"],
    ["<img src=//a.example/x>", "hosts"],
    ["<table><tr><td>", "tables within tables"],
    ["<!--", "a comment that never ends"],
    ["<![CDATA[", "CDATA"],
    ["<script>", "a script that never ends"],
    ["<title>", "a title that never ends"],
    ["&amp;", "references"],
    ["&", "references that are none"],
    ["<", "tags that are none"],
    ["<a b='", "an attribute that never ends"],
    [" \t", "space"],
  ] as const) {
    it(`does not hang: ${because}`, () => {
      read(piece.repeat(MEBIBYTE / piece.length))
      read(`<x ${piece.repeat(MEBIBYTE / piece.length)}>`)
    })
  }

  it("does not hang on attributes without number", () => {
    read(`<a ${Array.from({ length: 200_000 }, (_, i) => `a${i}`).join(" ")}>`)
  })

  it("of any bytes is read without throwing, and can be stored", () => {
    const tag = fc.constantFrom(
      "<a href=",
      "<title>",
      "</title>",
      "<base href=",
      "<meta name=description content=",
      ">",
      '"',
      "<script type=application/ld+json>",
      "</script>",
      '{"@type":"Store","name":"\\ud800"}',
      "<link rel=canonical href=",
      "mailto:a@b",
      "https://",
      "http://[",
      "</",
      "&#",
      "<svg>",
      "%ff",
    )
    const html = fc.array(fc.oneof(tag, fc.string({ unit: "binary" })), { maxLength: 30 })
    fc.assert(
      fc.property(html, (pieces) => {
        canonicalJson({ ...read(pieces.join("")) })
      }),
      { numRuns: 50 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (bytes, contentType) => {
        canonicalJson({ ...readPage({ url: URL_, status: 200, contentType }, bytes) })
      }),
    )
  })
})
