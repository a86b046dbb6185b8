/**
 * swap: against the kernel where it lets the test swap to a file of this machine's disk (1 MiB, for an
 * instant), else against a recorded contract of swapon and swapoff. /etc is an overlay that only the test
 * sees.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { swap } from '../../lib/resources/system/swap.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { listing, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'
import { systemTable } from '../support/system-table.ts'

const execute = promisify(execFile)

/** What swapon and swapoff do to /proc/swaps, where the kernel has none of it. */
const fakes = `mkdir -p "$base/bin"
printf 'Filename\\tType\\tSize\\tUsed\\tPriority\\n' >"$base/swaps"
mount --bind "$base/swaps" /proc/swaps
cat >"$base/bin/swapon" <<'END'
#!/bin/sh
priority=-2
[ "$1" != -p ] || { priority=$2; shift 2; }
[ "$(dd if="$1" bs=1 skip=4086 count=10 2>/dev/null)" = SWAPSPACE2 ] || { echo "swapon: $1: no swap" >&2; exit 255; }
printf '%s\\tfile\\t1020\\t0\\t%s\\n' "$1" "$priority" >>/proc/swaps
END
cat >"$base/bin/swapoff" <<'END'
#!/bin/sh
grep -qF "$1" /proc/swaps || { echo "swapoff: $1: Invalid argument" >&2; exit 255; }
rest=$(grep -vF "$1" /proc/swaps); printf '%s\\n' "$rest" >/proc/swaps
END
chmod +x "$base/bin/"*
`

const setup = `set -e
mount -t tmpfs none "$base/etc"
mkdir "$base/etc/up" "$base/etc/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$base/etc/up,workdir=$base/etc/work" none /etc
echo '# none' >/etc/fstab
if dd if=/dev/zero of="$base/probe" bs=1048576 count=1 2>/dev/null && chmod 600 "$base/probe" &&
  mkswap "$base/probe" >/dev/null && swapon "$base/probe" 2>/dev/null; then
  swapoff "$base/probe"
else
  ${fakes}
fi
rm -f "$base/probe"
echo ready
exec sleep 1000
`

/** The machine with an /etc of the test's own. */
function swapHost(): ResourceHost {
  let base = ''
  let count = 0
  let child: ChildProcess | undefined
  const enter = () => ['nsenter', '--target', String(child!.pid), '--mount']
  const env = () => ({ ...process.env, PATH: `${base}/bin:${process.env.PATH}`, base })
  const inside = (words: string[], more = {}) =>
    execute(enter()[0]!, [...enter().slice(1), ...words], { env: { ...env(), ...more } })
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'hw-swap-'))
    await mkdir(join(base, 'etc'))
    child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', setup], {
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout!, 'data')
  })
  afterAll(async () => {
    // A failed test may have left some in use.
    for (const line of (await readFile('/proc/swaps', 'utf8')).split('\n')) {
      const path = line.split(/\s/)[0]!
      if (path.startsWith(`${base}/`)) await execute('swapoff', [path])
    }
    child!.kill('SIGKILL')
    await once(child!, 'exit')
    await rm(base, { recursive: true, force: true })
  })
  return {
    transport: shell =>
      connectLocal({ shell: [...enter(), 'env', `PATH=${env().PATH}`, ...shell.command] }),
    directory: async () => {
      const made = join(base, `case-${++count}`)
      await mkdir(made)
      return made
    },
    script: async (text, at) => (await inside(['sh', '-ec', `cd "$at"\n${text}`], { at })).stdout,
    snapshot: async at =>
      (
        await inside([
          'sh',
          '-c',
          `${listing('"$0" /etc')}; awk '{ print $1, $3, $5 }' /proc/swaps`,
          at,
        ])
      ).stdout,
  }
}

const active = '[ "$(grep -c "$at/swap" /proc/swaps)" = 1 ]'

describe('swap files', { tags: ['overlay'] }, () => {
  systemTable(
    'swap',
    [
      {
        name: 'in use, now and after a start',
        wanted: at => swap(at('swap'), { size: '1M' }),
        holds: `${active} && [ "$(stat -c %a:%s swap)" = 600:1048576 ]
grep -qx "$at/swap none swap sw 0 0" /etc/fstab`,
        drift: [
          'swapoff "$at/swap"',
          'swapoff "$at/swap" && rm swap',
          'chmod 644 swap',
          'sed -i "\\|$at/swap|d" /etc/fstab',
        ],
        note: 'created, on, fstab',
        cleanup: 'swapoff "$at/swap"',
      },
      {
        name: 'of another size and priority',
        given: `dd if=/dev/zero of=swap bs=1M count=2 2>/dev/null; chmod 600 swap
mkswap swap >/dev/null; swapon "$at/swap"; echo "$at/swap none swap defaults" >>/etc/fstab`,
        wanted: at => swap(at('swap'), { size: '1M', priority: 7 }),
        holds: `grep -q "$at/swap.*[[:space:]]7$" /proc/swaps && [ "$(stat -c %s swap)" = 1048576 ]
grep -qx "$at/swap none swap sw,pri=7 0 0" /etc/fstab`,
        drift: ['swapoff "$at/swap"; swapon -p 3 "$at/swap"'],
        note: 'size, fstab',
        cleanup: 'swapoff "$at/swap"',
      },
      {
        name: 'there, and not in use',
        given: `dd if=/dev/zero of=swap bs=1M count=1 2>/dev/null; chmod 600 swap
mkswap swap >/dev/null; swapon "$at/swap"; echo "$at/swap none swap defaults" >>/etc/fstab`,
        wanted: at => swap(at('swap'), { size: '1M', on: false }),
        holds: '[ -f swap ] && ! grep -q "$at/swap" /proc/swaps && ! grep -q "$at/swap" /etc/fstab',
        drift: ['swapon "$at/swap"', 'rm swap'],
        note: 'off, fstab',
      },
      {
        name: 'absent',
        given: `dd if=/dev/zero of=swap bs=1M count=1 2>/dev/null; chmod 600 swap
mkswap swap >/dev/null; swapon "$at/swap"; echo "$at/swap none swap defaults" >>/etc/fstab`,
        wanted: at => swap(at('swap'), { absent: true }),
        holds:
          '[ ! -e swap ] && ! grep -q "$at/swap" /proc/swaps && ! grep -q "$at/swap" /etc/fstab',
        note: 'off, fstab, removed',
      },
    ],
    swapHost,
  )

  const host = swapHost()
  test('a file that finds no room leaves nothing behind', async () => {
    const at = await host.directory()
    await host.script('mkdir small; mount -t tmpfs -o size=512k none small', at)
    const { error } = await bring(host, anyShell, at, swap(`${at}/small/swap`, { size: '1M' }))
    expect(error?.message).toContain('could not make a swap file of 1 MiB: is there room?')
    expect(await host.script('ls -A small; umount small', at)).toBe('')
  })
})

test.each([
  [() => swap('swap', { size: '1M' }), 'not absolute'],
  [() => swap('/swap', {}), 'is not one: write 512M or 2G'],
  [() => swap('/swap', { size: '0G' }), 'is not one'],
  [() => swap('/swap', { size: '1.5G' }), 'is not one'],
  [() => swap('/swap', { size: '1G', priority: -1 }), 'priority'],
  [() => swap('/swap', { size: '1G', absent: true }), 'absent'],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
  expect(make).toThrow(expect.objectContaining({ code: 'recipe_invalid' }))
})
