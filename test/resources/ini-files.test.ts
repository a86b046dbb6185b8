/** INI files of programs with rules of their own, as these programs and Python read them. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBootstrapError } from '../../lib/errors.ts'
import { type IniOptions, ini } from '../../lib/resources/editing/ini.ts'
import { awkwardLine, many, once } from '../support/awkward.ts'
import { awks, describeEach, type TestHost, testHost } from '../support/shells.ts'

const execute = promisify(execFile)
const parser = fileURLToPath(new URL('../support/parse-ini.py', import.meta.url))

const samba = `[global]
   idmap config * : backend = tdb
   workgroup = ACME

[archive]
   recycle:keeptree = yes
   path = /srv/a
`
const setup = `[options]
name = x
install_requires =
    requests
    flask
packages = find:
`
const supervisor = `[program:web]
command=/usr/bin/web
environment=A="1",
  B="2",
  C="3"
autostart=true
`

/** The parameters of a section as Samba has them, those apart that are as by default. */
async function testparm(path: string, section: string): Promise<Record<string, string>> {
  const { stdout } = await execute('testparm', ['-s', '--suppress-prompt', path], {
    maxBuffer: 1 << 26,
  })
  const [, text = ''] = stdout.split(`[${section}]\n`)
  const rows = text
    .split(/\n\n|\n\[/)[0]!
    .split('\n')
    .filter(Boolean)
  return Object.fromEntries(
    rows.map(row => {
      const at = row.indexOf(' =')
      return [row.slice(0, at).trim(), row.slice(at + 3)]
    }),
  )
}

/** The sections of a file as Python's configparser has them. */
async function python(path: string): Promise<Record<string, Record<string, string | null>>> {
  const running = execute('python3', [parser], { maxBuffer: 1 << 26 })
  running.child.stdin!.end(JSON.stringify([{ path, options: { interpolation: null }, top: '' }]))
  return JSON.parse((await running).stdout)[0]
}

/** Those of the values that can be declared, by keys. */
function declared(values: readonly string[], key: (index: number) => string, options: IniOptions) {
  const set: Record<string, string> = {}
  for (const [index, value] of values.entries()) {
    try {
      ini('/f', { ...options, set: { [key(index)]: value } })
      set[key(index)] = value
    } catch (error) {
      if (!isBootstrapError(error)) throw error
    }
  }
  return set
}

async function edit(host: TestHost, text: string, options: IniOptions) {
  const path = await host.write('f', text)
  const { call } = ini(path, options)
  const { status, code, stderr } = await host.run(call)
  const again = await host.run(call)
  const after = (await host.read('f')).toString()
  return { status, code, stderr: stderr.toString(), again: again.status, after }
}

describe('smb.conf', { tags: ['testparm'] }, () => {
  // Neighbours of the older tests had one sign, and it separated.
  test.each<[string, string, Record<string, string>]>([
    ['a new key beside one that holds a colon', 'archive', { comment: 'x: y' }],
    ['a key that holds one', 'archive', { 'recycle:keeptree': 'no' }],
    ['a key beside one that begins alike', 'archive', { 'recycle:versions': 'yes' }],
    ['a key of the first section', 'global', { 'server string': 'a = b' }],
  ])('%s is what Samba reads', async (_, section, set) => {
    const host = await testHost()
    const { status, again } = await edit(host, samba, { section, set })
    expect([status, again]).toEqual(['changed', 'ok'])
    const found = await testparm(host.at('f'), section)
    expect(found).toMatchObject(set)
    const rest = { 'idmap config * : backend': 'tdb' }
    expect(await testparm(host.at('f'), 'global')).toMatchObject(rest)
  })

  // The older tests wrote names as the file has them.
  test.each<[string, string, string, Record<string, string>, Record<string, string>]>([
    [
      'two blanks in a key',
      '[global]\nmax  log   size = 1\n',
      'global',
      { 'max log size': '3' },
      { 'max log size': '3' },
    ],
    [
      'another letter case',
      '[Global]\nMax LOG Size=1\n',
      'global',
      { 'max log size': '3' },
      { 'max log size': '3' },
    ],
    [
      'no blank',
      '[global]\nmaxlogsize = 1\n',
      'GLOBAL',
      { 'max log size': '3' },
      { 'max log size': '3' },
    ],
    [
      'blanks around a section',
      '[ global ]\nmax log size = 1\n',
      'global',
      { 'max log size': '3' },
      { 'max log size': '3' },
    ],
    [
      'a value that goes on',
      '[global]\nserver string = one \\\n  two\nmax log size = 1\n',
      'global',
      { 'server string': 'x' },
      { 'server string': 'x', 'max log size': '1' },
    ],
    [
      'a value that goes on and is left alone',
      '[global]\nserver string = one \\\n  max log size = 9\n',
      'global',
      { 'max log size': '3' },
      { 'max log size': '3' },
    ],
  ])('in the format samba, %s is what Samba reads', async (_, text, section, set, wanted) => {
    const host = await testHost()
    const { status, again, after } = await edit(host, text, { format: 'samba', section, set })
    expect([status, again]).toEqual(['changed', 'ok'])
    expect(await testparm(host.at('f'), 'global')).toMatchObject(wanted)
    // No second line of the same key; one that only looks like it is a part of a value.
    expect(after.match(/max\s*log\s*size/gi)).toHaveLength(
      text.includes('  max log size = 9') ? 2 : 1,
    )
  })

  test('has 200 generated values as they were given', async () => {
    await fc.assert(
      fc.asyncProperty(many(awkwardLine, 300), async values => {
        const host = await testHost()
        const options: IniOptions = { section: 'archive', continued: 'backslash' }
        // It makes one blank of several, and to it any backslash at the end goes on in the next line.
        const fit = values.filter(value => !/\s\s|\t|\\$/.test(value))
        const set = declared(fit, index => `hw:key${index}`, options)
        expect(Object.keys(set).length).toBeGreaterThan(70)
        const { status, again } = await edit(host, samba, { ...options, set })
        expect([status, again]).toEqual(['changed', 'ok'])
        expect(await testparm(host.at('f'), 'archive')).toMatchObject(set)
      }),
      once,
    )
  })
})

test('200 generated values are to Python as they were given', { tags: ['python3'] }, async () => {
  await fc.assert(
    fc.asyncProperty(many(awkwardLine), async values => {
      const host = await testHost()
      const options: IniOptions = { section: 'options', continued: 'indent' }
      const set = declared(values, index => `key${index}`, options)
      expect(Object.keys(set).length).toBeGreaterThan(100)
      const { status, again } = await edit(host, setup, { ...options, set })
      expect([status, again]).toEqual(['changed', 'ok'])
      const found = await python(host.at('f'))
      const wanted = Object.entries(set).map(([key, value]) => [
        key,
        Buffer.from(value).toString('latin1'),
      ])
      expect(found.options).toEqual({
        name: 'x',
        install_requires: '\nrequests\nflask',
        packages: 'find:',
        ...Object.fromEntries(wanted),
      })
    }),
    once,
  )
})

describeEach(awks, 'with $name', awk => {
  test.each<[string, string, IniOptions]>([
    ['of setup.cfg, changed', setup, { section: 'options', set: { install_requires: 'x' } }],
    ['of setup.cfg, unset', setup, { section: 'options', unset: ['install_requires'] }],
    ['that its first line is', setup, { section: 'options', set: { install_requires: '' } }],
    ['of supervisor', supervisor, { section: 'program:web', set: { environment: 'A="1"' } }],
    ['within another', supervisor, { section: 'program:web', set: { B: '"3",' } }],
    ['of a unit', '[S]\nE=/bin/a \\\n  --b\nF=1\n', { section: 'S', set: { E: '/bin/c' } }],
    ['in quotes over lines', 'a = "x\ny"\nb = 1\n', { set: { a: 'z' } }],
    ['behind a comment and a blank line', 'a =\n\n# c\n  b\n', { set: { a: 'z' } }],
  ])('a value that goes on %s is refused unless that is said', async (_, text, options) => {
    const host = await testHost({ awk })
    const refused = await edit(host, text, options)
    expect(refused).toMatchObject({ status: 'failed', code: 'file_invalid', after: text })
    expect(refused.stderr).toContain('say so by `continued`')
    const sure = await edit(host, text, { ...options, continued: 'none' })
    expect(sure.status).not.toBe('failed')
  })

  test('a key beside one that goes on is set', async () => {
    const host = await testHost({ awk })
    const { status, after } = await edit(host, supervisor, {
      section: 'program:web',
      set: { autostart: 'false' },
    })
    expect([status, after]).toEqual(['changed', supervisor.replace('true', 'false')])
  })

  test('git’s older sections with a dot are found', { tags: ['git'] }, async () => {
    const host = await testHost({ awk })
    const before = '[branch.Main]\n\tremote = origin\n[branch "next"]\n\tremote = a\n'
    for (const section of ['branch "main"', 'branch.main']) {
      const { status, again, after } = await edit(host, before, {
        format: 'git',
        section,
        set: { remote: 'up' },
      })
      expect([status, again, after]).toEqual(['changed', 'ok', before.replace('origin', 'up')])
      const { stdout } = await execute('git', ['config', '-f', host.at('f'), 'branch.main.remote'])
      expect(stdout).toBe('up\n')
    }
  })
})
