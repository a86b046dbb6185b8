import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ini } from '../../../lib/resources/editing/ini.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { againScript, type NumberedCall, segmentScript } from '../../../lib/session/script.ts'

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')
const nonce = 'hw5f1c2a9be04d7713c08a6e2f'
const mode = { check: false, diff: false }
const resources = [
  file('/etc/motd', { content: 'hello\n', mode: 0o644 }),
  ini('/etc/app.ini', { section: 'server', set: { port: 8080 } }),
]
const steps: NumberedCall[] = resources.map(({ call }, index) => ({ id: index + 3, call }))

/** The indented block of the page that begins with this line. */
const blockOf = (first: string) =>
  [...page.matchAll(/(?:^ {4}.*\n)+/gm)]
    .map(([block]) => block.replace(/^ {4}/gm, ''))
    .find(block => block.startsWith(`${first}\n`))

/** The page cuts hashes short. */
const asShown = (script: Buffer) => script.toString().replace(/([0-9a-f]{8})[0-9a-f]{56}/g, '$1…')

test('docs/protocol.md shows the script of a segment as it is sent', () => {
  const script = asShown(segmentScript(steps, mode, nonce))
  expect(blockOf("hw_segment '' '' ''")).toBe(script)
})

test('docs/protocol.md shows the script that brings content as it is sent', () => {
  const content = { content: resources[0]!.call.content!.bytes }
  const script = asShown(againScript(steps, mode, new Map([[3, content]])))
  expect(blockOf("hw_segment '' '' '' again")).toBe(script)
})
