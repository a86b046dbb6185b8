import { expect, test } from 'vitest'
import { runsDirectory } from '../../lib/private-file.ts'

test('logs and journals are below the home directory unless XDG_STATE_HOME is an absolute path', () => {
  expect(runsDirectory({ HOME: '/home/a' })).toBe('/home/a/.local/state/hostwright/runs')
  expect(runsDirectory({ HOME: '/home/a', XDG_STATE_HOME: 'x' })).toBe(
    '/home/a/.local/state/hostwright/runs',
  )
  expect(runsDirectory({ HOME: '/home/a', XDG_STATE_HOME: '/s' })).toBe('/s/hostwright/runs')
})
