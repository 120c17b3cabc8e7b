import { all, judges, named, onPlatform } from "../../../../test/observation.ts"
import { brandPlusKeyword } from "./brand-plus-keyword.ts"

judges(
  brandPlusKeyword,
  [
    [
      "the shortest keyword and the shortest brand that are found joined",
      named("mygmail.example"),
      true,
      "gmail",
    ],
    ["brand and keyword with a hyphen", named("paypal-login.example"), true, "paypal"],
    ["the other way round", named("secure-amazon.example"), true, "amazon"],
    ["joined", named("paypalsupport.example"), true, "paypal"],
    ["joined the other way round", named("mypaypal.example"), true, "paypal"],
    ["the brand in look-alike characters", named("paypa1-login.example"), true, "paypal"],
    ["over two labels", named("paypal.account-check.example"), true, "paypal"],
    [
      "the brand's domain in front of another",
      named("paypal.com.shop.example"),
      true,
      "paypal.com in front of shop.example",
    ],
    ["a short brand with a hyphen", named("dhl-tracking.example"), true, "dhl"],
    ["on a shared platform", all(named("paypal-login.example"), onPlatform), true],
    ["an ordinary word beside a strong keyword", named("booking-verify.example"), true, "booking"],
    ["an ordinary word beside a weak one", named("booking-online.example"), false],
    ["the brand's own domain", named("login.paypal.com"), false],
    ["a label below the brand's name elsewhere", named("accounts.google.cz"), false],
    ["the brand alone", named("paypal.example"), false],
    ["a keyword alone", named("secure-login.example"), false],
    ["a brand within a word", named("superuber.example"), false],
    ["a brand beside another word", named("paypal-cats.example"), false],
  ],
  { never: "unknown" },
)
