/** --debug and HOSTWRIGHT_TRACE of the command line, on this machine. */
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventsOf, hostwright } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'

/** Runs words on this machine, with a state of its own. */
async function here(words: readonly string[], env: Record<string, string> = {}) {
  const place = await temporaryDirectory()
  const [name, ...rest] = words
  const where = ['--on', 'localhost', '--var', `bootstrap_dir=${place}/state`]
  const ended = await hostwright([name!, ...where, ...rest], {
    cwd: place,
    env: { XDG_STATE_HOME: join(place, 'logs'), ...env },
  })
  return { ...ended, place }
}

describe('--debug', () => {
  test('is on standard error, beside what a command prints', async () => {
    const { status, stdout, stderr } = await here(['exec', '--debug', '--', 'echo out'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'out\n' })
    expect(stderr).toContain('debug localhost: session: round trip 2: $ echo out\n')
  })

  test('is an event, and in the log of the run', async () => {
    const words = ['exec', '--debug', '--output', 'json', '--log', 'run.jsonl', '--', 'true']
    const ended = await here(words)
    const expected = expect.arrayContaining([
      expect.objectContaining({ type: 'debug', host: 'localhost', area: 'session' }),
    ])
    expect(eventsOf(ended)).toEqual(expected)
    const log = await readFile(join(ended.place, 'run.jsonl'), 'utf8')
    expect(
      log
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual(expected)
  })

  test('of unlock says how it asks', async () => {
    const { status, stdout, stderr } = await here(['unlock', '--debug'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'localhost: not locked\n' })
    expect(stderr).toContain('session: round trip 1: first write, hw_begin, hw_show_lock\n')
  })

  test('says nothing unless it is asked for', async () => {
    expect((await here(['exec', '--', 'true'])).stderr).toBe('')
  })
})

describe('HOSTWRIGHT_TRACE', () => {
  test('has a file for each session, for nobody else to read', async () => {
    const { status, stderr, place } = await here(['exec', '--', 'true'], {
      HOSTWRIGHT_TRACE: 'new/traces',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const directory = join(place, 'new/traces')
    const names = await readdir(directory)
    expect(names).toEqual([expect.stringMatching(/^localhost-.+-1\.trace$/)])
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, names[0]!))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(directory, names[0]!), 'utf8')).toMatch(/<\s+end 2 ok 0/)
  })

  test.each([['exec'], ['unlock']])(
    'that can’t be used ends %s before a host is touched',
    async name => {
      const touch = name === 'exec' ? ['--', 'touch touched'] : []
      const { status, stderr, place } = await here([name, ...touch], {
        HOSTWRIGHT_TRACE: '/dev/null/traces',
      })
      expect(status).toBe(2)
      expect(stderr).toContain('HOSTWRIGHT_TRACE=/dev/null/traces can’t be used: ')
      expect(existsSync(join(place, 'touched'))).toBe(false)
      expect(existsSync(join(place, 'state'))).toBe(false)
    },
  )
})
