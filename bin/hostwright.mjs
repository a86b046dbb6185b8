#!/usr/bin/env node
/**
 * What npm links as `hostwright`: the built command line, or in a clone that is not built its source. Only what Node
 * 12 can read: lib/cli/main.ts refuses a Node that is too old.
 */
import('../dist/lib/cli/main.js').catch(error => {
  var isBuilt =
    error.code !== 'ERR_MODULE_NOT_FOUND' || !/dist\/lib\/cli\/main\.js/.test(error.message)
  if (isBuilt) throw error
  return import('tsx/esm/api').then(
    tsx => {
      tsx.register()
      return import('../lib/cli/main.ts')
    },
    () => {
      console.error('hostwright is not built, and its packages are not installed: run npm ci')
      process.exitCode = 1
    },
  )
})
