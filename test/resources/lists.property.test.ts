/**
 * What holds for lists of resources, whatever they are.
 * @module-tag long
 */
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { json } from '../../lib/resources/data/json.ts'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, type Converging } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

/** A resource in a directory that is not known yet. */
type Wanted = (at: (name: string) => string) => Resource

const text = fc.constantFrom(
  '',
  'a\n',
  'no end',
  'two\nlines\n',
  'it\'s $(x) `y` \\ "z"\n',
  'é\r\n',
)
const mode = fc.constantFrom(undefined, 0o644, 0o600, 0o755)
const word = fc.constantFrom('a', 'b c', "it's", '$x', '0', 'é')

/** A resource made of a value. */
const of = <T>(
  values: fc.Arbitrary<T>,
  make: (value: T, at: (name: string) => string) => Resource,
) =>
  values.map((value): Wanted => {
    const wanted: Wanted = at => make(value, at)
    // For counterexamples.
    return Object.assign(wanted, {
      [fc.toStringMethod]: () => {
        const { title, call } = wanted(name => `/${name}`)
        return `${title} ${JSON.stringify(call.args)}`
      },
    })
  })

/**
 * One resource.
 * @param index what it is about: those of different numbers have nothing in common but a file
 */
const resource = (index: number): fc.Arbitrary<Wanted> =>
  fc.oneof(
    of(fc.record({ content: text, mode }), (options, at) => file(at(`f${index}`), options)),
    of(mode, (bits, at) => directory(at(`d${index}/deep`), { mode: bits })),
    of(word, (value, at) => ini(at('shared.ini'), { section: 's', set: { [`k${index}`]: value } })),
    of(fc.constant(''), (_, at) => ini(at('shared.ini'), { section: 's', unset: [`k${index}`] })),
    of(word, (value, at) =>
      line(at('lines'), { line: `${index}: ${value}`, match: new RegExp(`^${index}:`) }),
    ),
    of(word, (value, at) => block(at('blocks'), { marker: `m${index}`, content: `${value}\n` })),
    of(word, (value, at) => envFile(at('env'), { set: { [`V${index}`]: value } })),
    of(word, (value, at) => json(at('data.json'), { set: { [`k${index}`]: { value } } })),
    of(word, (value, at) => link(at(`l${index}`), { target: value })),
    of(fc.constant(''), (_, at) =>
      command(`echo made >'${at(`c${index}`)}'`, { creates: at(`c${index}`) }),
    ),
  )

/** Lists whose resources do not contradict each other. */
const agreeing = fc
  .integer({ min: 1, max: 14 })
  .chain(count => fc.tuple(...Array.from({ length: count }, (_, index) => resource(index))))

/** Lists that may: a key set and unset, a directory where a file or a link is. */
const any = fc.array(
  fc.integer({ min: 0, max: 2 }).chain(index =>
    fc.oneof(
      { weight: 5, arbitrary: resource(index) },
      {
        weight: 1,
        arbitrary: of(fc.constantFrom('f', 'l', 'c', 'env'), (kind, at) =>
          directory(at(kind === 'env' ? kind : `${kind}${index}`)),
        ),
      },
    ),
  ),
  { minLength: 1, maxLength: 10 },
)

/** What there is before: files that the lists edit, some of them odd. */
const before = fc.dictionary(
  fc.constantFrom('shared.ini', 'lines', 'blocks', 'env', 'f0', 'f1', 'c0'),
  fc.constantFrom('', '# only this', '[s]\nk0 = old\nk1=1\n', 'V0=old\r\nV1=x\r\n', '0: old\n'),
)

const shell = anyShell

describe('lists of resources', () => {
  const host = directoryHost()
  let base = ''
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'hw-lists-'))
  })
  afterAll(() => rm(base, { recursive: true, force: true }))

  let places = 0
  const place = async (files: Readonly<Record<string, string>>) => {
    // All of one length: it is part of what a diff or a message may say.
    const made = join(base, String(++places).padStart(6, '0'))
    await mkdir(made)
    for (const [name, content] of Object.entries(files)) await writeFile(join(made, name), content)
    return made
  }
  const go = (where: string, wanted: readonly Wanted[]): Promise<Converging> =>
    bring(
      host,
      shell,
      where,
      wanted.map(each => each(name => `${where}/${name}`)),
    )

  /** Everything below a directory: names, kinds, modes, contents. */
  async function treeOf(where: string): Promise<string[]> {
    const names = (await readdir(where, { recursive: true })).sort()
    const found = names
      .filter(name => !name.startsWith('.bootstrap'))
      .map(async name => {
        const path = join(where, name)
        const { mode: bits } = await lstat(path)
        const kind = (bits & 0o170000).toString(8)
        const content =
          kind === '120000'
            ? await readlink(path)
            : kind === '100000'
              ? await readFile(path, 'latin1')
              : ''
        return [name, bits.toString(8), content.replaceAll(where, '')].join(' ')
      })
    return Promise.all(found)
  }

  test('leave the host as they would one at a time, also where one of them fails', async () => {
    await fc.assert(
      fc.asyncProperty(before, any, async (files, wanted) => {
        const [together, alone] = [await place(files), await place(files)]
        const all = await go(together, wanted)
        // Two contents of one file are refused in one list, and one after the other they are not.
        fc.pre(all.error?.code !== 'recipe_invalid')
        const statuses: string[] = []
        for (const each of wanted) {
          const { statuses: one } = await go(alone, [each])
          statuses.push(...one)
          if (one.includes('failed')) break
        }
        expect(all.statuses.filter(status => status !== 'skipped')).toEqual(statuses)
        expect(await treeOf(together)).toEqual(await treeOf(alone))
      }),
      { numRuns: 25 },
    )
  })

  test('change nothing the second time', async () => {
    await fc.assert(
      fc.asyncProperty(before, agreeing, async (files, wanted) => {
        const where = await place(files)
        const first = await go(where, wanted)
        fc.pre(first.error === undefined)
        const tree = await treeOf(where)
        const second = await go(where, wanted)
        expect(second.statuses).toEqual(wanted.map(() => 'ok'))
        expect(await treeOf(where)).toEqual(tree)
      }),
      { numRuns: 40 },
    )
  })

  test('change nothing with --check, and say what they then do', async () => {
    await fc.assert(
      fc.asyncProperty(before, agreeing, async (files, wanted) => {
        const where = await place(files)
        const items = wanted.map(each => each(name => `${where}/${name}`))
        const tree = await treeOf(where)
        const checked = await bring(host, shell, where, items, { check: true })
        expect(await treeOf(where)).toEqual(tree)
        const done = await go(where, wanted)
        // Of several that make one file, each finds it missing with --check: both say changed.
        expect(checked.statuses).toEqual(done.statuses)
      }),
      { numRuns: 25 },
    )
  })

  test('stop at one that fails: what stands behind it is untouched', async () => {
    await fc.assert(
      fc.asyncProperty(before, agreeing, fc.nat(), async (files, wanted, number) => {
        const at = number % (wanted.length + 1)
        const breaks: Wanted = () => command('exit 9', { title: 'breaks' })
        const [broken, short] = [await place(files), await place(files)]
        const { statuses, error } = await go(broken, [
          ...wanted.slice(0, at),
          breaks,
          ...wanted.slice(at),
        ])
        const { error: earlier } = await go(short, wanted.slice(0, at))
        expect(error?.code).toBe('step_failed')
        if (!earlier) {
          expect(statuses[at]).toBe('failed')
          expect(statuses.slice(at + 1)).toEqual(wanted.slice(at).map(() => 'skipped'))
        }
        expect(await treeOf(broken)).toEqual(await treeOf(short))
      }),
      { numRuns: 25 },
    )
  })
})
