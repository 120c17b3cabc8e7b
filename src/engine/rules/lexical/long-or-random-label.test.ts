import { judges, named } from "../../../../test/observation.ts"
import { longOrRandomLabel } from "./long-or-random-label.ts"

judges(
  longOrRandomLabel,
  [
    ["the shortest that is judged", named("bcdfghj.example"), true],
    ["a tenth of vowels is enough", named("bcdfgahjkl.example"), false],
    ["more than 30 characters", named(`${"abcd".repeat(8)}.example`), true, "32 characters"],
    ["30 characters", named(`${"hello".repeat(6)}.example`), false],
    ["digits strewn in", named("tok2npo2ket.example"), true, "tok2npo2ket"],
    ["hardly a vowel", named("xkqzjwtrb.example"), true],
    ["eight consonants in a row", named("oaxkqzjwtraei.example"), true],
    ["German has seven in a row", named("rechtsschutz.example"), false],
    ["a short acronym", named("bmwgrp.example"), false],
    [
      "another script is not judged",
      named("почтароссии.example", "xn--80a1acnybbqe.example"),
      false,
    ],
    ["an ordinary word", named("bakery.example"), false],
  ],
  { never: "unknown" },
)
