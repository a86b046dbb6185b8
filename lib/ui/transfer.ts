/** How far a transfer is, in words: `312 of 1024 MiB`. */
export function formatTransfer({ done, total }: { done: number; total: number }): string {
  const unit = units.findLast(({ bytes }) => total >= bytes) ?? units[0]!
  // Not rounded up: what is not all there is not said to be.
  const count = (bytes: number) => Math.floor(bytes / unit.bytes)
  return `${count(done)} of ${count(total)} ${unit.name}`
}

/** From the second on: a gibibyte is too much to see it grow. */
const units = [
  { name: 'bytes', bytes: 1 },
  { name: 'KiB', bytes: 1024 },
  { name: 'MiB', bytes: 1_048_576 },
]
