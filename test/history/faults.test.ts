/** The database's faults, each for as long as it takes to be felt. */
import { FAULTS } from "./faults.ts"
import { describeFaults } from "./faults-suite.ts"

describeFaults("faults of the database", FAULTS)
