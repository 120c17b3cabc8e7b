import { judges, named, onPlatform } from "../../../../test/observation.ts"
import { sharedHostingSuffix } from "./shared-hosting-suffix.ts"

judges(
  sharedHostingSuffix,
  [
    ["a private suffix", onPlatform, true, "example"],
    ["an ICANN suffix", named("shop.example"), false],
  ],
  { never: "unknown" },
)
