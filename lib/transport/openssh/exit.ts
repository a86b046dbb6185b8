/** Cleanup for when this process exits early. */

/**
 * @param clear cleans up synchronously, because nothing is awaited at exit
 * @returns cancels it. Idempotent
 */
export function atExit(clear: () => void): () => void {
  // There is one per connection in progress; Node would report more than ten as a leak.
  process.setMaxListeners(process.getMaxListeners() + 1)
  process.on('exit', clear)
  let done = false
  return () => {
    if (done) return
    done = true
    process.off('exit', clear)
    process.setMaxListeners(process.getMaxListeners() - 1)
  }
}
