/**
 * Loaded into the program by NODE_OPTIONS: at SIGUSR2 its clock goes on by an hour, at the next one back
 * by two, and so on.
 */
const HOUR_MS = 3_600_000
let aheadMs = 0

const RealDate = Date
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given) => Reflect.construct(target, given.length === 0 ? [now()] : given),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
})

function now(): number {
  return RealDate.now() + aheadMs
}

process.on("SIGUSR2", () => {
  aheadMs = aheadMs > 0 ? -HOUR_MS : HOUR_MS
})
