#!/usr/bin/env node
/** `npm create hostwright [directory] [options]`: hostwright init, by the hostwright that this package brings. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const manifest = createRequire(import.meta.url).resolve('hostwright/package.json')
process.argv.splice(2, 0, 'init')
await import(pathToFileURL(join(dirname(manifest), 'dist/lib/cli/main.js')).href)
