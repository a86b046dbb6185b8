/** Real-world files: every byte outside of an edit stays, and who reads the file finds just the edit. */
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { diffArrays } from 'diff'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeEach, pairs, type TestHost, testEach, testHost } from '../support/shells.ts'
import { bare, type EditorCase } from './editor-case.ts'
import { dialectCases } from './editors-dialect-cases.ts'
import { encodingCases } from './editors-encoding-cases.ts'
import { blockCases, lineCases } from './editors-line-cases.ts'
import { serverCases } from './editors-unit-cases.ts'
import { envCases, hostsCases } from './editors-variable-cases.ts'

const execute = promisify(execFile)
const fixtures = fileURLToPath(new URL('../support/fixtures/editors/', import.meta.url))
const parser = fileURLToPath(new URL('../support/parse-ini.py', import.meta.url))

const editorCases: readonly EditorCase[] = [
  ...serverCases,
  ...dialectCases,
  ...encodingCases,
  ...lineCases,
  ...blockCases,
  ...envCases,
  ...hostsCases,
]
const originals = new Map<string, Buffer>()
beforeAll(async () => {
  for (const { name } of (await readdir(fixtures, { withFileTypes: true })).filter(
    each => !each.name.startsWith('.'),
  ))
    originals.set(name, await readFile(join(fixtures, name)))
})

const nameOf = ({ file }: EditorCase, index: number) => `${index} ${file}`
const linesOf = (bytes: Buffer) => {
  const lines = bytes.toString('latin1').split('\n')
  // A newline at the end ends a line; it begins none.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** Lines that differ, `-old` and `+new`. All others are the same, byte for byte, and in their order. */
const changesOf = (before: readonly string[], after: readonly string[]) =>
  diffArrays([...before], [...after]).flatMap(({ added, removed, value }) =>
    added ? value.map(line => `+${line}`) : removed ? value.map(line => `-${line}`) : [],
  )
const latin1 = (text: string) => Buffer.from(text).toString('latin1')
/** Sorted, because the order of removed and added lines does not matter. */
const sorted = (changes: readonly string[]) => [...changes].sort()

/** Puts the file of each case on the host. */
async function spread(host: TestHost) {
  for (const [index, each] of editorCases.entries())
    await host.write(nameOf(each, index), originals.get(each.file)!, 0o640)
}

const contents = (host: TestHost) =>
  Promise.all(editorCases.map((each, index) => host.read(nameOf(each, index))))

test('there are sixty files or more, and each is edited', () => {
  expect(originals.size).toBeGreaterThanOrEqual(60)
  expect(new Set(editorCases.map(({ file }) => file))).toEqual(new Set(originals.keys()))
})

describeEach(pairs(2), 'real-world files with $name', ({ awk, shell }) => {
  test('change in the lines of the edit only, once, and as --check said', async () => {
    const host = await testHost({ awk, shell })
    await spread(host)
    const calls = editorCases.map((each, index) => each.wanted(host.at(nameOf(each, index))).call)
    const checked = await host.segment(calls, { check: true, diff: true })
    expect(await contents(host)).toEqual(editorCases.map(({ file }) => originals.get(file)))
    const applied = await host.segment(calls)
    const again = await host.segment(calls)
    const after = await contents(host)
    const found: unknown[] = []
    const wanted: unknown[] = []
    for (const [index, each] of editorCases.entries()) {
      const before = originals.get(each.file)!
      // A Latin-1 file's own bytes can be written in a case as they are.
      const expected = each.file.startsWith('latin1') ? each.diff : each.diff.map(latin1)
      const status = each.diff.length === 0 ? 'ok' : 'changed'
      const name = nameOf(each, index)
      const ended = (bytes: Buffer) => bytes.at(-1) === 10 || bytes.length === 0
      const [last, then] = [before, after[index]!].map(bytes => linesOf(bytes).at(-1))
      const isReplaced = expected.includes(`-${last}`) && expected.includes(`+${then}`)
      found.push({
        name,
        diff: sorted(changesOf(linesOf(before), linesOf(after[index]!))),
        ended: ended(after[index]!),
        statuses: [checked, applied, again].map(results => results[index]!.status),
        stderr: applied[index]!.stderr.toString(),
        shown: checked[index]!.parts.get('new')?.toString('latin1'),
        mode: (await stat(host.at(name))).mode & 0o777,
      })
      wanted.push({
        name,
        diff: sorted(expected),
        // A line that comes behind one without its end gives it one, and has its own; so has one before it that is
        // the last then.
        ended: ended(before) || (last !== then && !isReplaced),
        statuses: [status, status, 'ok'],
        stderr: '',
        shown: status === 'ok' ? undefined : after[index]!.toString('latin1'),
        mode: 0o640,
      })
    }
    expect(found).toEqual(wanted)
  })
})

describe('who reads the files', () => {
  test('Python’s configparser finds the edit, and all else as before', {
    tags: ['python3'],
  }, async () => {
    const host = await testHost()
    await spread(host)
    const asked = [...editorCases.entries()].filter(([, { python }]) => python)
    const jobs = asked.map(([index, each]) => ({
      path: host.at(nameOf(each, index)),
      options: { interpolation: null, ...each.python!.options },
      top: each.python!.top ?? '',
    }))
    const parse = async () => {
      const child = execute('python3', [parser], { maxBuffer: 1 << 28 })
      child.child.stdin!.end(JSON.stringify(jobs))
      return JSON.parse((await child).stdout) as Record<string, Record<string, string | null>>[]
    }
    const before = await parse()
    await host.segment(asked.map(([index, each]) => each.wanted(host.at(nameOf(each, index))).call))
    const after = await parse()
    expect(asked.length).toBeGreaterThanOrEqual(60)
    for (const [at, [index, each]] of asked.entries()) {
      const expected = structuredClone(before[at]!)
      for (const [section, keys] of Object.entries(each.python!.changes)) {
        if (keys === null) delete expected[latin1(section)]
        for (const [key, value] of Object.entries(keys ?? {})) {
          expected[latin1(section)] ??= {}
          const found = expected[latin1(section)]!
          if (value === null) delete found[latin1(key)]
          else found[latin1(key)] = value === bare ? null : latin1(value as string)
        }
      }
      expect({ name: nameOf(each, index), found: after[at] }).toEqual({
        name: nameOf(each, index),
        found: expected,
      })
    }
  })

  const asked = [...editorCases.entries()].flatMap(([index, each]) =>
    each.program
      ? [{ name: nameOf(each, index), each, program: each.program, tags: each.program.tags }]
      : [],
  )
  testEach(
    asked,
    'of $name is found by the program that reads it, and all else as before',
    async row => {
      const { name, each, program } = row
      const host = await testHost()
      await host.write(name, originals.get(each.file)!, 0o640)
      const keys = join(host.directory, 'key')
      if (program.tags.includes('sshd'))
        await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keys])
      const show = async () => {
        const { stdout } = await execute('sh', ['-ec', program.script, 'sh', host.at(name)], {
          env: { PATH: process.env.PATH, HOST_KEY: keys },
        })
        return stdout.split('\n')
      }
      const before = await show()
      await host.run(each.wanted(host.at(name)).call)
      const whole = (change: string) =>
        change.endsWith('=') ? `-${before.find(line => line.startsWith(change.slice(1)))}` : change
      expect(sorted(changesOf(before, await show()))).toEqual(sorted(program.changes.map(whole)))
    },
  )
})
