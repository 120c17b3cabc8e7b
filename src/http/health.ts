/**
 * How the deployment is, component by component, and since when.
 *
 * Owns: asking each component, at most once a second however often health is asked for.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { HealthBody } from "./contract.ts"

type State = HealthBody["status"]

export interface Probe {
  readonly state: State
  /** What is so, and where it is not well: what to do. */
  readonly message: string
}

interface Component {
  readonly probe: () => Promise<Probe>
  current: Probe & { readonly since: string }
}

const FRESH_MS = 1_000
const PROBE_TIMEOUT_MS = 1_000
const ORDER: readonly State[] = ["ok", "degraded", "down"]

export class Health {
  readonly #components: Map<string, Component>
  readonly #version: string
  readonly #now: () => number
  #askedAt = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  #draining = false

  /** @param probes - One a component; what a probe throws counts as down. */
  constructor(
    version: string,
    probes: Readonly<Record<string, () => Promise<Probe>>>,
    now: () => number,
  ) {
    this.#version = version
    this.#now = now
    const since = new Date(now()).toISOString()
    this.#components = new Map(
      Object.entries(probes).map(([name, probe]) => [
        name,
        { probe, current: { state: "ok", message: "not asked yet", since } },
      ]),
    )
  }

  /** From now on not ready: the instance finishes what it has and stops. */
  drain(): void {
    this.#draining = true
  }

  /** @returns Whether to send requests here: not draining, and no component down. */
  async ready(): Promise<boolean> {
    return !this.#draining && (await this.report()).status !== "down"
  }

  async report(): Promise<HealthBody> {
    if (this.#now() - this.#askedAt >= FRESH_MS) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined
      })
      await this.#asking
    }
    let worst: State = "ok"
    const components: HealthBody["components"] = {}
    for (const [name, { current }] of this.#components) {
      if (ORDER.indexOf(current.state) > ORDER.indexOf(worst)) worst = current.state
      components[name] = { status: current.state, since: current.since, message: current.message }
    }
    return { status: worst, version: this.#version, components }
  }

  async #ask(): Promise<void> {
    await Promise.all(
      this.#components.values().map(async (component) => {
        const probe = await Promise.race([component.probe(), late()]).catch(
          (): Probe => ({ state: "down", message: "does not answer" }),
        )
        const { state, since } = component.current
        const now = new Date(this.#now()).toISOString()
        component.current = { ...probe, since: probe.state === state ? since : now }
      }),
    )
    this.#askedAt = this.#now()
  }
}

/** Who asks for health waits no longer than for a second. */
function late(): Promise<never> {
  return sleep(PROBE_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error("late")
  })
}
