/** Colour, where it was found that it shows: what a command prints is made before it is written. */
import type { InspectColor } from "node:util"
import { styleText } from "node:util"

/** Adds colour to text that is measured already, or does not. */
export type Paint = (style: InspectColor | readonly InspectColor[], text: string) => string

/** @param color - `Terminal.color`. */
export function painter(color: boolean): Paint {
  return (style, text) =>
    color
      ? styleText(style as InspectColor | InspectColor[], text, { validateStream: false })
      : text
}
