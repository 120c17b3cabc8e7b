/** Lets the reader of a pipe leave (`zygentrust start | head`): what is written then is lost. */
export function outliveReader(stream: NodeJS.EventEmitter): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
}
