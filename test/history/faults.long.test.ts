/** The same for as long as an outage lasts. */
import { LONG_FAULTS } from "./faults.ts"
import { describeFaults } from "./faults-suite.ts"

describeFaults("long faults of the database", LONG_FAULTS)
