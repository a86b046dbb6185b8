/**
 * Loaded before hostwright (`node --import`): its output goes to a pipe, and looks as in a terminal of 80
 * columns. Frames that are drawn and taken away again stand between the marks of synchronized output, so that
 * who reads the pipe can leave them out.
 */
if (/[\\/](hostwright|main\.js)$/.test(process.argv[1] ?? '')) {
  // Not for the programs that it starts.
  delete process.env.NODE_OPTIONS
  for (const stream of [process.stdout, process.stderr]) {
    Object.assign(stream, { isTTY: true, columns: 80, rows: 24 })
  }
}
