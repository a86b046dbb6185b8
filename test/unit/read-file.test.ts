/** Reading files of the controller, whatever they are. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFile, readFileSync } from '../../lib/read-file.ts'
import { temporaryDirectory } from '../support/shells.ts'

test('/dev/null is an empty file, and one of /proc has no size', async () => {
  expect(String(readFileSync('/dev/null'))).toBe('')
  expect(String(await readFile('/dev/null'))).toBe('')
  expect(readFileSync('/proc/self/status').length).toBeGreaterThan(100)
})

test('a file of the longest length is, and of one byte more is not', async () => {
  const path = join(await temporaryDirectory(), 'file')
  await writeFile(path, 'abcd')
  expect(String(readFileSync(path, { limit: 4 }))).toBe('abcd')
  expect(String(await readFile(path, { limit: 4 }))).toBe('abcd')
  expect(() => readFileSync(path, { limit: 3 })).toThrow('it has more than 3 bytes')
  await expect(readFile('/proc/self/status', { limit: 3 })).rejects.toThrow(
    'it has more than 3 bytes',
  )
})
