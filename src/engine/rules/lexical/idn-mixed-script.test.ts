import { judges, named } from "../../../../test/observation.ts"
import { idnMixedScript } from "./idn-mixed-script.ts"

judges(
  idnMixedScript,
  [
    [
      "Cyrillic а among Latin",
      named("pаypal.example", "xn--pypal-4ve.example"),
      true,
      "pаypal: Latin and Cyrillic",
    ],
    ["all ASCII", named("paypal.example"), false],
    ["Cyrillic throughout", named("почта.example", "xn--80a1acny.example"), false],
    [
      "Japanese writes four scripts together",
      named("東京タワーのtv.example", "xn--tv-x.example"),
      false,
    ],
    ["one script a label", named("почта.shop.example", "xn--80a1acny.shop.example"), false],
    ["Latin with accents is Latin", named("müller.example", "xn--mller-kva.example"), false],
  ],
  { never: "unknown" },
)
