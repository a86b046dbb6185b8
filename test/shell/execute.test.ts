import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { StepAccount } from '../../lib/program/account.ts'
import type { Converged } from '../../lib/recipe/recipe.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { changed, exists, not } from '../../lib/resources/conditions.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler, type Items, type Resource, task } from '../../lib/resources/resource.ts'
import { secret } from '../../lib/shell/secret.ts'
import { type Local, local } from '../support/local-run.ts'
import { brief, ofType } from '../support/run-events.ts'

/** Converges on one host. @returns the outcomes and the events */
async function converge(
  { run }: Local,
  items: Items,
  more: { check?: boolean; diff?: boolean } = {},
) {
  let converged: Converged | undefined
  const result = await run(async context => {
    converged = await context.converge(items)
  }, more)
  const ends = ofType(result.seen, 'step.end')
  return { ...result, converged, ends, shown: ends.map(end => `${end.title} ${end.status}`) }
}

/** Writes its name to `log` each time it runs. */
const logged = (place: Local, name: string, more = {}) =>
  command(`echo ${name} >>${place.at('log')}`, { title: name, ...more })
const log = async (place: Local) =>
  (await readFile(place.at('log'), 'utf8').catch(() => '')).split('\n').filter(Boolean)

test('a value that is not a resource is refused, with the recipe’s line', async () => {
  const forgotten = Promise.resolve([]) as unknown as Items
  const { outcomes } = await converge(await local(), [forgotten])
  expect(outcomes[0]!.error).toMatchObject({
    code: 'recipe_invalid',
    message: 'a promise is not a resource or a task',
    at: expect.stringMatching(/^test\/shell\/execute\.test\.ts:\d+$/),
    hint: 'Did you forget `await`?',
  })
})

describe('handlers', () => {
  test('run once, after everything else, if something that notifies them changed', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const items = [
      file(place.at('a'), { content: '1', notify: reload }),
      file(place.at('b'), { content: '2', notify: reload }),
      logged(place, 'last', { creates: place.at('log') }),
    ]
    const first = await converge(place, items)
    expect(await log(place)).toEqual(['last', 'reload'])
    expect(first.converged!.has(reload)).toBe(true)
    const second = await converge(place, items)
    expect(await log(place)).toEqual(['last', 'reload'])
    expect(second.shown).toEqual([
      `file ${place.at('a')} ok`,
      `file ${place.at('b')} ok`,
      'last ok',
    ])
    expect(second.converged!.changed).toBe(false)
    expect(second.converged!.has(reload)).toBe(false)
  })

  test('are shown in the last task that may notify them', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const one = task('one', () => file(place.at('a'), { content: '1', notify: reload }))
    const two = task('two', () => file(place.at('b'), { content: '2', notify: reload }))
    const three = task('three', () => logged(place, 'c'))
    const { seen } = await converge(place, [one(), two(), three()])
    const [, second] = ofType(seen, 'task.start')
    expect(ofType(seen, 'step.end').at(-1)).toMatchObject({ title: 'reload', task: second!.task })
  })

  test('may notify other handlers, which run after them', async () => {
    const place = await local()
    const last = handler(logged(place, 'last'))
    const middle = handler(logged(place, 'middle', { notify: last }))
    await converge(place, [file(place.at('a'), { content: '1', notify: [last, middle] })])
    expect(await log(place)).toEqual(['middle', 'last'])
  })

  test('run after handlers that notify them, whatever else notifies them', async () => {
    const place = await local()
    const [last, other] = [handler(logged(place, 'last')), handler(logged(place, 'other'))]
    const middle = handler(logged(place, 'middle', { notify: last }))
    const first = handler(logged(place, 'first', { notify: [middle] }))
    await converge(place, [
      command('true', { unless: 'true', notify: last }),
      command('true', { notify: [other, first] }),
    ])
    expect(await log(place)).toEqual(['other', 'first', 'middle', 'last'])
  })

  test('run even if the condition of the task that notified them no longer holds', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const install = task('install', () => file(place.at('a'), { content: '1', notify: reload }), {
      when: not(exists(place.at('a'))),
    })
    const other = task('other', () => file(place.at('b'), { content: '1', notify: reload }), {
      when: exists('/none'),
    })
    await converge(place, [install(), other()])
    expect(await log(place)).toEqual(['reload'])
  })

  test('do not run when a step fails, and are not shown', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const { shown } = await converge(place, [
      file(place.at('a'), { content: '1', notify: reload }),
      command('false', { title: 'fails' }),
    ])
    expect(await log(place)).toEqual([])
    expect(shown).toEqual([`file ${place.at('a')} changed`, 'fails failed'])
  })

  test('are reported but do not run with --check', async () => {
    const place = await local()
    const reload = handler(logged(place, 'reload'))
    const { shown, exitCode } = await converge(
      place,
      [file(place.at('a'), { content: '1', notify: reload })],
      { check: true },
    )
    expect(shown).toEqual([`file ${place.at('a')} changed`, 'reload changed'])
    expect([exitCode, await log(place)]).toEqual([6, []])
  })
})

describe('steps', () => {
  test('after a failed one are skipped, with the reason', async () => {
    const place = await local()
    const { seen, ends, exitCode } = await converge(place, [
      task('broken', () => [
        logged(place, 'a'),
        command('echo out; echo why >&2; exit 7', { title: 'b' }),
        logged(place, 'c'),
      ])(),
      task('after', () => logged(place, 'd'))(),
    ])
    expect(exitCode).toBe(4)
    expect(ends.map(({ title, status, note }) => [title, status, note])).toEqual(
      [
        ['a', 'changed', ''],
        ['b', 'failed', undefined],
        ['c', 'skipped', 'a step before it failed'],
        ['d', 'skipped', 'a step before it failed'],
      ].map(([title, status, note]) => [title, status, note || undefined]),
    )
    expect(brief(ofType(seen, 'task.end'))).toEqual(['task.end broken failed', 'task.end after ok'])
    expect(ends[1]!.error).toMatchObject({
      code: 'step_failed',
      task: 'broken',
      step: 'b',
      message: 'why',
      exitStatus: 7,
      command: 'echo out; echo why >&2; exit 7',
      at: expect.stringMatching(/execute\.test\.ts:\d+$/),
    })
    expect(await log(place)).toEqual(['a'])
  })

  test('see what earlier steps changed, in order', async () => {
    const place = await local()
    const { shown } = await converge(place, [
      directory(place.at('d')),
      file(place.at('d/f'), { content: 'a = 1\n' }),
      ini(place.at('d/f'), { set: { a: 2 } }),
      ini(place.at('d/f'), { set: { a: '2' } }),
    ])
    expect(shown.map(line => line.split(' ').at(-1))).toEqual([
      'changed',
      'changed',
      'changed',
      'ok',
    ])
  })

  test('may be the same resource twice', async () => {
    const place = await local()
    const twice = logged(place, 'twice')
    const { converged } = await converge(place, [twice, [twice]])
    expect(await log(place)).toEqual(['twice', 'twice'])
    expect(converged!.has(twice)).toBe(true)
  })

  test('report their output while they run', async () => {
    const place = await local()
    const { seen } = await converge(place, [
      command('echo one; echo uno >&2', { title: 'first' }),
      command('echo two', { title: 'second' }),
    ])
    expect(
      ofType(seen, 'step.output')
        .map(({ stream, text }) => `${stream} ${text}`)
        .sort(),
    ).toEqual(['stderr uno\n', 'stdout one\n', 'stdout two\n'])
  })

  test('cost no round trip if there are none', async () => {
    const place = await local()
    const { converged, outcomes } = await converge(place, [[], false, task('empty', () => [])()])
    expect(converged!.changed).toBe(false)
    expect(outcomes[0]).toMatchObject({ roundTrips: 1, status: 'ok' })
  })

  test('cost one round trip when nothing changes', async () => {
    const place = await local()
    const items = Array.from({ length: 30 }, (_, n) => file(place.at(`f${n}`), { content: `${n}` }))
    await converge(place, items)
    expect((await converge(place, items)).outcomes[0]!.roundTrips).toBe(2)
  })
})

describe('conditions on a resource', () => {
  test('that is listed twice hold if either changed something', async () => {
    const place = await local()
    const a = file(place.at('a'), { content: '1' })
    await converge(place, [a, a, logged(place, 'after', { when: changed(a) })])
    expect(await log(place)).toEqual(['after'])
  })

  test.each<[string, (place: Local, a: Resource) => Items]>([
    ['was skipped after a failure', (_, a) => [command('exit 1'), a]],
    [
      'is a handler that nothing notified',
      (_, a) => command('true', { unless: 'true', notify: a }),
    ],
  ])('that %s do not hold in a later converge', async (_, first) => {
    const place = await local()
    const a = file(place.at('a'), { content: '1' })
    const { exitCode } = await place.run(async context => {
      await context.converge(first(place, a)).catch(() => {})
      await context.converge(logged(place, 'no', { when: changed(a) }), logged(place, 'yes'))
    })
    expect([exitCode, await log(place)]).toEqual([0, ['yes']])
  })

  test('that was declined with --step do not hold', async () => {
    const place = await local()
    const a = file(place.at('a'), { content: '1' })
    const items = [a, logged(place, 'no', { when: changed(a) }), logged(place, 'yes')]
    const confirm = async (_: string, title: string) => title !== a.title
    const { exitCode } = await place.run(async context => void (await context.converge(items)), {
      confirm,
    })
    expect([exitCode, await log(place)]).toEqual([0, ['yes']])
  })
})

test('a list of steps may refer to resources of earlier lists, and shows no secret', async () => {
  const place = await local()
  const listed: StepAccount[] = []
  const a = file(place.at('hunter2'), { content: secret('hunter2') })
  const { exitCode } = await place.run(
    async context => {
      await context.converge(a)
      await context.converge(logged(place, 'b', { when: changed(a) }))
    },
    { mode: { kind: 'list', onStep: (_, step) => listed.push(step) } },
  )
  expect(exitCode).toBe(0)
  expect(listed.map(({ title }) => title)).toEqual([`file ${place.at('********')}`, 'b'])
})

describe('differences', () => {
  test('are shown as unified diffs with --diff', async () => {
    const place = await local()
    await writeFile(place.at('f'), 'a\nb\nc\n')
    const change = () => file(place.at('f'), { content: 'a\nB\nc\n' })
    const [checked] = (await converge(place, change(), { check: true, diff: true })).ends
    expect(checked!.diff).toContain('-b\n+B\n')
    expect(checked!.diff).toContain(place.at('f'))
    const [plain] = (await converge(place, change())).ends
    expect(plain!.diff).toBeUndefined()
    const [same] = (await converge(place, change(), { diff: true })).ends
    expect(same).toMatchObject({ status: 'ok', diff: undefined })
  })

  test('are not shown if they contain a secret or binary data', async () => {
    const place = await local()
    const { ends, seen } = await converge(
      place,
      [
        file(place.at('s'), { content: secret('hunter2\n') }),
        file(place.at('b'), { content: Buffer.from([0, 1]) }),
        ini(place.at('i'), { set: { password: secret('hunter2') } }),
      ],
      { diff: true },
    )
    expect(ends.map(({ diff }) => diff)).toEqual([
      '(not shown: it contains a secret)\n',
      `${place.at('b')}: (binary)\n`,
      '(not shown: it contains a secret)\n',
    ])
    expect(JSON.stringify(seen)).not.toContain('hunter2')
  })
})
