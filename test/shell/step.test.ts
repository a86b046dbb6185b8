import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Condition } from '../../lib/session/condition.ts'
import type { SegmentCall } from '../../lib/session/script.ts'
import { describeEach, shells, type TestHost, testHost } from '../support/shells.ts'

const statuses = async (host: TestHost, calls: readonly SegmentCall[], mode = {}) =>
  (await host.segment(calls, mode)).map(({ status }) => status)

const yes: Condition<number> = { kind: 'is', value: true }
const no: Condition<number> = { kind: 'is', value: false }

describeEach(shells, 'conditions under $name', shell => {
  test('are decided by what the host did in the same segment', async () => {
    const host = await testHost({ shell })
    await host.write('same', 'same')
    const make = (name: string) => ({ call: file(host.at(name), { content: 'same' }).call })
    const when = (condition: Condition<number>) => ({
      call: command('true').call,
      when: condition,
    })
    const calls = [
      make('same'),
      make('new'),
      when({ kind: 'changed', of: 0 }),
      when({ kind: 'changed', of: 1 }),
      when({ kind: 'not', of: { kind: 'changed', of: 0 } }),
    ]
    const trips = host.session.roundTrips
    const found = ['ok', 'changed', 'skipped', 'changed', 'changed']
    expect(await statuses(host, calls.slice(0, 1))).toEqual(['ok'])
    expect(await statuses(host, calls)).toEqual(found)
    // One for the first segment; two for the second, which lacked the content of `new`.
    expect(host.session.roundTrips - trips).toBe(3)
    expect(await statuses(host, calls)).toEqual(['ok', 'ok', 'skipped', 'skipped', 'changed'])
  })

  test.each<[string, Condition<number>, boolean]>([
    ['exists', { kind: 'exists', path: '/bin/sh' }, true],
    ['does not exist', { kind: 'exists', path: '/none such/-x' }, false],
    ['succeeds', { kind: 'succeeds', command: 'echo noise; echo noise >&2; exit 0' }, true],
    ['fails', { kind: 'succeeds', command: 'exit 3' }, false],
    ['a command that ends its shell', { kind: 'succeeds', command: 'kill $$' }, false],
    ['all of none', { kind: 'all', of: [] }, true],
    ['any of none', { kind: 'any', of: [] }, false],
    ['all', { kind: 'all', of: [yes, yes, no] }, false],
    ['any', { kind: 'any', of: [no, no, yes] }, true],
    [
      'nested',
      {
        kind: 'all',
        of: [
          { kind: 'any', of: [no, yes] },
          { kind: 'not', of: no },
        ],
      },
      true,
    ],
  ])('%s', async (_, when, holds) => {
    const host = await testHost({ shell })
    const [result] = await host.segment([{ call: command('echo ran').call, when }])
    expect(result).toMatchObject({ status: holds ? 'changed' : 'skipped', exitStatus: 0 })
    expect(result!.stdout.toString()).toBe(holds ? 'ran\n' : '')
    expect(result!.note).toBe(holds ? '' : 'its condition does not hold')
  })

  test('hold what is odd in a path or a command as it is', async () => {
    const host = await testHost({ shell })
    await host.write("it's $(x) `y` *", '')
    const when: Condition<number> = { kind: 'exists', path: host.at("it's $(x) `y` *") }
    expect(await statuses(host, [{ call: command('true').call, when }])).toEqual(['changed'])
  })
})

describeEach(shells, 'handlers under $name', shell => {
  const record = (key: string) => `{"key":"${key}","odd":"it's $(x) \\\\ \\""}`
  const due = (host: TestHost) => readFile(`${host.bootstrapDir}/handlers`, 'utf8').catch(() => '')
  const change = (...keys: string[]): SegmentCall => ({
    call: command('true').call,
    notify: keys.map(key => ({ key, record: record(key) })),
  })
  const handler = (key: string, line = 'true'): SegmentCall => ({
    call: command(line).call,
    handler: key,
  })

  test('run only if something notified them, and once', async () => {
    const host = await testHost({ shell })
    const calls = [change('a'), handler('a'), handler('b'), handler('a')]
    expect(await statuses(host, calls)).toEqual(['changed', 'changed', 'skipped', 'skipped'])
    expect(await due(host)).toBe('')
  })

  test('are written down before the next step begins, and taken out when they have run', async () => {
    const host = await testHost({ shell })
    const look = { call: command(`cat '${host.bootstrapDir}/handlers'`).call }
    const results = await host.segment([change('a', 'b'), look, handler('a'), look, handler('b')])
    const line = (key: string) => `${key} ${record(key)}\n`
    expect(results[1]!.stdout.toString()).toBe(line('a') + line('b'))
    expect(results[3]!.stdout.toString()).toBe(line('b'))
    expect(await due(host)).toBe('')
  })

  test('stay due when a step before them fails, and run in the next session', async () => {
    const first = await testHost({ shell })
    const calls = [change('a'), { call: command('exit 1').call }, handler('a')]
    expect(await statuses(first, calls)).toEqual(['changed', 'failed', 'skipped'])
    expect(await due(first)).toContain('a {"key":"a"')
    const next = await testHost({ shell, directory: first.directory })
    expect(next.session.stateFiles.get('handlers')).toContain('a {"key":"a"')
    expect(await statuses(next, [handler('b'), handler('a')])).toEqual(['skipped', 'changed'])
    expect(await due(first)).toBe('')
  })

  test.each(['HUP', 'TERM'])(
    'are written down though a %s ends the shell in the middle of the change',
    async signal => {
      const host = await testHost({ shell })
      const line = `kill -${signal} "$PPID"; touch '${host.at('done')}'`
      const notify = [{ key: 'a', record: record('a') }]
      const look = { call: command(`touch '${host.at('next')}'`).call }
      await expect(host.segment([{ call: command(line).call, notify }, look])).rejects.toThrow(
        'ended',
      )
      expect(await due(host)).toBe(`a ${record('a')}\n`)
      expect(await readdir(host.directory)).toEqual(expect.arrayContaining(['done']))
      expect(await readdir(host.directory)).not.toContain('next')
    },
  )

  test('are not written down for a step that had not found anything to change', async () => {
    const host = await testHost({ shell })
    const call = command('true', { unless: 'kill -HUP "$PPID"; true' }).call
    const notify = [{ key: 'a', record: record('a') }]
    await host.segment([{ call, notify }]).catch(() => {})
    expect(await due(host)).toBe('')
  })

  // What a later run found passed beside this: the record was written, but after the change.
  test('are written down before the change that makes them due', async () => {
    const host = await testHost({ shell })
    const look: SegmentCall = {
      call: command(`cat '${host.bootstrapDir}/handlers'`).call,
      notify: change('a', 'b').notify,
    }
    const [result] = await host.segment([look])
    const line = (key: string) => `${key} ${record(key)}\n`
    expect(result!.stdout.toString()).toBe(line('a') + line('b'))
  })

  test('are not due after a step that fails before it acts, or a command that changed nothing', async () => {
    const host = await testHost({ shell })
    await host.write('file', 'old')
    const { notify } = change('a')
    const invalid = file(host.at('file'), { content: 'new', validate: 'false %s' }).call
    const unchanged = command('true', { changedWhen: { stdout: 'never' } }).call
    const [failed] = await host.segment([{ call: invalid, notify }])
    expect(failed).toMatchObject({ status: 'failed', code: 'validation_failed' })
    expect(await due(host)).toBe('')
    await host.segment([change('b')])
    const [ok, skipped] = await host.segment([{ call: unchanged, notify }, handler('a')])
    expect([ok!.status, skipped!.status]).toEqual(['ok', 'skipped'])
    expect(await due(host)).toBe(`b ${record('b')}\n`)
  })

  test.each(['full disk', 'directory in its place'])(
    'that can not be written down, for a %s, are not needed: nothing is changed',
    {
      tags: ['dev-full'],
    },
    async obstacle => {
      const host = await testHost({ shell })
      await mkdir(host.bootstrapDir, { recursive: true })
      await host.write('file', 'old')
      const record = `${host.bootstrapDir}/handlers`
      if (obstacle === 'full disk') await symlink('/dev/full', record)
      else await mkdir(record)
      const { notify } = change('a')
      const steps = [
        { call: file(host.at('file'), { content: 'new' }).call, notify },
        { call: command(`touch '${host.at('ran')}'`).call, notify },
        { call: { name: 'hw_owe', args: ['b', '{}'] } },
      ]
      for (const step of steps) {
        const [result, ran] = await host.segment([step, handler('a')])
        expect(result!.status).toBe('failed')
        expect(result!.stderr.toString()).toContain(
          `can't write ${host.bootstrapDir}/handlers: nothing was changed`,
        )
        expect(ran!.status).toBe('skipped')
        expect(result!.marks).not.toContainEqual(expect.arrayContaining(['owes']))
      }
      expect((await host.read('file')).toString()).toBe('old')
      expect(await readdir(host.directory)).not.toContain('ran')
      expect(await statuses(host, [handler('a')])).toEqual(['skipped'])
    },
  )

  test('stay due when they fail themselves', async () => {
    const host = await testHost({ shell })
    expect(await statuses(host, [change('a'), handler('a', 'exit 1')])).toEqual([
      'changed',
      'failed',
    ])
    expect(await due(host)).toContain('a {"key":"a"')
    expect(await statuses(host, [handler('a')])).toEqual(['changed'])
    expect(await due(host)).toBe('')
  })

  test('with --check they would run, and nothing is written down', async () => {
    const host = await testHost({ shell })
    const calls = [change('a'), handler('a'), handler('a')]
    expect(await statuses(host, calls, { check: true })).toEqual(['changed', 'changed', 'skipped'])
    expect(await due(host)).toBe('')
  })

  test('may notify others', async () => {
    const host = await testHost({ shell })
    const calls = [change('a'), { ...change('b'), handler: 'a' }, handler('b')]
    expect(await statuses(host, calls)).toEqual(['changed', 'changed', 'changed'])
    expect(await due(host)).toBe('')
  })
})
