/**
 * Reads a secret from standard input: a line of a terminal that does not show it, or all that a
 * pipe or file holds.
 */

import { text } from "node:stream/consumers"
import { StringDecoder } from "node:string_decoder"
import type { Cli } from "./cli.ts"

const INTERRUPT = "\u0003"
const END = "\u0004"
const BACKSPACES = ["\u0008", "\u007f"]

/**
 * @param prompt - Shown on a terminal, on standard error.
 * @returns The text without the line's end. Rejects with the signal's reason on Ctrl-C.
 */
export async function readHidden(cli: Pick<Cli, "signal">, prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, "")
  process.stdin.setRawMode(true) // before anybody begins to type
  process.stderr.write(prompt)
  process.stdin.resume()
  try {
    return await typedLine(cli.signal)
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stderr.write("\n")
  }
}

/** @returns Whether somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true
}

function typedLine(signal: AbortSignal): Promise<string> {
  const decoder = new StringDecoder("utf8") // a character may come in two parts
  let line: string[] = []
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      process.stdin.off("data", take)
      signal.removeEventListener("abort", stop)
      act()
    }
    const stop = () => end(() => reject(signal.reason))
    const take = (bytes: Buffer) => {
      for (const letter of decoder.write(bytes)) {
        if (letter === INTERRUPT) {
          process.kill(process.pid, "SIGINT") // in raw mode the terminal does not send it
          return
        }
        if (letter === "\r" || letter === "\n" || letter === END) {
          return end(() => resolve(line.join("")))
        }
        if (BACKSPACES.includes(letter)) line = line.slice(0, -1)
        else line.push(letter)
      }
    }
    process.stdin.on("data", take)
    signal.addEventListener("abort", stop, { once: true })
  })
}
