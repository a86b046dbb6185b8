/** A shell of a session that is killed as it starts its n-th program: where a host, a person or the kernel may stop it. */
import type { ResourceHost } from './resource-hosts.ts'
import type { Program } from './shells.ts'

/** What the prelude calls to change something, or to look at it. */
const programs =
  'awk cat chgrp chmod chown chpasswd cmp cp crontab curl date dd find git gpg gzip head id install ln ls mkdir mkswap ' +
  'mktemp mv readlink rm rmdir setpriv sha256sum stat systemctl tar tr truncate unzip useradd usermod visudo wc xz'

/**
 * One program, in the place of each: it kills the session's shell in its turn, or becomes what it stands for. Programs of
 * a pipeline start together, so each takes a number of its own: of two that counted the calls so far, both would see the
 * second, and nothing would be killed in the first turn.
 */
const inPlace = `#!/bin/sh
here=\${0%/*}/..
PATH=\${PATH#"\${0%/*}:"}
set -C
n=1
until true >"$here/calls/$n" || [ "$n" -gt 999 ]; do n=$((n + 1)); done 2>/dev/null
read -r turn <"$here/turn"
[ "$n" -ne "$turn" ] || {
  echo "\${0##*/}" >|"$here/killed"
  kill -9 "$(cat "$here/pid")"
  exit 137
}
exec "\${0##*/}" "$@"
`

/**
 * A shell whose session is killed as it starts its n-th program, which is then not started.
 * @param at an empty directory of the host
 * @param turn n, from 1
 * @param given prepares the directory
 */
export async function killing(
  host: ResourceHost,
  shell: Program,
  { at, turn, given = '' }: { at: string; turn: number; given?: string },
): Promise<Program> {
  const text = Buffer.from(inPlace).toString('base64')
  await host.script(
    `${given}
    mkdir -p .kill/bin .kill/calls; cd .kill; echo ${text} | base64 -d >program; chmod 755 .. . bin program
    for each in ${programs}; do ln -s ../program bin/$each; done
    echo ${turn} >turn; for each in killed pid; do : >$each; done; chmod 777 calls killed pid`,
    at,
  )
  const start = 'echo $$ >"$0/pid"; PATH=$0/bin:$PATH; exec "$@"'
  return { ...shell, command: ['sh', '-c', start, `${at}/.kill`, ...shell.command] }
}

/** Prints the program in whose place the shell was stopped, or nothing. */
export const killedAt = 'cat .kill/killed'
