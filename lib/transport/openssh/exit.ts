/** What is to be done when this process exits before it was done otherwise. */

/**
 * @param clear does it at once: nothing is waited for any more
 * @returns takes it back. Idempotent
 */
export function atExit(clear: () => void): () => void {
  // There are as many as connections are under way; Node would take more than ten for a leak.
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
