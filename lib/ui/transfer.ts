/** The progress of a transfer in words: `312 of 1024 MiB`. */
export function formatTransfer({ done, total }: { done: number; total: number }): string {
  const unit = units.findLast(({ bytes }) => total >= bytes) ?? units[0]!
  // Rounded down: an incomplete transfer must not look complete.
  const count = (bytes: number) => Math.floor(bytes / unit.bytes)
  return `${count(done)} of ${count(total)} ${unit.name}`
}

/** Units up to MiB: progress would not be visible in gibibytes. */
const units = [
  { name: 'bytes', bytes: 1 },
  { name: 'KiB', bytes: 1024 },
  { name: 'MiB', bytes: 1_048_576 },
]
