import { expect, test } from 'vitest'
import { createSelection, type SelectionOptions, unmetBy } from '../../../lib/program/selection.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { task } from '../../../lib/resources/resource.ts'

const web = task('web server', () => [])()
const config = file('/etc/web.conf', { content: '', tags: ['config'] })
const data = file('/srv/data', { content: '', tags: ['data'] })

/** What is wrong with these options, where two hosts have one resource each. */
function unmet(options: Partial<SelectionOptions>): string[] {
  const wanted = { tags: [], skipTags: [], ...options }
  const selections = [config, data].map(resource => {
    const selection = createSelection(wanted)
    selection.takes(resource, [web])
    return selection
  })
  return unmetBy(selections, wanted)
}

test.each<[string, Partial<SelectionOptions>, string[]]>([
  ['a tag that one host has', { tags: ['config'] }, []],
  [
    'a mistyped tag',
    { tags: ['confg', 'data'] },
    ['nothing has the tag confg: did you mean config?'],
  ],
  ['a tag like no other', { tags: ['xyzzy'] }, ['nothing has the tag xyzzy (known: config, data)']],
  [
    'a mistyped tag to skip',
    { skipTags: ['dat'] },
    ['nothing has the tag dat, so it skipped nothing: did you mean data?'],
  ],
  ['the words that mean something by themselves', { tags: ['always'], skipTags: ['never'] }, []],
  [
    'a mistyped title',
    { startAt: 'web sever' },
    ['nothing is titled web sever: did you mean web server?'],
  ],
  ['a title that one host has', { startAt: '*data' }, []],
])('%s is reported at the end if no host has it, with the nearest', (_name, options, lines) => {
  expect(unmet(options)).toEqual(lines)
})
