/** Modes in letters: what they make of a mode is what chmod makes of it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import { modeMade } from '../../lib/resources/symbolic-mode.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { describeEach, shells } from '../support/shells.ts'

const modes = [
  ...['u=rwX,go=rX', 'u=rw,go=r', 'a=r', 'go=', 'o-rwx', 'g-w,o-rwx', 'a+x', '+x', '+w', '-w', '='],
  ...['=rw', 'u+s', 'g+s', 'g-s', '+t', 'o+t', 'u+t', 'a-x,a+X', 'a+X', 'go+rX,go-w', 'g=u', 'o=g'],
  ...[
    'u=rw,g=u,o=',
    'go=u',
    'u-s,g-s',
    'u=rwxs,g=rxs,o=',
    'a=rx,u+w',
    'ug+rw-x',
    'uo=x',
    '+s',
    '-t',
  ],
  ...['o=', 'g=rwx', 'a=', 'u=s', 'a=X', 'g+X', '=,+X'],
]
const starts = [
  ...[0o644, 0o755, 0o600, 0o000, 0o777, 0o640, 0o711, 0o654, 0o4755, 0o2755, 0o1777, 0o7777],
  ...[0o4644, 0o2640, 0o001, 0o010, 0o460],
]
const octal = (bits: number) => bits.toString(8).padStart(4, '0')

/** What chmod makes of each mode, of files and of directories. */
function byChmod(mode: string, base: string): string[] {
  const kinds = ['f', 'd'].flatMap(kind => starts.map(bits => ({ kind, bits })))
  const paths = kinds.map(({ kind, bits }) => join(base, `${kind}${octal(bits)}`))
  for (const [index, path] of paths.entries()) chmodSync(path, kinds[index]!.bits)
  // It fails where the umask keeps it from something, and does the rest.
  const script = 'umask 022; chmod -- "$0" "$@" 2>/dev/null; true'
  execFileSync('sh', ['-c', script, mode, ...paths])
  return paths.map(path => octal(statSync(path).mode & 0o7777))
}

test('letters make of every mode what chmod makes of it', () => {
  const base = mkdtempSync(join(tmpdir(), 'hw-modes-'))
  try {
    for (const bits of starts) {
      writeFileSync(join(base, `f${octal(bits)}`), '')
      mkdirSync(join(base, `d${octal(bits)}`))
    }
    const of = (bits: number) => (bits & 0o111 ? 'executable' : 'plain')
    for (const mode of modes) {
      const made = [
        ...starts.map(bits => octal(modeMade(mode, of(bits), bits))),
        ...starts.map(bits => octal(modeMade(mode, 'directory', bits))),
      ]
      expect(made, mode).toEqual(byChmod(mode, base))
    }
  } finally {
    execFileSync('chmod', ['-R', 'u+rwx', base])
    rmSync(base, { recursive: true })
  }
})

describeEach(shells, 'under $name', shell => {
  const host = directoryHost()

  test('a host makes of every mode what chmod makes of it, once', async () => {
    const at = await host.directory()
    const cases = modes.flatMap((mode, index) =>
      [0, 1].map(more => {
        const bits = starts[(index * 5 + more * 3) % starts.length]!
        const isFile = (index + more) % 3 > 0
        const path = `${at}/${index}-${more}`
        if (isFile) writeFileSync(path, '')
        else mkdirSync(path)
        chmodSync(path, bits)
        const of = isFile ? (bits & 0o111 ? 'executable' : 'plain') : 'directory'
        const wanted = isFile ? file(path, { mode }) : directory(path, { mode })
        return { path, wanted, made: `${path} ${octal(modeMade(mode, of, bits))}` }
      }),
    )
    const wanted = cases.map(each => each.wanted)
    expect((await bring(host, shell, at, wanted)).error).toBeUndefined()
    expect(cases.map(({ path }) => `${path} ${octal(statSync(path).mode & 0o7777)}`)).toEqual(
      cases.map(({ made }) => made),
    )
    const again = await bring(host, shell, at, wanted)
    expect(new Set(again.statuses)).toEqual(new Set(['ok']))
    await host.script('chmod -R u+rwx .', at)
  })

  test('what is new has what they make of 0644, of 0755, or of 0600 with a secret', async () => {
    const at = await host.directory()
    const mode = 'g+X,o-rwx'
    const items = [
      file(`${at}/f`, { content: 'x', mode }),
      directory(`${at}/d/e`, { mode }),
      line(`${at}/l`, { line: 'x', mode: 'o=' }),
      line(`${at}/s`, { line: secret('x'), mode: 'g+r' }),
      json(`${at}/j`, { set: { a: 1 }, mode: 'ug+w,a+x' }),
      // Of a link there is no mode: it has none of the step before it.
      link(`${at}/n`, { target: 'f' }),
    ]
    expect((await bring(host, shell, at, items)).error).toBeUndefined()
    expect(await host.script('stat -c %a f d d/e l s j', at)).toBe('640\n755\n750\n640\n640\n775\n')
    expect(new Set((await bring(host, shell, at, items)).statuses)).toEqual(new Set(['ok']))
  })
})

resourceTable(
  'modes in letters',
  [
    {
      name: 'of all in a directory, with X for what may be executed',
      given:
        'mkdir -p d/e; echo >d/f; echo >d/e/p; ln -s /etc/passwd d/l; chmod 700 d/e/p d/e d; chmod 666 d/f',
      wanted: at => directory(at('d'), { mode: 'u=rwX,go=rX', recurse: true }),
      holds: '[ "$(stat -c %a d d/e d/f d/e/p | tr "\\n" " ")" = "755 755 644 755 " ]',
      drift: ['chmod 600 d/f', 'chmod 711 d/e', 'chmod u-x,g-x d/e/p', 'chmod u-w d/f'],
      note: 'mode, 3 in it',
    },
    {
      name: 'that leave the rest as it is',
      given: 'mkdir d; echo >d/f; echo >d/g; chmod 646 d/f; chmod 710 d/g; chmod 2775 d',
      wanted: at => directory(at('d'), { mode: 'g-w', fileMode: 'o-rwx', recurse: true }),
      holds: '[ "$(stat -c %a d d/f d/g | tr "\\n" " ")" = "2755 640 710 " ]',
      drift: ['chmod o+r d/g', 'chmod 2775 d'],
      note: 'mode, 1 in it',
    },
  ],
  { host: directoryHost },
)

describe('a tree', () => {
  const host = directoryHost()
  test('copyTree takes them of the mode that a file has in the source', async () => {
    const at = await host.directory()
    await host.script('mkdir s; echo >s/f; echo >s/p; chmod 600 s/f; chmod 700 s/p; umask 077', at)
    const wanted = copyTree(`${at}/t`, {
      source: `${at}/s`,
      fileMode: 'u=rwX,g=rX,o=',
      directoryMode: 'o=',
    })
    expect((await bring(host, shells[0]!, at, wanted)).error).toBeUndefined()
    expect(await host.script('stat -c %a t t/f t/p', at)).toBe('750\n640\n750\n')
    expect((await bring(host, shells[0]!, at, wanted)).statuses).toEqual(['ok'])
  })
})

describe('a mode that can’t be had is refused', () => {
  test.each(['u=rwz', 'u', 'rwx', 'u=rw go=r', 'x=r', 'u=rw,', '', 'g+u', 'u-x,o+X'])(
    '%j',
    mode => {
      expect(() => file('/f', { mode })).toThrow(
        expect.objectContaining({
          code: 'recipe_invalid',
          message: expect.stringContaining('mode'),
        }),
      )
    },
  )
  test('one that copies, for all in a directory', () => {
    expect(() => directory('/d', { mode: 'g=u', recurse: true })).toThrow(/copies none/)
  })
})
