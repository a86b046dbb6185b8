import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { globFiles } from '../../../../lib/transport/config/glob.ts'
import { temporaryDirectory } from '../../../support/shells.ts'

test('patterns match existing files, sorted, and never across slashes', async () => {
  const directory = await temporaryDirectory()
  const at = (name: string) => join(directory, name)
  await mkdir(at('d'))
  await mkdir(at('e.d'))
  for (const name of ['d/b', 'd/a', 'd/.hidden', 'd/a+(1)', 'e.d/c']) await writeFile(at(name), '')
  expect(globFiles(at('d/*'))).toEqual([at('d/a'), at('d/a+(1)'), at('d/b')])
  expect(globFiles(at('d/[!a]'))).toEqual([at('d/b')])
  expect(globFiles(at('d/[a-b]'))).toEqual([at('d/a'), at('d/b')])
  expect(globFiles(at('d/a+(1)'))).toEqual([at('d/a+(1)')])
  expect(globFiles(at('d/.*'))).toEqual([at('d/.hidden')])
  expect(globFiles(at('?.d/*'))).toEqual([at('e.d/c')])
  expect(globFiles(at('e?d/c'))).toEqual([at('e.d/c')])
  expect(globFiles(at('*/c'))).toEqual([at('e.d/c')])
  expect(globFiles(at('none/*'))).toEqual([])
  expect(globFiles(at('none'))).toEqual([])
})
