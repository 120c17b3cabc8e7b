import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { registeredLabel } from "../brand.ts"
import { found } from "../finding.ts"

/** Is the registered label digits for a large part? */
export const digitHeavyLabel: Rule = {
  code: "digit_heavy_label",
  category: "lexical",
  says: {
    true: "Has a name that is digits for a large part",
    false: "Has a name of few or no digits",
  },
  judge({ name }) {
    const label = registeredLabel(name)
    const digits = label.replace(/[^0-9]/g, "").length
    const heavy = digits >= THRESHOLDS.digits && digits / label.length > THRESHOLDS.digitShare
    return heavy ? found(true, `${digits} of ${label.length} characters`) : found(false)
  },
}
