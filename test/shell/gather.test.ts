/** What a segment finds out beforehand, for all its steps with one process each. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { file } from '../../lib/resources/files/file.ts'
import type { HostCall } from '../../lib/session/call.ts'
import {
  describeEach,
  fakePrograms,
  shells,
  temporaryDirectory,
  testHost,
  words,
} from '../support/shells.ts'

/** What pkg calls on a host of this package manager. */
const packageCall = (by: string, ...names: string[]): HostCall => ({
  name: `hw_package_${by}`,
  args: ['present', '', ...names],
  gather: [{ by: `hw_gather_${by}`, of: names }],
})

describeEach(shells, 'gathering in $name', shell => {
  test('asks two package managers each for its own packages, by one process each', async () => {
    const directory = await temporaryDirectory()
    const log = `${directory}/log`
    const logged = (name: string) =>
      `until [ "$1" = -- ]; do shift; done; shift; echo "${name} $*" >>${log}\n`
    const fake = await fakePrograms(directory, {
      'dpkg-query': `${logged('dpkg-query')}echo 'installed install one amd64 1.0
installed install three amd64 3.0'`,
      rpm: `${logged('rpm')}echo 'two=2.0-1
four=4.0-1'`,
    })
    const host = await testHost({ shell, directory, path: [fake] })
    const results = await host.segment([
      packageCall('apt', 'one'),
      packageCall('dnf', 'two'),
      packageCall('apt', 'three', 'one'),
      packageCall('dnf', 'four'),
    ])
    expect(results.map(({ status, stderr }) => `${status}${stderr}`)).toEqual(Array(4).fill('ok'))
    expect(await readFile(log, 'utf8')).toBe('dpkg-query one three\nrpm two four\n')
  })

  test('leaves a name with a backslash to its step, and what is no file unread', async () => {
    const host = await testHost({ shell })
    const names = ['plain', 'back\\slash', 'last']
    for (const name of names) await host.write(name, name)
    const calls = [...names, 'absent'].map(name => file(host.at(name), { content: name }).call)
    const results = await host.segment(calls, { check: true })
    expect(results.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'changed'])
    const [wrong] = await host.segment([
      file(host.at('back\\slash'), { content: 'other' }).call,
      file(host.at('last'), { content: 'last' }).call,
    ])
    expect(wrong).toMatchObject({ status: 'changed', note: words(shell, 'content') })
    expect(`${await host.read('back\\slash')}`).toBe('other')
  })
})
