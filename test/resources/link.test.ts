import { mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, type Converging, resourceTable } from '../support/resource-table.ts'
import { describeEach, fakePrograms, shells } from '../support/shells.ts'

resourceTable(
  'link',
  [
    {
      name: 'to a directory that comes later',
      wanted: at => link(at('current'), { target: 'releases/2' }),
      holds: '[ "$(readlink current)" = releases/2 ] && [ ! -e releases/1/2 ]',
      drift: [
        'mkdir -p releases/1 && ln -sfn releases/1 current',
        'rm current',
        'ln -sfn /etc/passwd current',
      ],
      note: 'created',
    },
    {
      name: 'in place of a file',
      given: 'echo x >l; echo keep >target',
      wanted: at => link(at('l'), { target: "-it's \\ a ☃", force: true }),
      holds: `[ "$(readlink l)" = "-it's \\ a ☃" ]`,
      drift: ['rm l; echo x >l', 'ln -sf target l'],
      note: 'in place of a file',
    },
    {
      name: 'absent',
      given: 'echo keep >target; ln -s target l',
      wanted: at => link(at('l'), { absent: true }),
      holds: '[ ! -L l ] && [ -f target ]',
      drift: ['ln -s /nowhere l', 'mkdir -p d; ln -s d l'],
      note: 'removed',
    },
  ],
  { host: directoryHost },
)

const changes = ({ statuses }: Converging) => statuses.filter(each => each === 'changed').length

describeEach(shells, 'under $name', shell => {
  const host = directoryHost()

  test('many are looked at together, also those with odd targets, or none', async () => {
    const at = await host.directory()
    const targets = ['a', 'b c', 'd\'e"f', '-g', '*', 'h\\ni', 'j ']
    await Promise.all(targets.map((target, n) => symlink(target, `${at}/l${n}`)))
    const wanted = targets.map((target, n) => link(`${at}/l${n}`, { target }))
    const all = [...wanted, link(`${at}/new`, { target: 'x' })]
    expect(changes(await bring(host, shell, at, all))).toBe(1)
    expect(changes(await bring(host, shell, at, all))).toBe(0)
    expect(await readlink(`${at}/new`)).toBe('x')
  })

  test.each(['two\nlines', 'ends\n', '\n'])('%j as the target of one hides no other', async odd => {
    const at = await host.directory()
    for (const name of ['k', 'l', 'm']) await symlink('right', `${at}/${name}`)
    await symlink(odd, `${at}/odd`)
    const wanted = ['k', 'odd', 'l', 'm'].map(name => link(`${at}/${name}`, { target: 'right' }))
    expect(changes(await bring(host, shell, at, wanted))).toBe(1)
    expect(await readlink(`${at}/odd`)).toBe('right')
  })

  test('what is below a link that leads elsewhere now, or is gone, is looked at again', async () => {
    const at = await host.directory()
    await host.script('mkdir 1 2; echo new >1/app; echo old >2/app; ln -s 1 now; ln -s 1 past', at)
    const content = 'new\n'
    const wanted = [
      link(`${at}/now`, { target: '2' }),
      file(`${at}/now/app`, { content }),
      link(`${at}/past`, { absent: true }),
      directory(`${at}/past`),
      file(`${at}/past/app`, { content }),
    ]
    expect(changes(await bring(host, shell, at, wanted))).toBe(5)
    expect(await host.script('cat 2/app past/app', at)).toBe('new\nnew\n')
    expect(changes(await bring(host, shell, at, wanted))).toBe(0)
  })

  test('what is there and no link fails the step; a directory always', async () => {
    const at = await host.directory()
    await writeFile(`${at}/f`, 'x')
    await mkdir(`${at}/d`)
    for (const [name, options, message] of [
      ['f', { target: 'x' }, 'exists and is not a link; force replaces it'],
      ['f', { absent: true }, 'exists and is not a link'],
      ['d', { target: 'x', force: true }, 'is a directory, not a link'],
      ['no/l', { target: 'x' }, 'there is no directory'],
    ] as const) {
      const { error } = await bring(host, shell, at, link(`${at}/${name}`, options))
      expect(error, name).toMatchObject({
        code: 'step_failed',
        at: expect.stringMatching(/link\.test\.ts:\d+$/),
      })
      expect(`${error!.output ?? ''}${error!.message}`).toContain(message)
    }
    expect((await readdir(at)).sort()).toEqual(['d', 'f'])
  })

  test('a link to a directory is replaced where mv has no -T, and nothing is left', async () => {
    const at = await host.directory()
    await mkdir(`${at}/old`)
    await symlink('old', `${at}/l`)
    const path = await fakePrograms(at, {
      mv: 'for word; do [ "$word" != -T ] || exit 1; done; exec /bin/mv "$@"',
    })
    const posix = {
      name: shell.name,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const,
    }
    expect((await bring(host, posix, at, link(`${at}/l`, { target: 'new' }))).notes).toEqual([
      'target',
    ])
    expect(await readlink(`${at}/l`)).toBe('new')
    expect(await readdir(`${at}/old`)).toEqual([])
  })

  test('its owner is its own', { tags: ['root'] }, async () => {
    const at = await host.directory()
    await writeFile(`${at}/target`, '')
    const wanted = link(`${at}/l`, { target: 'target', owner: 1234, group: 4321 })
    expect((await bring(host, shell, at, wanted)).notes).toEqual(['created'])
    expect(await host.script('stat -c %u:%g l target', at)).toBe('1234:4321\n0:0\n')
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
    await host.script('chown -h 0 l', at)
    expect((await bring(host, shell, at, wanted)).notes).toEqual(['owner'])
    expect(await host.script('stat -c %u:%g l target', at)).toBe('1234:4321\n0:0\n')
  })
})

describe('a link that can’t be is refused at its line', () => {
  test.each([
    ['no target', {}, /has no target/],
    ['an empty target', { target: '' }, /has no target/],
    ['a target of two lines', { target: 'a\nb' }, /control characters/],
    ['an absent link with a target', { absent: true, target: 'x' }, /absent link has no target/],
  ])('%s', (_, options, message) => {
    expect(() => link('/srv/l', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringMatching(message),
        details: expect.objectContaining({ at: expect.stringMatching(/link\.test\.ts:\d+$/) }),
      }),
    )
  })
})
