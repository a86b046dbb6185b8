/**
 * What fails midway is not ok in the next run: each program that a resource calls fails in turn, before or after it
 * did its work, or the session is killed behind it. The next run must make the host as wanted, which is asked of the
 * host, and the handlers must have run by then. Each resource's own test passed beside such faults, as it only sees
 * runs that come to their end.
 */
import { expect, test } from 'vitest'
import { sh } from '../../lib/index.ts'
import { layersDirectory } from '../../lib/lab/overlay.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { handler, type Resource } from '../../lib/resources/resource.ts'
import { quote } from '../../lib/shell/quote.ts'
import type { ResourceHost } from './resource-hosts.ts'
import { bring } from './resource-table.ts'
import { anyShell, type Program } from './shells.ts'

export interface HalfCase {
  name: string
  /** Prepares the host, and undoes what a case before it did outside of its directory. */
  given?: string
  wanted: (at: string, notify: Resource) => Resource
  /** Succeeds only if the host is as wanted. */
  holds: string
  /** Fails unless this machine is as wanted, where the resource changes that. */
  heldHere?: (at: string) => Promise<void>
  /** It is killed also before a program does its work. */
  late?: boolean
  /** Programs that fail in turn, besides those that change files. */
  programs?: string
}

const filePrograms = 'mv cp rm rmdir mkdir mktemp chmod chown ln cat dd tar find'

/** Stands for a program: the Nth call of any of them fails, or ends the session's shell. */
const wrapper = `#!/bin/sh
name=\${0##*/} n=0 at=0 how=none
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
read -r at how </run/hw-inject/at 2>/dev/null
[ "$at" -gt 0 ] || exec "$name" "$@"
# What systemd starts when it reads its units is not the resource's.
[ ! -d /run/systemd/system ] || case $(tr '\\0' ' ' <"/proc/$PPID/cmdline") in *generator*) exec "$name" "$@" ;; esac
# Those of a pipe begin at once.
set -C
until n=$((n + 1)); true >"/run/hw-inject/calls/$n" || [ "$n" -gt 999 ]; do :; done 2>/dev/null
set +C
[ "$n" -eq "$at" ] || exec "$name" "$@"
echo "$name $*" >/run/hw-inject/hit
[ "$how" != before ] || { echo "$name fails" >&2; exit 1; }
[ "$how" = 'kill before' ] || "$name" "$@"
case $how in kill*) ;; *) exit 1 ;; esac
# The session's shell is the one whose parent is outside of the host.
pid=$$
while read -r line </proc/$pid/stat; do
  set -- \${line##*) }
  [ "$2" -gt 1 ] || break
  pid=$2
done
kill -9 "$pid"
`

/** A shell of which nothing fails. */
const unharmed: Program = {
  ...anyShell,
  command: ['sh', '-c', 'echo 0 none >/run/hw-inject/at; exec "$@"', 'sh', ...anyShell.command],
}

/** Before a program did its work, or after that; the last one, which differs little from `kill`, for one case of a kind. */
const waysOf = ({ late }: HalfCase) => ['before', 'after', 'kill', ...(late ? ['kill before'] : [])]

/** More calls than a resource makes: none is hit, and all are counted. */
const none = 1000

/** Scripts of this many places in one: starting a process in a host takes longer than most of them. */
let places = 0

/**
 * Holds each case to that, in tests of their own for each way to fail.
 * @param host a host that only these tests change
 */
export function holdHalfDone(host: ResourceHost, cases: readonly HalfCase[]): void {
  for (const each of cases) {
    /** How many calls there are where none fails; asked once. */
    let calls: Promise<number> | undefined
    test.each(waysOf(each))(`${each.name}: %s`, async how => {
      calls ??= countCalls(host, each)
      const count = await calls
      expect(count).toBeGreaterThan(0)
      let check = ''
      for (let at = 1; at <= count; at++) {
        const place = placeOf(each)
        await host.script(`${check}${place.prepare}${inject(at, how)}`, '/')
        const first = await place.go(host)
        const second = await place.go(host, unharmed)
        const where = `${how} call ${at} of ${count}: ${JSON.stringify([first, second])}`
        expect(second.error, where).toBeUndefined()
        await each.heldHere?.(place.at)
        // A kill leaves no time to remove what was begun.
        check = place.check(where, `[ -s handled ]; ${how.startsWith('kill') ? nothingLeft : ''}`)
      }
      await host.script(check, '/')
    })
  }
}

/** Nothing of ours is anywhere that a host has written to. */
const nothingLeft = `left=$(find ${layersDirectory}/*/up /tmp /dev/shm -name '*.hw-[0-9]*' -o -name '*.hw-write' -o -path '*/.bootstrap/scratch-*' \\
  -o -name 'hostwright-[0-9]*-[0-9]*'); [ -z "$left" ] || { echo "left: $left" >&2; false; }`

const inject = (at: number, how: string) =>
  `rm -f /run/hw-inject/hit /run/hw-inject/calls/*; echo ${at} ${how} >/run/hw-inject/at\n`

/** A directory for one place, and what is done there. */
function placeOf({ given = '', wanted, holds }: HalfCase) {
  const at = `/srv/half-${++places}`
  const handled = handler(command(sh`echo x >>${`${at}/handled`}`))
  const within = (script: string) =>
    `(PATH=/usr/bin:/bin:/usr/sbin:/sbin at=${at}; cd "$at"\n${script}\n)`
  return {
    at,
    go: (host: ResourceHost, shell = anyShell) => bring(host, shell, at, wanted(at, handled)),
    prepare: `echo 0 none >/run/hw-inject/at; mkdir ${at}; ${within(given)}\n`,
    check: (where: string, also: string) =>
      `echo 0 none >/run/hw-inject/at
where=${quote(where)}
trap '{ cat /run/hw-inject/hit; printf "%s\\n" "$where"; } >&2' EXIT
test -s /run/hw-inject/hit
${within(`${holds}\n${also}`)}
trap - EXIT
`,
  }
}

/** Puts the wrapper in the place of the case's programs, and counts their calls in a run where none fails. */
async function countCalls(host: ResourceHost, each: HalfCase): Promise<number> {
  await host.script(
    `mkdir -p /run/hw-inject/calls
cat >/run/hw-inject/program <<'END'
${wrapper}END
chmod 755 /run/hw-inject/program; chmod 777 /run/hw-inject /run/hw-inject/calls
find /usr/local/sbin -lname /run/hw-inject/program -exec rm {} +
for name in ${filePrograms} ${each.programs ?? ''}; do ln -s /run/hw-inject/program "/usr/local/sbin/$name"; done`,
    '/',
  )
  // The second time: the first one also makes directories that stay.
  for (let turn = 0; turn < 2; turn++) {
    const place = placeOf(each)
    await host.script(`${place.prepare}${inject(none, 'count')}`, '/')
    const { error } = await place.go(host)
    expect(error).toBeUndefined()
  }
  const count = await host.script(
    'echo 0 none >/run/hw-inject/at; set -- /run/hw-inject/calls/*; echo $#',
    '/',
  )
  return Number(count)
}
