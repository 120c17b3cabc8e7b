import { judges, named } from "../../../../test/observation.ts"
import { digitHeavyLabel } from "./digit-heavy-label.ts"

judges(
  digitHeavyLabel,
  [
    ["three digits are the fewest", named("ab123.example"), true],
    ["half of it", named("shop1234.example"), true, "4 of 8 characters"],
    ["all of it", named("653288.example"), true],
    ["exactly three in ten", named("abcdefg123.example"), false],
    ["two digits are few, whatever the share", named("1and1.example"), false],
    ["digits in a label in front", named("12345.shop.example"), false],
    ["none", named("shop.example"), false],
  ],
  { never: "unknown" },
)
