import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import {
  awks,
  describeEach,
  fakePrograms,
  shells,
  temporaryDirectory,
  testHost,
  words,
} from '../support/shells.ts'
import { runCall, ungathered } from './calls.ts'
import { type IniCase, iniCases } from './ini-cases.ts'

// Every awk under the first shell, every other shell with one of the awks.
const combinations = shells.flatMap((shell, index) =>
  (index === 0 ? awks : [awks[index % awks.length]!]).map(awk => ({
    name: `${shell.name} with ${awk.name}`,
    ...{ shell, awk },
    tags: [...(shell.tags ?? []), ...(awk.tags ?? [])],
  })),
)
const nameOf = (_: IniCase, index: number) => `case ${index}.ini`
const files = iniCases.map(nameOf)
const latin1 = (bytes: string | Buffer) => Buffer.from(bytes).toString('latin1')
const byName = <T>(values: readonly T[]) =>
  Object.fromEntries(iniCases.map(({ name }, index) => [name, values[index]]))

describeEach(combinations, 'hw_ini under $name', ({ shell, awk }) => {
  test('edits each case of the table, byte for byte, and finds it as wanted then', async () => {
    const host = await testHost({ shell, awk })
    const calls = iniCases.map(({ want }, index) => ini(host.at(files[index]!), want).call)
    const expected = iniCases.map(({ after, note = '' }) => ({
      status: after === undefined ? 'ok' : 'changed',
      note: words(shell, note),
      stderr: '',
    }))
    const outcome = ({ status, note, stderr }: Awaited<ReturnType<typeof host.run>>) => ({
      status,
      note,
      stderr: stderr.toString(),
    })
    const contents = async () =>
      byName(await Promise.all(files.map(async name => latin1(await host.read(name)))))
    for (const [index, { before }] of iniCases.entries()) await host.write(files[index]!, before)

    const checked = await host.segment(calls, { check: true })
    expect(byName(checked.map(outcome))).toEqual(byName(expected))
    expect(await contents()).toEqual(byName(iniCases.map(({ before }) => latin1(before))))

    const applied = await host.segment(calls)
    expect(byName(applied.map(outcome))).toEqual(byName(expected))
    const wanted = iniCases.map(({ before, after = before }) => latin1(after))
    expect(await contents()).toEqual(byName(wanted))
    const again = await host.segment(calls)
    expect(again.filter(({ status }) => status !== 'ok')).toEqual([])
    expect((await readdir(host.directory)).filter(name => name.includes('.hw-'))).toEqual([])
  })

  // With some, the size is what an awk that drops a NUL expects of a file without a last newline. They were
  // edited where the awk could, as texts in UTF-16 then were too.
  test.each([
    '[s]\na = 1\n\0\0x\0\nb = \0 2\n',
    '[s]\na=\0\n',
    '[s]\na=\0',
    '[s]\na=1\0',
    '[s]\na=1\n\0',
    '[s]\na=1\n\0\n',
    '\0[s]\na=1\n[s]\na=1',
  ])('%j is refused and untouched', async before => {
    const host = await testHost({ shell, awk })
    await host.write('f', before)
    const result = await host.run(ini(host.at('f'), { section: 's', set: { a: 2 } }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'file_invalid' })
    expect(result.stderr.toString()).toContain('holds NUL bytes')
    expect(latin1(await host.read('f'))).toBe(before)
  })
})

describeEach(awks, 'hw_ini with $name', awk => {
  test('shows with --diff what it would write, and writes nothing', async () => {
    const host = await testHost({ awk })
    for (const [index, { before }] of iniCases.entries()) await host.write(files[index]!, before)
    const calls = iniCases.map(({ want }, index) => ini(host.at(files[index]!), want).call)
    const results = await host.segment(calls.map(ungathered), { check: true, diff: true })
    const shown = results.map(({ parts }) => parts.get('new')?.toString('latin1'))
    expect(byName(shown)).toEqual(
      byName(iniCases.map(({ after }) => (after === undefined ? after : latin1(after)))),
    )
    for (const [index, { before }] of iniCases.entries())
      expect(latin1(await host.read(files[index]!))).toBe(latin1(before))
  })
})

describeEach(shells, 'hw_ini under $name', shell => {
  test('makes a file that is not there', async () => {
    const host = await testHost({ shell })
    const call = ini(host.at('new.ini'), { section: 'app', set: { a: 1, b: 2 } }).call
    expect(await host.run(call)).toMatchObject({
      status: 'changed',
      note: words(shell, 'created, a, b'),
    })
    expect(await host.read('new.ini')).toEqual(Buffer.from('[app]\na = 1\nb = 2\n'))
    expect(await host.run(call)).toMatchObject({ status: 'ok', note: '' })
  })

  test('does not make a file to remove a key from', async () => {
    const host = await testHost({ shell })
    const call = ini(host.at('none.ini'), { unset: ['a'] }).call
    for (const each of [call, ungathered(call)])
      expect(await host.run(each)).toMatchObject({ status: 'ok', note: '' })
    expect(await readdir(host.directory)).toEqual([])
  })

  test('keeps the mode, edits what a link points to, and the link stays', async () => {
    const host = await testHost({ shell })
    await host.write('real', 'a = 1\n', 0o640)
    await symlink('real', host.at('link'))
    const call = ini(host.at('link'), { set: { a: 2 } }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: words(shell, 'a') })
    expect(await host.read('real')).toEqual(Buffer.from('a = 2\n'))
    expect((await stat(host.at('real'))).mode & 0o7777).toBe(0o640)
    expect(await readdir(host.directory)).toEqual(['link', 'real'])
  })

  test('a failed validation keeps the old file, and leaves no temporary one', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'a = 1\n')
    const result = await host.run(
      ini(host.at('f'), { set: { a: 2 }, validate: 'grep "a = 1" %s' }).call,
    )
    expect(result).toMatchObject({ status: 'failed', code: 'validation_failed' })
    expect(await host.read('f')).toEqual(Buffer.from('a = 1\n'))
    expect(await readdir(host.directory)).toEqual(['f'])
  })

  test('sees what an earlier step of the segment wrote', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'a = 1\n')
    const set = (a: number) => ini(host.at('f'), { set: { a } }).call
    const results = await host.segment([set(2), set(2), set(1)])
    expect(results.map(({ status }) => status)).toEqual(['changed', 'ok', 'changed'])
    expect(await host.read('f')).toEqual(Buffer.from('a = 1\n'))
  })

  test('a pipe or a directory in place of the file fails the step at once', async () => {
    const host = await testHost({ shell })
    await mkdir(host.at('d'))
    await host.run(runCall(`mkfifo '${host.at('p')}'`))
    for (const name of ['d', 'p']) {
      const result = await host.run(ini(host.at(name), { set: { a: 1 } }).call)
      expect(result.status).toBe('failed')
      expect(result.stderr.toString()).toContain('is not a regular file')
    }
  })

  test('a missing awk and a failing awk have different errors', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'a = 1\n')
    const call = ini(host.at('f'), { set: { a: 2 } }).call
    // Without a slash in its name a program is sought on PATH only.
    await host.run({ name: 'eval', args: ['hw_kept=$PATH PATH=/nowhere'] })
    const missing = await host.run(call)
    expect(missing).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(missing.stderr.toString()).toContain('awk is not on this host')
    const home = await temporaryDirectory()
    const fake = await fakePrograms(home, { awk: 'echo out of memory >&2; exit 2' })
    await host.run({ name: 'eval', args: [`PATH='${fake}':$hw_kept`] })
    const failed = await host.run(call)
    expect(failed).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(failed.stderr.toString()).toContain('out of memory')
    expect(failed.stderr.toString()).toContain('exit status 2')
    expect(failed.stderr.toString()).not.toContain('bytes')
    expect(latin1(await host.read('f'))).toBe('a = 1\n')
  })

  test('a path with spaces and quotes', async () => {
    const host = await testHost({ shell })
    const path = host.at(`it's "a" $path ☃`)
    await writeFile(path, 'a = 1\n')
    const call = ini(path, { set: { a: 2 } }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed' })
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })
})
