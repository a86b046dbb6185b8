/**
 * What a session leaves that is killed, or whose host can start no process: the next run takes it away. The tests of
 * ends before these let the session's own end take it away, which needs a shell that lives and can start `rm`.
 *
 * @module-tag long
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { killedAt, killing } from '../support/killing.ts'
import type { Requires } from '../support/requires.ts'
import { directoryHost, overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach, type Program, shells } from '../support/shells.ts'

interface Killed {
  /** Prepares the host; `$at` is the directory. */
  given?: string
  wanted: (at: string) => Items
  /** Succeeds only if the host is as wanted. */
  holds: string
  /** Takes away what there is outside of the directory. */
  cleanup?: string
}

const large = 'x'.repeat(300_000)
const source = mkdtempSync(join(tmpdir(), 'hw-left-'))
mkdirSync(join(source, 'sub'))
writeFileSync(join(source, 'one'), 'new')
writeFileSync(join(source, 'sub/two.conf'), 'new')
symlinkSync('../one', join(source, 'sub/link'))
afterAll(() => rmSync(source, { recursive: true, force: true }))

const beside: Record<string, Killed> = {
  file: {
    wanted: at => file(`${at}/f.conf`, { content: 'new', mode: 0o640, validate: 'test -s %s' }),
    holds: '[ "$(cat f.conf)" = new ]; [ "$(stat -c %a f.conf)" = 640 ]',
  },
  'file with a backup': {
    given: 'echo old >f',
    wanted: at => file(`${at}/f`, { content: large, backup: true }),
    holds: '[ "$(wc -c <f)" = 300000 ]; grep -qx old f.*~',
  },
  'file in place': {
    given: 'echo old >f; ln f other',
    wanted: at => file(`${at}/f`, { content: 'new', inPlace: true }),
    holds: '[ "$(cat other)" = new ]; [ f -ef other ]',
  },
  'line in place': {
    given: 'printf "a\\nb\\n" >f; ln f other',
    wanted: at => line(`${at}/f`, { line: 'c', inPlace: true }),
    holds: '[ "$(cat other)" = "$(printf "a\\nb\\nc")" ]',
  },
  link: {
    given: 'mkdir old new; ln -s old l',
    wanted: at => link(`${at}/l`, { target: 'new' }),
    holds: '[ "$(readlink l)" = new ]; [ -z "$(ls old)$(ls new)" ]',
  },
  directory: {
    wanted: at => directory(`${at}/a/d`, { mode: 0o711 }),
    holds: '[ "$(stat -c %a a/d)" = 711 ]',
  },
  archive: {
    given: 'mkdir -p src/sub; echo text >src/sub/own; tar -czf a.tgz -C src .',
    wanted: at => archive(`${at}/app`, { path: `${at}/a.tgz` }),
    holds: '[ "$(cat app/sub/own)" = text ]',
  },
}

const others: Record<string, Killed> = {
  'archive into a directory': {
    given: 'mkdir -p src/sub app; echo text >src/sub/own; tar -czf a.tgz -C src .',
    wanted: at => archive(`${at}/app`, { path: `${at}/a.tgz` }),
    holds: '[ "$(cat app/sub/own)" = text ]',
  },
  copyTree: {
    wanted: at => copyTree(`${at}/tree`, { source, delete: true }),
    holds: `diff -r tree ${source}`,
  },
  'copyTree without delete': {
    given: 'mkdir -p tree; echo mine >tree/mine',
    wanted: at => copyTree(`${at}/tree`, { source }),
    holds: `rm tree/mine; diff -r tree ${source}; echo mine >tree/mine`,
  },
  line: { wanted: at => line(`${at}/f`, { line: 'new' }), holds: '[ "$(cat f)" = new ]' },
  block: {
    given: 'echo old >f',
    wanted: at => block(`${at}/f`, { content: 'new' }),
    holds: 'grep -qx new f',
  },
  ini: {
    given: 'printf "[s]\\na = 1\\n" >f.ini',
    wanted: at => ini(`${at}/f.ini`, { section: 's', set: { a: '2' } }),
    holds: 'grep -q 2 f.ini',
  },
  envFile: {
    wanted: at => envFile(`${at}/env`, { set: { A: 'b c' } }),
    holds: '[ "$(. ./env; echo "$A")" = "b c" ]',
  },
  json: {
    given: 'echo "{}" >f.json',
    wanted: at => json(`${at}/f.json`, { set: { a: 2 } }),
    holds: 'grep -q 2 f.json',
  },
}

/**
 * Kills the session at each program in turn, until one converge needs fewer; each time another run follows.
 * @returns the programs
 */
async function killEverywhere(
  host: ResourceHost,
  shell: Program,
  each: Killed,
  { first = 1, step = 1 } = {},
) {
  const points: string[] = []
  for (let turn = first; ; turn += step) {
    const at = await host.directory()
    const { given, wanted, holds, cleanup = '' } = each
    const dying = await killing(host, shell, { at, turn, given })
    await bring(host, dying, at, wanted(at)).catch(() => {})
    const second = await bring(host, shell, at, wanted(at))
    const point = await host.script(killedAt, at)
    const after = `killed at ${turn}, ${point}`
    expect(second.error, after).toBeUndefined()
    const left = `${holds}\n${cleanup}\nfind . -name '*.hw-*' -o -name 'scratch-*'`
    expect(await host.script(left, at).catch(error => error.message), after).toBe('')
    if (point === '') return points
    points.push(point)
  }
}

describe('what a killed session left is gone after the next run:', () => {
  describeEach(shells, 'under $name', shell => {
    const host = directoryHost()
    // All points in one of the shells, each third in the others, and of all together another one in each.
    const places = shell === anyShell ? {} : { first: 1 + (shells.indexOf(shell) % 3), step: 3 }
    test.each(Object.entries(beside))('%s', async (_, each) => {
      expect((await killEverywhere(host, shell, each, places)).length).toBeGreaterThan(0)
    })
  })

  const host = directoryHost()
  test.each(Object.entries(others))('%s', async (_, each) => {
    expect((await killEverywhere(host, anyShell, each)).length).toBeGreaterThan(1)
  })
})

/** What a host may be short of: processes, which a pipe takes two of; the size of a file; room on its disk. */
const shortages = [
  ...[1, 2, 3, 4, 5].map(count => ({ name: `${count} processes`, limit: `ulimit -u ${count}` })),
  ...[0, 8, 128].map(blocks => ({ name: `${blocks} blocks a file`, limit: `ulimit -f ${blocks}` })),
  ...[4, 64, 256].map(kib => ({
    name: `${kib} KiB of disk`,
    given: `cat /dev/zero >fill 2>/dev/null || :; truncate -s -${kib}k fill`,
  })),
]

describe('what a session left that had no more than', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const kinds: Record<string, Killed> = {
    ...beside,
    // The host does not see the directory that the tree comes from.
    copyTree: {
      ...others.copyTree!,
      holds: '[ "$(cat tree/sub/two.conf tree/sub/link)" = newnew ]',
    },
  }
  // Limits of processes are for those who are not root, and count all that a user has.
  const user = 'setpriv --reuid=61234 --regid=61234 --clear-groups'.split(' ')
  const within = (script: string): Program => ({
    ...anyShell,
    command: [
      'env',
      'HOME=/',
      ...user,
      'sh',
      '-c',
      `${script}; exec "$@"`,
      'sh',
      ...anyShell.command,
    ],
  })
  test.each<{ name: string; limit?: string; given?: string }>(shortages)(
    '$name is gone after the next run',
    async ({ limit = ':', given: short = ':' }) => {
      for (const name of ['file with a backup', 'line in place', 'archive', 'copyTree']) {
        const { given = ':', wanted, holds } = kinds[name]!
        const at = await host.directory()
        await host.script(
          `mount -t tmpfs -o size=4m,mode=755 none "$at"; cd "$at"; ${given}\n${short}; chown -R 61234:61234 .`,
          at,
        )
        // Some have enough of it, and others not even for their first step.
        await bring(host, within(`ulimit -c 0; ${limit}`), at, wanted(at)).catch(() => {})
        await host.script('rm -f fill', at)
        const second = await bring(host, within(':'), at, wanted(at))
        expect(second.error, name).toBeUndefined()
        const left = `${holds}\nfind . -name '*.hw-*' -o -name 'scratch-*'; cd /; umount "$at"`
        expect(await host.script(left, at), name).toBe('')
      }
    },
  )
})

describeEach(shells, 'under $name, what another session makes', shell => {
  const host = directoryHost()
  const names = (at: string) => host.script('ls -A d', at)

  /** Another session that is about to give a file its name, until it may go on. */
  const holding = async (at: string) => {
    const held = `touch ${at}/held; while [ ! -e ${at}/go ]; do sleep 0.05; done; test -f %s`
    const other = bring(host, shell, at, file(`${at}/d/f`, { content: 'other', validate: held }))
    await expect.poll(() => host.script('ls', at)).toContain('held')
    return async () => {
      await host.script('touch go', at)
      return (await other).statuses
    }
  }

  const places: [string, readonly string[], Requires[]][] = [
    ['on the same host', [], []],
    ['in another PID namespace', ['unshare', '--pid', '--fork', '--mount-proc'], ['root']],
  ]
  for (const [where, words, tags] of places) {
    test(`stays while that lives, for a session ${where}`, { tags }, async () => {
      const at = await host.directory()
      await host.script('mkdir d', at)
      const goOn = await holding(at)
      const before = await names(at)
      expect(before).toMatch(/^\.f\.hw-/)
      const here = {
        ...shell,
        command: [...words, ...shell.command] as unknown as Program['command'],
      }
      expect((await bring(host, here, at, file(`${at}/d/f`, { content: 'x' }))).statuses).toEqual([
        'changed',
      ])
      expect(await names(at)).toBe(`${before}f\n`)
      expect(await goOn()).toEqual(['changed'])
      expect(await names(at)).toBe('f\n')
    })
  }

  test('goes only where that is certainly dead, and what is not ours stays', async () => {
    const at = await host.directory()
    await host.script('mkdir d', at)
    const goOn = await holding(at)
    const [, uid, , , init, boot, name] = /hw-(\d+)-(\d+)-(\d+)-(\d+)-(\w+)-([\w-]+)\./.exec(
      await names(at),
    )!
    await goOn()
    const own = `${init}-${boot}-${name}`
    const started = await host.script(`cut -d' ' -f22 /proc/${process.pid}/stat`, at)
    const alive = `${uid}-${process.pid}-${started.trim().slice(-6)}`
    const old = 'touch -h -d "3 days ago"'
    const made: [string, string, boolean][] = [
      // Its name, how it is made, whether it goes.
      [`.a.hw-${alive}-${own}.x`, ': >', false],
      [`.a.hw-${uid}-${process.pid}-1-${own}.x`, ': >', true],
      [`.a.hw-${uid}-99999999-1-${own}.x`, ': >', true],
      [`.a.hw-${uid}-99999999-1-${own}.l`, 'ln -s /etc/passwd', true],
      [`.a.hw-${uid}-99999999-1-${own}.d`, 'mkdir', true],
      ['.b.hw-write', ': >', false],
      [`.a.hw-${uid}-99999999-1-${init}-other1-${name}.x`, ': >', false],
      [`.a.hw-${uid}-99999999-1-${init}-${boot}-another.x`, ': >', false],
      [`.a.hw-${uid}-99999999-1-${init}-other1-${name}.old`, old, true],
      [`.a.hw-${uid}-99999999-1-${init}-${boot}-another.old`, old, true],
      ['.a.hw-', ': >', false],
      ['.a.hw-1-2-3', ': >', false],
      ['.a.hw-x-2-3-4-5-6', ': >', false],
      ['a.hw-note', ': >', false],
    ]
    const script = made.map(([each, how]) =>
      how === old ? `: >'${each}'; ${old} '${each}'` : `${how} '${each}'`,
    )
    await host.script(`cd d; ${script.join('\n')}`, at)
    // Nothing is done to the file, and nothing with --check.
    const wanted = file(`${at}/d/f`, { content: 'other' })
    const before = await names(at)
    expect((await bring(host, shell, at, wanted, { check: true })).statuses).toEqual(['ok'])
    expect(await names(at)).toBe(before)
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
    const stay = made.flatMap(([each, , goes]) => (goes ? [] : [each]))
    expect((await names(at)).trim().split('\n').sort()).toEqual([...stay, 'f'].sort())
  })
})
