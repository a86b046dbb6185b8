import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { parseRemembered } from '../../lib/program/remembered.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { waitFor } from '../../lib/resources/commands/wait-for.ts'
import { exists } from '../../lib/resources/conditions.ts'
import { file } from '../../lib/resources/files/file.ts'
import { flushHandlers, handler, type Items, task } from '../../lib/resources/resource.ts'
import { secret } from '../../lib/shell/secret.ts'
import { type Local, local } from '../support/local-run.ts'
import { ofType } from '../support/run-events.ts'

/** Writes its name to `log` each time it runs. */
const logged = (place: Local, name: string, more = {}) =>
  command(`echo ${name} >>${place.at('log')}`, { title: name, ...more })
const log = async (place: Local) =>
  (await readFile(place.at('log'), 'utf8').catch(() => '')).split('\n').filter(Boolean)
const remembered = (place: Local) =>
  readFile(`${place.hosts[0]!.bootstrapDir}/handlers`, 'utf8').catch(() => '')

const bring = async (place: Local, items: Items, more = {}) => {
  const result = await place.run(
    { description: '', run: ({ converge }) => converge(items).then(() => {}), ...more },
    more,
  )
  return { ...result, warnings: ofType(result.seen, 'warning').map(({ message }) => message) }
}

/** A change that notifies a handler, then a failure before the handler runs. */
const failing = (place: Local, more = {}) => [
  file(place.at('config'), { content: '1', notify: handler(logged(place, 'reload', more)) }),
  command('exit 7', { title: 'breaks' }),
]

describe('a handler that is due when a run fails', () => {
  test('is recorded on the host, with a warning', async () => {
    const place = await local()
    const { exitCode, warnings } = await bring(place, failing(place))
    expect(exitCode).toBe(4)
    expect(await log(place)).toEqual([])
    expect(parseRemembered(await remembered(place))).toMatchObject([
      { title: 'reload', run: 'r1', recipe: 'site', call: { name: 'hw_command' } },
    ])
    expect(warnings).toEqual(['a handler is still due: it runs in the host’s next run'])
  })

  test('runs in the next run that declares it, even if nothing changes then', async () => {
    const place = await local()
    await bring(place, failing(place))
    const fixed = failing(place).slice(0, 1)
    const { exitCode, warnings } = await bring(place, fixed)
    expect(exitCode).toBe(0)
    expect(await log(place)).toEqual(['reload'])
    expect(warnings).toEqual(['reload has been due since run r1 of site: it runs in this run'])
    expect(await remembered(place)).toBe('')
    const { warnings: none } = await bring(place, fixed)
    expect(await log(place)).toEqual(['reload'])
    expect(none).toEqual([])
  })

  test('runs at the end of a run that does not declare it', async () => {
    const place = await local()
    await bring(place, failing(place))
    const { seen } = await bring(place, logged(place, 'other'))
    expect(await log(place)).toEqual(['other', 'reload'])
    expect(ofType(seen, 'task.start').at(-1)!.title).toBe('due since run r1 of site')
    expect(await remembered(place)).toBe('')
  })

  test('stays due in a run that takes no lock, with a warning', async () => {
    const place = await local()
    await bring(place, failing(place))
    const { warnings } = await place
      .run({ description: '', lock: false, run: async () => {} })
      .then(({ seen }) => ({ warnings: ofType(seen, 'warning').map(each => each.message) }))
    expect(warnings).toEqual([
      'reload has been due since run r1 of site: it runs in the next run that changes something',
    ])
    expect(await remembered(place)).toContain('"reload"')
  })

  test('is reported by --check, and stays due', async () => {
    const place = await local()
    await bring(place, failing(place))
    const { seen, exitCode } = await bring(place, failing(place).slice(0, 1), { check: true })
    expect(exitCode).toBe(6)
    expect(ofType(seen, 'step.end').map(({ title, status }) => `${title} ${status}`)).toContain(
      'reload changed',
    )
    expect(await log(place)).toEqual([])
    expect(await remembered(place)).toContain('"reload"')
  })

  test('with a secret is recorded without it, and runs when it is declared again', async () => {
    const place = await local()
    const more = { env: { TOKEN: secret('hunter2!') } }
    await bring(place, failing(place, more))
    expect(await remembered(place)).not.toContain('hunter2')
    const { warnings } = await bring(place, logged(place, 'other'))
    expect(warnings[0]).toBe(
      'reload has been due since run r1 of site: it runs when site runs again',
    )
    expect(await log(place)).toEqual(['other'])
    await bring(place, failing(place, more).slice(0, 1))
    expect(await log(place)).toEqual(['other', 'reload'])
  })

  test('is recorded without a secret that the recipe wrote into it', async () => {
    const place = await local()
    const token = 'hunter2!'
    const line = `echo ${token} >>${place.at('log')}`
    const shown = handler(command(line, { title: `note ${token}` }))
    const items = [file(place.at('a'), { content: '1', notify: shown }), command('exit 7')]
    await bring(place, items, { secrets: { token: secret(token) } })
    expect(await remembered(place)).not.toContain(token)
    const { warnings } = await bring(place, [])
    expect(warnings).toEqual([
      'note ******** has been due since run r1 of site: it runs when site runs again',
    ])
  })

  test('stays due if it fails in the next run', async () => {
    const place = await local()
    const bad = handler(command('exit 3', { title: 'restart' }))
    const items = file(place.at('config'), { content: '1', notify: bad })
    expect((await bring(place, items)).exitCode).toBe(4)
    expect((await bring(place, items)).exitCode).toBe(4)
    expect(await remembered(place)).toContain('"restart"')
  })
})

describe('a handler that needs more than its call', () => {
  test.each([
    ['a condition', { when: exists('/none') }],
    ['a handler of its own', { notify: handler(command('true')) }],
  ])('because of %s is left to the recipe that declares it', async (_, more) => {
    const place = await local()
    await bring(place, failing(place, more))
    const { warnings } = await bring(place, logged(place, 'other'))
    expect(warnings[0]).toBe(
      'reload has been due since run r1 of site: it runs when site runs again',
    )
    expect(await log(place)).toEqual(['other'])
  })

  test('is no longer due once its condition was evaluated and does not hold', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload', { when: exists('/none') }))
    const { warnings } = await place
      .run(async ({ converge }) => {
        await converge(file(place.at('config'), { content: '1', notify: reload }))
        await converge(command('exit 7'))
      })
      .then(({ seen }) => ({ warnings: ofType(seen, 'warning') }))
    expect(warnings).toEqual([])
    expect(await remembered(place)).toBe('')
  })
})

test('a handler with the user of its task runs as that user in the next run too', async () => {
  const place = await local()
  const as = userInfo().username
  const inner = task('inner', () => failing(place), { as })
  const outer = task('outer', () => inner(), { as: 'nobody-there' })
  expect((await bring(place, outer())).exitCode).toBe(4)
  expect(parseRemembered(await remembered(place))).toMatchObject([{ title: 'reload', as }])
  expect((await bring(place, [])).exitCode).toBe(0)
  expect(await log(place)).toEqual(['reload'])
})

test('a handler that stays due after a successful run is reported', async () => {
  const place = await local()
  const { seen, exitCode } = await place.run(async ({ converge }) => {
    await converge(failing(place)).catch(() => {})
  })
  expect(exitCode).toBe(0)
  expect(ofType(seen, 'warning').map(({ message }) => message)).toEqual([
    'a handler is still due: it runs in the host’s next run',
  ])
})

test('a record that was cut short by a full disk does not damage the next one', async () => {
  const place = await local()
  const { bootstrapDir } = place.hosts[0]!
  await mkdir(bootstrapDir, { recursive: true })
  await writeFile(`${bootstrapDir}/handlers`, '\n* x\n\0\nab {"key":"ab","ti')
  await bring(place, failing(place))
  expect(parseRemembered(await remembered(place))).toMatchObject([{ title: 'reload' }])
  await bring(place, [])
  expect(await log(place)).toEqual(['reload'])
  expect(await remembered(place)).not.toContain('reload')
})

test('a recorded handler whose function this version lacks is not called', async () => {
  const place = await local()
  const { bootstrapDir } = place.hosts[0]!
  await mkdir(bootstrapDir, { recursive: true })
  const call = { name: 'hw_from_the_future', args: [] }
  const record = JSON.stringify({ key: 'ab', title: 't', run: 'r', recipe: 'x', call })
  await writeFile(`${bootstrapDir}/handlers`, `ab ${record}\n`)
  const { exitCode, warnings } = await bring(place, logged(place, 'other'))
  expect([exitCode, warnings]).toEqual([
    0,
    ['t has been due since run r of x: it runs when x runs again'],
  ])
  expect(await remembered(place)).toContain('hw_from_the_future')
})

describe('a record of another version', () => {
  const record = (call: unknown, more = {}) =>
    `ab ${JSON.stringify({ key: 'ab', title: 't', run: 'r', recipe: 'x', call, ...more })}\n`

  test('does not run by itself', async () => {
    const place = await local()
    const { bootstrapDir } = place.hosts[0]!
    await mkdir(bootstrapDir, { recursive: true })
    const args = [place.at('made'), 'sum=0', '', '', '', '', '', '']
    await writeFile(`${bootstrapDir}/handlers`, record({ name: 'hw_directory', args }))
    const { exitCode, warnings } = await bring(place, [])
    expect([exitCode, warnings]).toEqual([
      0,
      ['t has been due since run r of x: it runs when x runs again'],
    ])
    expect(await remembered(place)).toContain('"ab"')
  })

  test('runs once when its recipe declares it, whatever it is', async () => {
    const place = await local()
    const { bootstrapDir } = place.hosts[0]!
    await mkdir(bootstrapDir, { recursive: true })
    const wait = handler(waitFor({ path: '/' }))
    const secretly = handler(logged(place, 'secretly', { env: { TOKEN: secret('hunter2!') } }))
    const reload = handler(logged(place, 'reload'))
    const lines = [
      ['ab', 'wait for /', { name: 'hw_wait_for', args: ['path', 'there', '300', '1', '/', '/'] }],
      ['cd', 'secretly', undefined],
      ['ef', 'reload', { name: 'hw_command', args: [...Array(9).fill(''), 'exit 9'] }],
      [
        'aa',
        'wait',
        { name: 'hw_wait_for', args: ['path', 'there', '300', '1', '/', '/'] },
        'other',
      ],
    ].map(
      ([key, title, call, recipe = 'site']) =>
        `${key} ${JSON.stringify({ key, title, run: 'r', recipe, call })}\n`,
    )
    await writeFile(`${bootstrapDir}/handlers`, lines.join(''))
    const items = file(place.at('config'), { content: '1', notify: [wait, secretly, reload] })
    const { exitCode, seen } = await bring(place, items)
    expect(exitCode).toBe(0)
    const ended = ofType(seen, 'step.end').map(({ title }) => title)
    expect(ended.slice(1)).toEqual(['wait for /', 'secretly', 'reload'])
    expect(await log(place)).toEqual(['secretly', 'reload'])
    // Another recipe's of the same title is not this one's.
    expect(await remembered(place)).toBe(lines[3])
    await writeFile(`${bootstrapDir}/handlers`, lines[1]!)
    await bring(place, items)
    expect(await log(place)).toEqual(['secretly', 'reload', 'secretly'])
    expect(await remembered(place)).toBe('')
    await bring(place, items)
    expect(await log(place)).toEqual(['secretly', 'reload', 'secretly'])
  })
})

test('damaged records are ignored, and only functions of the prelude are called', async () => {
  const place = await local()
  const { bootstrapDir } = place.hosts[0]!
  await mkdir(bootstrapDir, { recursive: true })
  const record = (call: unknown) =>
    JSON.stringify({ key: 'ab', title: 't', run: 'r', recipe: 'x', call })
  expect(
    parseRemembered(
      [
        'no json',
        `ab ${record({ name: 'touch', args: [] })}`,
        `ab ${record({ name: 'hw_x', args: [1] })}`,
        '',
        `../x {"key":"../x","title":"t","run":"r","recipe":"x"}`,
      ].join('\n'),
    ),
  ).toEqual([])
  await writeFile(
    `${bootstrapDir}/handlers`,
    `ab ${record({ name: 'touch', args: [place.at('trap')] })}\n`,
  )
  expect((await bring(place, logged(place, 'other'))).exitCode).toBe(0)
  await expect(readFile(place.at('trap'))).rejects.toThrow('ENOENT')
})

describe('a record whose key is not the hash of its call', () => {
  const forge = async (place: Local, change: (record: string) => string) => {
    await bring(place, failing(place))
    const path = `${place.hosts[0]!.bootstrapDir}/handlers`
    await writeFile(path, change(await readFile(path, 'utf8')))
  }

  // The records of the tests above had any key: nobody compared it with what it should be the hash of.
  test.each<[string, (record: string) => string]>([
    ['another command', record => record.replace('echo reload', 'echo forged')],
    ['another function', record => record.replace('"hw_command"', '"hw_service"')],
    [
      'another user',
      record => record.replace('"call"', '"as":"nobody","call"').replace('echo', 'id >&2; echo'),
    ],
    ['another key', record => record.replaceAll(/[0-9a-f]{24}/g, 'a'.repeat(24))],
  ])('does not run: %s', async (_, change) => {
    const place = await local()
    await forge(place, change)
    const { exitCode, warnings } = await bring(place, [])
    expect([exitCode, await log(place)]).toEqual([0, []])
    expect(warnings).toEqual([expect.stringContaining('is not the hash of what it does')])
  })

  test('runs as its recipe declares it', async () => {
    const place = await local()
    await forge(place, record => record.replace('echo reload', 'echo forged'))
    await bring(
      place,
      file(place.at('config'), { content: '1', notify: handler(logged(place, 'reload')) }),
    )
    expect(await log(place)).toEqual(['reload'])
  })
})

describe('flushHandlers', () => {
  test('runs due handlers at its place, and later changes make them due again', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const change = (name: string) => file(place.at(name), { content: name, notify: reload })
    const items = [change('a'), flushHandlers(), logged(place, 'test'), change('b')]
    await bring(place, items)
    expect(await log(place)).toEqual(['reload', 'test', 'reload'])
  })

  test('does nothing if nothing is due, also within a task', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const web = task('web', () => [
      flushHandlers(),
      file(place.at('a'), { content: 'a', notify: reload }),
      flushHandlers(),
      logged(place, 'test'),
    ])
    await bring(place, web())
    expect(await log(place)).toEqual(['reload', 'test'])
  })
})

test('two handlers that do the same are one', async () => {
  const place = await local()
  const change = (name: string) =>
    file(place.at(name), { content: name, notify: handler(logged(place, 'reload')) })
  await bring(place, [change('a'), change('b')])
  expect(await log(place)).toEqual(['reload'])
})
