#!/usr/bin/env node
/**
 * The entry of the command line: refuses a Node that is too old before it reads anything that such a Node can't.
 * Only syntax and functions that Node 12 has, the first one that reads a module; no import, which comes before all.
 */
var found = process.versions.node.split('.')
var major = Number(found[0])
if (major > 20 || (major === 20 && Number(found[1]) >= 19)) {
  import('./start.ts').catch(error => {
    // Loading opens many files at a time; out of them, Node may also say that a module is not there.
    if (!/EMFILE|ENFILE/.test(String(error)) && !mayOpenFew()) throw error
    console.error(
      'hostwright: out_of_files: this process may open too few files to start; raise the limit (ulimit -n 4096)',
    )
    process.exitCode = 1
  })
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

function mayOpenFew() {
  var text = ''
  try {
    text = process.getBuiltinModule('fs').readFileSync('/proc/self/limits', 'utf8')
  } catch (error) {
    return /EMFILE|ENFILE/.test(String(error))
  }
  return Number((/^Max open files +(\d+)/m.exec(text) || [])[1]) < 100
}
