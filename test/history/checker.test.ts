/** The comparison can fail: wrong histories are made, and seen. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { KeyState } from "./history.ts"
import { History } from "./history.ts"

const GOOD: KeyState = {
  exists: true,
  revoked: false,
  disabled: false,
  expired: false,
  addressAllowed: true,
  scopes: 3,
}

/** A change is begun at 100 and acknowledged at 200. */
const cases: [string, Partial<KeyState>, Partial<KeyState>, [number, number], string, boolean][] = [
  ["served before a revocation", {}, { revoked: true }, [10, 90], "SERVED", true],
  ["served while it is made", {}, { revoked: true }, [150, 160], "SERVED", true],
  ["refused while it is made", {}, { revoked: true }, [150, 160], "KEY_REVOKED", true],
  ["served, begun before its end", {}, { revoked: true }, [190, 900], "SERVED", true],
  ["refused, ended after its start", {}, { revoked: true }, [10, 110], "KEY_REVOKED", true],
  ["served after a revocation", {}, { revoked: true }, [201, 202], "SERVED", false],
  ["refused before a revocation", {}, { revoked: true }, [10, 99], "KEY_REVOKED", false],
  ["refused for another reason", {}, { revoked: true }, [201, 202], "KEY_DISABLED", false],
  ["not there after it was made", { exists: false }, {}, [201, 202], "INVALID_KEY", false],
  ["served before it was made", { exists: false }, {}, [10, 20], "SERVED", false],
  ["still disabled", { disabled: true }, {}, [201, 202], "KEY_DISABLED", false],
  ["served when expired", {}, { expired: true }, [201, 202], "SERVED", false],
  ["served from elsewhere", {}, { addressAllowed: false }, [201, 202], "SERVED", false],
  ["served without the scope", {}, { scopes: 2 }, [201, 202], "SERVED", false],
  ["refused for a scope it has", { scopes: 2 }, {}, [201, 202], "INSUFFICIENT_SCOPE", false],
  ["an answer that is none of these", {}, {}, [10, 20], "INTERNAL", false],
  ["not decided", {}, { revoked: true }, [201, 202], "UNAVAILABLE", true],
]

describe("what the history checker sees", () => {
  for (const [what, before, after, [began, ended], answer, right] of cases) {
    it(`${what}: ${right ? "right" : "wrong"}`, () => {
      const history = new History()
      history.begin("k", { ...GOOD, ...before })
      history.changed("k", { ...GOOD, ...after }, 100, 200)
      history.asked({ key: "k", needs: 1, began, ended, answer, instance: 0 })
      assert.equal(history.faults().length, right ? 0 : 1)
    })
  }

  it("an answer is decided where its key was not being changed, or that made no difference", () => {
    const history = new History()
    history.begin("k", GOOD)
    history.changed("k", { ...GOOD, scopes: 2 }, 100, 200)
    const asked = { key: "k", answer: "SERVED", instance: 0 }
    history.asked({ ...asked, needs: 1, began: 10, ended: 20 })
    assert.equal(history.decided, 1)
    history.asked({ ...asked, needs: 1, began: 150, ended: 160 })
    assert.equal(history.decided, 1)
    history.asked({ ...asked, needs: 2, began: 150, ended: 160 })
    assert.equal(history.decided, 2)
  })
})
