/** @module-tag zip
 * @module-tag compressors
 * @module-tag python3
 * @module-tag curl */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArchiveOptions, archive } from '../../lib/resources/transfer/archive.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import { anyShell, shells, temporaryDirectory, testEach, testHost } from '../support/shells.ts'
import { webServer } from '../support/web.ts'
import { whereIs } from '../support/where-is.ts'

const execute = promisify(execFile)
const web = webServer()
let base = ''
const place = (name: string) => join(base, name)
const sumOf = async (name: string) =>
  createHash('sha256')
    .update(await readFile(place(name)))
    .digest('hex')

/** Archives of each format, of one tree: top/bin/tool, top/docs/a b.txt, top/.hidden, a link. */
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'hw-archive-'))
  const script = `
    mkdir -p top/bin top/docs
    printf '#!/bin/sh\\n' >top/bin/tool; chmod 755 top/bin/tool
    echo text >'top/docs/a b.txt'; echo hidden >top/.hidden; ln -s tool top/bin/link
    tar -cf app.tar top
    for each in gzip:gz xz:xz zstd:zst bzip2:bz2; do
      \${each%:*} -c <app.tar >app.tar.\${each#*:}
    done
    cp app.tar.gz app.tgz
    zip -qry app.zip top
    echo newer >'top/docs/a b.txt'; tar -czf newer.tar.gz top
    head -c 3000000 /dev/urandom >top/big; tar -cf big.tar top
    head -c 100 app.tar.xz >cut.tar.xz
    echo no archive >wrong.tar
    python3 - <<'END'
import tarfile, io, zipfile
def tar(name, *entries):
    with tarfile.open(name, 'w') as made:
        for path, link in entries:
            info = tarfile.TarInfo(path)
            if link and link[0] == '=':
                info.type, info.linkname = tarfile.LNKTYPE, link[1:]
                made.addfile(info)
            elif link:
                info.type, info.linkname = tarfile.SYMTYPE, link
                made.addfile(info)
            else:
                info.size = 1
                made.addfile(info, io.BytesIO(b'x'))
tar('absolute.tar', ('/tmp/hw-absolute', None))
tar('up.tar', ('a/../../hw-up', None))
tar('link.tar', ('out', '/tmp'), ('out/hw-through', None))
tar('dotted.tar', ('./out', '/tmp'), ('.//out/hw-through', None))
tar('hard.tar', ('b', '=/etc/hostname'))
tar('hard-up.tar', ('d/b', '=d/../../../../../../etc/hostname'))
tar('hard-through.tar', ('a', '/etc'), ('b', '=a/hostname'))
tar('hard-inside.tar', ('./d/a b', None), ('./d/c', '=./d/a b'), ('a -> a', None))
tar('border.tar', ('//', None), ('../hw-up', None))
with zipfile.ZipFile('up.zip', 'w') as made:
    made.writestr('../hw-up', 'x')
def windows(name, *paths):
    # As programs of Windows write it: unzip unpacks it all, warns, and ends with 1.
    with zipfile.ZipFile(name, 'w') as made:
        for path in paths:
            info = zipfile.ZipInfo(path.replace('/', chr(92)), (1980, 1, 1, 0, 0, 0))
            info.filename, info.create_system = path.replace('/', chr(92)), 0
            made.writestr(info, 'x')
windows('windows.zip', 'app/bin/run.sh', 'app/conf/a.ini')
windows('windows-up.zip', 'app/../../hw-up')
END`
  await execute('bash', ['-ec', script], { cwd: base })
  for (const name of await readdir(base)) {
    if (name.startsWith('app.')) web.pages[`/${name}`] = { body: await readFile(place(name)) }
  }
})
afterAll(() => rm(base, { recursive: true, force: true }))

const whole =
  '[ -x bin/tool ] && [ "$(cat "docs/a b.txt")" = text ] && [ -f .hidden ] && [ "$(readlink bin/link)" = tool ]'

resourceTable(
  'archive',
  [
    {
      name: 'from here, without its top directory',
      wanted: at => archive(at('my app'), { source: place('app.tar.gz'), strip: 1, mode: 0o750 }),
      holds: `cd 'my app'; ${whole} && [ "$(stat -c %a .)" = 750 ] && [ ! -e ../.*.hw-* ]`,
      drift: [`rm -r 'my app'`, `chmod 700 'my app'`, `rm 'my app/.hostwright-archive'`],
      note: /^created, unpacked$/,
    },
    {
      name: 'two into a directory that has files',
      given: 'mkdir -p app/docs; echo mine >app/mine; echo old >"app/docs/a b.txt"',
      wanted: at => [
        archive(at('app'), { source: place('app.zip'), strip: 1 }),
        archive(at('app'), { source: place('big.tar'), name: 'big' }),
      ],
      holds: `cd app; ${whole} && [ "$(cat mine)" = mine ] && cmp top/big ${tmpdir()}/hw-archive-*/top/big`,
      drift: ['echo x >app/.hostwright-archive-big'],
      note: 'unpacked',
    },
    {
      name: 'from the host',
      given: `cp ${tmpdir()}/hw-archive-*/app.tar.xz .`,
      wanted: at => archive(at('new/app'), { path: at('app.tar.xz') }),
      holds: `cd new/app/top; ${whole}`,
      drift: [
        `xz -dc ${tmpdir()}/hw-archive-*/app.tar.bz2 2>/dev/null || { bzip2 -dc ${tmpdir()}/hw-archive-*/app.tar.bz2; head -c 10240 /dev/zero; } | xz >app.tar.xz`,
      ],
      note: /^created, unpacked$/,
    },
  ],
  { host: directoryHost },
)

const programs =
  'sh env cat stat sha256sum mv rm cp chmod chown readlink mkdir cksum awk sed curl id find wc'

/** A PATH with few programs, some of them busybox's. */
async function pathOf(real: readonly string[], busybox: readonly string[] = []): Promise<string> {
  const directory = await temporaryDirectory()
  for (const name of real) await symlink(whereIs(name)!, join(directory, name))
  for (const name of busybox) await symlink(whereIs('busybox')!, join(directory, name))
  return directory
}

const bare = async (path: string, shell = anyShell.command[0]) =>
  testHost({ shell: { name: shell, command: ['env', `PATH=${path}`, whereIs(shell)!] } })

describe('archive', () => {
  const formats = ['tar', 'tar.gz', 'tgz', 'tar.xz', 'tar.zst', 'tar.bz2', 'zip']

  test.each(formats)('%s from a URL', async format => {
    const host = await testHost()
    const options = { url: web.url(`/app.${format}`), sha256: await sumOf(`app.${format}`) }
    const wanted = archive(host.at('app'), { ...options, strip: 1 }).call
    const result = await host.run(wanted)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('app/docs/a b.txt'))).toBe('text\n')
    expect((await host.run(wanted)).status).toBe('ok')
    expect(web.requests.filter(each => each === `GET /app.${format}`)).toHaveLength(1)
  })

  test.each(formats)('%s with the programs of busybox', { tags: ['busybox'] }, async format => {
    const own = ['tar', 'gzip', 'xz', 'bzip2', 'unzip', 'cp', 'mv', 'awk', 'sed'].filter(
      name => format !== 'tar.zst' || name !== 'zstd',
    )
    const rest = [...programs.split(' ').filter(name => !own.includes(name)), 'zstd']
    const host = await bare(await pathOf(rest, own))
    const options = { url: web.url(`/app.${format}`), sha256: await sumOf(`app.${format}`) }
    const result = await host.run(archive(host.at('app'), { ...options, strip: 1 }).call)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('app/docs/a b.txt'))).toBe('text\n')
    expect(String(await host.read('app/.hidden'))).toBe('hidden\n')
  })

  testEach(
    shells,
    'links that stand in the way are replaced, not followed, under $name',
    async shell => {
      const host = await testHost({ shell })
      await host.write('precious', 'mine')
      await mkdir(host.at('app/top/docs'), { recursive: true })
      for (const name of ['.hostwright-archive', 'top/docs/a b.txt', 'top/bin']) {
        await symlink(host.at('precious'), host.at(`app/${name}`))
      }
      const result = await host.run(archive(host.at('app'), { source: place('app.tar') }).call)
      expect(result.status, String(result.stderr)).toBe('changed')
      expect(String(await host.read('precious'))).toBe('mine')
      expect(String(await host.read('app/top/docs/a b.txt'))).toBe('text\n')
    },
  )

  testEach(
    shells,
    'what is chosen of it is what tar and unzip choose, under $name',
    async shell => {
      const host = await testHost({ shell })
      const choices: [object, string, string][] = [
        [
          { exclude: ['*.txt', 'top/bin'] },
          '--exclude=*.txt --exclude=top/bin',
          '-x *.txt top/bin/*',
        ],
        [{ include: ['top/docs'] }, 'top/docs', 'top/docs/*'],
        [{ include: ['a b.txt'] }, '--wildcards */a?b.txt', '*/a?b.txt'],
        [
          { include: ['top/bin', '.hidden'], exclude: ['link'] },
          '--exclude=link top/bin top/.hidden',
          'top/bin/* top/.hidden -x */link',
        ],
      ]
      for (const [index, [options, tar, zip]] of choices.entries()) {
        for (const name of ['app.tar.gz', 'app.zip']) {
          const at = host.at(`${index}-${name}`)
          const call = archive(at, { path: place(name), ...options }).call
          const result = await host.run(call)
          expect(result.status, String(result.stderr)).toBe('changed')
          expect((await host.run(call)).status).toBe('ok')
          const script = name.endsWith('zip')
            ? `unzip -q ${place(name)} ${zip}`
            : `tar -xzf ${place(name)} ${tar}`
          // Directories of what is not chosen are no part of a choice: unzip makes some, tar others.
          const list = 'find . ! -type d ! -name ".hostwright*" | sort'
          const lists = await execute('sh', [
            '-efc',
            `cd '${at}'; ${list}; echo; mkdir '${at}.t'; cd '${at}.t'; ${script}; ${list}`,
          ])
          const [ours, theirs] = lists.stdout.split('\n\n')
          expect(`${ours}\n`, JSON.stringify(options)).toBe(theirs)
        }
      }
      // Another choice is unpacked anew; one of nothing is none.
      const at = host.at('0-app.zip')
      const more = archive(at, { path: place('app.zip'), exclude: ['top/bin'] }).call
      expect((await host.run(more)).status).toBe('changed')
      expect(String(await host.read('0-app.zip/top/docs/a b.txt'))).toBe('text\n')
      const none = await host.run(
        archive(host.at('none'), { path: place('app.zip'), include: ['no*'] }).call,
      )
      expect(none).toMatchObject({ status: 'failed' })
      expect(String(none.stderr)).toContain('the archive contains nothing that include names')
    },
  )

  test('another version comes over the one before, and back', async () => {
    const host = await testHost()
    for (const [name, text] of [
      ['app', 'text\n'],
      ['newer', 'newer\n'],
      ['app', 'text\n'],
    ]) {
      const wanted = archive(host.at('app'), { source: place(`${name}.tar.gz`) }).call
      expect((await host.run(wanted)).status).toBe('changed')
      expect(String(await host.read('app/top/docs/a b.txt'))).toBe(text)
    }
  })

  const outside = ['link.tar', 'dotted.tar', 'hard.tar', 'hard-up.tar', 'hard-through.tar']

  const byBusybox = async () => bare(await pathOf([...programs.split(' '), 'ls'], ['tar']))

  test.each(outside)('%s is refused by busybox’s tar too', { tags: ['busybox'] }, async name => {
    const host = await byBusybox()
    const result = await host.run(archive(host.at('in/app'), { source: place(name) }).call)
    expect(result.status).toBe('failed')
    expect(String(result.stderr)).toMatch(/the archive contains .*: nothing was unpacked\n$/)
    expect(await readdir(host.at('in'))).toEqual([])
  })

  const tars = [
    { name: 'GNU', host: () => testHost() },
    { name: 'busybox', host: byBusybox, tags: ['busybox'] as const },
  ]
  testEach(tars, 'hard links within it are unpacked by $name tar', async tar => {
    const host = await tar.host()
    const options = { source: place('hard-inside.tar') }
    const result = await host.run(archive(host.at('app'), options).call)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('app/d/c'))).toBe('x')
    expect(String(await host.read('app/a -> a'))).toBe('x')
  })

  test('a zip file that unzip only warns of is unpacked, and ok from then on', async () => {
    const host = await testHost()
    const { call } = archive(host.at('app'), { source: place('windows.zip'), strip: 1 })
    const result = await host.run(call)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('app/bin/run.sh'))).toBe('x')
    expect((await host.run(call)).status).toBe('ok')
  })

  const refusals = [
    ...outside,
    'absolute.tar',
    'up.tar',
    'border.tar',
    'up.zip',
    'windows-up.zip',
  ].flatMap(file =>
    shells.map(shell => ({
      name: `${file} is refused under ${shell.name}`,
      ...{ file, shell },
      tags: shell.tags,
    })),
  )
  testEach(refusals, '$name', async ({ file, shell }) => {
    const host = await testHost({ shell })
    const result = await host.run(archive(host.at('in/app'), { source: place(file) }).call)
    expect(result.status).toBe('failed')
    expect(String(result.stderr)).toMatch(/the archive contains .*: nothing was unpacked\n$/)
    expect(await readdir(host.at('in'))).toEqual([])
    expect(await readdir(host.directory)).toEqual(['in'])
  })

  test.each([
    ['cut.tar.xz', "can't unpack the archive|can't read the archive"],
    ['wrong.tar', "can't read the archive"],
  ])('%s fails and leaves the directory as it was', async (name, message) => {
    const host = await testHost()
    await host.run(archive(host.at('app'), { source: place('app.tar') }).call)
    const result = await host.run(archive(host.at('app'), { source: place(name) }).call)
    expect(result.status).toBe('failed')
    expect(String(result.stderr)).toMatch(new RegExp(message))
    expect((await readdir(host.at('app'))).sort()).toEqual(['.hostwright-archive', 'top'])
    expect(await readdir(host.directory)).toEqual(['app'])
    const again = await host.run(archive(host.at('app'), { source: place('app.tar') }).call)
    expect(again.status).toBe('ok')
  })

  test('one with another checksum is not unpacked', async () => {
    const host = await testHost()
    const options = { url: web.url('/app.tar'), sha256: await sumOf('app.tgz') }
    const result = await host.run(archive(host.at('app'), options).call)
    expect(result).toMatchObject({ status: 'failed', code: 'checksum_mismatch' })
    expect(await readdir(host.directory)).toEqual([])
  })

  test.each([
    ['tar.zst', 'zstd', 'zstd'],
    ['tar.xz', 'xz', 'xz-utils|xz'],
    ['zip', 'unzip', 'unzip'],
    ['tar', 'tar', 'tar'],
  ])('%s without %s says what package has it', async (format, program, name) => {
    const host = await bare(await pathOf(programs.split(' ')))
    const result = await host.run(archive(host.at('app'), { source: place(`app.${format}`) }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
    const said = `^${program} is not on this host; the package that has it is (${name})\n$`
    expect(String(result.stderr)).toMatch(new RegExp(said))
  })

  test('what is unpacked belongs to whom it should', { tags: ['root'] }, async () => {
    const host = await testHost()
    const options = { source: place('app.tar'), owner: 'nobody', group: 65534 }
    const result = await host.run(archive(host.at('app'), options).call)
    expect(result.status, String(result.stderr)).toBe('changed')
    const { stdout } = await execute('find', [host.at('app'), '!', '-user', 'nobody'])
    expect(stdout).toBe('')
  })

  test.each<[string, ArchiveOptions, string]>([
    ['nothing', {}, 'give one of source, url and path'],
    ['two', { path: '/a.tar', url: 'http://x/a.tar' }, 'give one of source, url and path'],
    ['a URL without a checksum', { url: 'http://x/a.tar' }, 'needs its sha256 or sha512'],
    ['an odd ending', { path: '/a.rar' }, 'does not say its format: give one of tar, tar.gz'],
    ['a source that is not there', { source: 'no/such.tar' }, 'can’t read the source no/such.tar'],
    ['half a directory', { path: '/a.tar', strip: 0.5 }, 'strip is a number of directories'],
    ['a name with a slash', { path: '/a.tar', name: '../x' }, 'is not letters, digits'],
  ])('refuses %s, with the line of the recipe', (_, options, message) => {
    expect(() => archive('/a', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/archive\.test\.ts:\d+$/) }),
      }),
    )
  })
})
