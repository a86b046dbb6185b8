#!/usr/bin/env node
/**
 * The entry of the command line: refuses a Node that is too old before it reads anything that such a Node can't.
 * Only syntax and functions that Node 12 has, the first one that reads a module; no import, which comes before all.
 */
var found = process.versions.node.split('.')
var major = Number(found[0])
if (major > 20 || (major === 20 && Number(found[1]) >= 19)) {
  import('./start.ts')
} else {
  console.error(
    'hostwright needs Node 20.19 or newer; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ')',
  )
  process.exitCode = 2
}
