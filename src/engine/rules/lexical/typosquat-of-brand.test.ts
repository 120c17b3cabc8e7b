import { judges, named } from "../../../../test/observation.ts"
import { typosquatOfBrand } from "./typosquat-of-brand.ts"

judges(
  typosquatOfBrand,
  [
    ["hyphens throughout", named("p-a-y-pal.example"), true],
    ["a letter changed", named("paypol.example"), true, "paypol for paypal"],
    ["neighbours swapped", named("gmial.com"), true, "gmial for gmail"],
    ["a hyphen added", named("pay-pal.com"), true, "pay-pal for paypal"],
    ["the name under another suffix", named("amazon.nl"), false],
    ["the brand's own domain", named("paypal.com"), false],
    ["a look-alike is the other rule's", named("paypa1.com"), false],
    ["an ordinary word that is a brand too", named("chase.club"), false],
    ["an ordinary word with a hyphen", named("tar-get.club"), false],
    ["an honest neighbour", named("finance.example"), false],
    ["a brand in a label in front is not registered", named("paypol.shop.example"), false],
  ],
  { never: "unknown" },
)
