import { judges, named } from "../../../../test/observation.ts"
import { homoglyphOfBrand } from "./homoglyph-of-brand.ts"

judges(
  homoglyphOfBrand,
  [
    ["the shortest", named("1kea.example"), true],
    ["the shortest in plain letters", named("paypai.example"), true],
    ["a digit for a letter", named("paypa1.example"), true, "paypa1 reads as paypal"],
    ["Cyrillic throughout", named("раураӏ.example", "xn--80aa0cbo65f.example"), true],
    ["one word of several", named("paypa1-login.example"), true],
    ["in a label in front", named("g00gle.shop.example"), true],
    ["the brand's own spelling", named("paypal.example"), false],
    ["the brand's own domain", named("paypal.com"), false],
    ["an honest short look-alike in plain letters", named("appie.example"), false],
    ["another word", named("bakery.example"), false],
  ],
  { never: "unknown" },
)
