/** Running out of file descriptors: fewer hosts at a time, or an error that says so. */
import { describe, expect, test } from 'vitest'
import { fitOpenFiles } from '../../../lib/cli/open-files.ts'
import { outOfFiles } from '../../../lib/errors.ts'
import { thrownError } from '../../../lib/report/report.ts'

describe('how many hosts at a time', () => {
  test.each([
    [50, { limit: 1_048_576, open: 20 }, 50],
    [50, { limit: 1024, open: 20 }, 50],
    [50, { limit: 256, open: 20 }, 21],
    [999_999, { limit: 1024, open: 20 }, 98],
    [5, { limit: 256, open: 20 }, 5],
    [50, { limit: 50, open: 20 }, 1],
    [50, undefined, 50],
  ])('%d with %j are %d', (wanted, files, forks) => {
    const fitted = fitOpenFiles(wanted, files)
    expect(fitted.forks).toBe(forks)
    expect(fitted.warning).toEqual(
      forks < wanted ? expect.stringMatching(/at a time instead of .*ulimit -n/) : undefined,
    )
  })

  test('are none where the files do not suffice for one: that is said before a host is touched', () => {
    const fit = () => fitOpenFiles(1, { limit: 60, open: 50 })
    expect(fit).toThrow(expect.objectContaining({ code: 'out_of_files', exitCode: 1 }))
  })
})

test('an error is that of missing files whatever was being opened', () => {
  const cause = Object.assign(new Error('open failed'), { code: 'EMFILE' })
  const wrapped = new Error('the inventory can’t be read', { cause })
  for (const error of [cause, wrapped])
    expect(thrownError(error)).toMatchObject({ code: 'out_of_files' })
  expect(outOfFiles(new Error('x', { cause: new Error('y') }))).toBeUndefined()
  // As Node's loader says it, without a code.
  const byLoader = new Error('Cannot read package config /srv/node_modules/cac/package.json')
  expect(outOfFiles(byLoader)).toMatchObject({ code: 'out_of_files' })
})
