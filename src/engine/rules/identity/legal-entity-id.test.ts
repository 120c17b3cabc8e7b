import type { Change } from "../../../../test/observation.ts"
import { home, judges, page } from "../../../../test/observation.ts"
import { legalEntityId } from "./legal-entity-id.ts"

const imprint =
  (text: string): Change =>
  (o) => {
    o.http.imprint = { value: page("https://shop.example/imprint", "Imprint", { text }) }
  }

judges(legalEntityId, [
  [
    "in structured data",
    home((p) => {
      p.organisations = [{ identifier: "5493001KJTIIGC8Y1R12" }]
    }),
    true,
    "5493001KJTIIGC8Y1R12",
  ],
  ["a German register", imprint("Amtsgericht Berlin, HRB 12345 B"), true, "HRB 12345"],
  ["a VAT number", imprint("VAT: GB 123 4567 89"), true],
  ["a German VAT number", imprint("USt-IdNr. DE123456789"), true],
  ["a British company", imprint("Registered in England, company number 01234567"), true],
  ["a French one", imprint("SIRET 732 829 320 00074"), true],
  ["an LEI", imprint("LEI: 5493001KJTIIGC8Y1R12"), true],
  ["a Brazilian one", imprint("CNPJ 12.345.678/0001-95"), true],
  ["a telephone number is none", imprint("Call 0123 456789 for VAT advice"), false],
  ["none", imprint("We bake."), false],
  [
    "the imprint unseen",
    (o) => {
      o.http.imprint = { unknown: "timeout" }
    },
    "timeout",
  ],
])
