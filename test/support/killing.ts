/** A shell of a session that is killed as it starts its n-th program: where a host, a person or the kernel may stop it. */
import type { ResourceHost } from './resource-hosts.ts'
import type { Program } from './shells.ts'

/** What the prelude calls to change something, or to look at it. */
const programs =
  'awk cat chgrp chmod chown chpasswd cmp cp crontab curl date dd find git gpg gzip head id install ln ls mkdir mkswap ' +
  'mktemp mv readlink rm rmdir setpriv sha256sum stat systemctl tar tr truncate unzip useradd usermod visudo wc xz'

/** One program, in the place of each: it kills the session's shell in its turn, or becomes what it stands for. */
const inPlace = `#!/bin/sh
here=\${0%/*}
echo "\${0##*/}" >>"$here/../calls"
PATH=\${PATH#"$here:"}
[ "$(grep -c '@program@' "$here/../calls")" -ne "$(cat "$here/../turn")" ] || {
  echo "\${0##*/}" >"$here/../killed"
  @stop@
}
exec "\${0##*/}" "$@"
`

/** By SIGKILL, and what was to be done is not. */
export const killed = 'kill -9 "$(cat "$here/../pid")"; exit 137'

/**
 * A shell whose session is stopped as it starts its n-th program, which is then not started.
 * @param at an empty directory of the host
 * @param program counts only the calls of that
 * @param given prepares the directory
 * @param stop what is done to the shell, whose process id is in $here/../pid
 */
export async function killing(
  host: ResourceHost,
  shell: Program,
  { at, turn, program = '.', given = '', stop = killed }: Killing,
): Promise<Program> {
  const text = Buffer.from(inPlace.replace('@program@', program).replace('@stop@', stop)).toString(
    'base64',
  )
  await host.script(
    `${given}
    mkdir -p .kill/bin; cd .kill; echo ${text} | base64 -d >program; chmod 755 .. . bin program
    for each in ${programs}; do ln -s ../program bin/$each; done
    echo ${turn} >turn; for each in calls killed pid; do : >$each; chmod 666 $each; done`,
    at,
  )
  const start = 'echo $$ >"$0/pid"; PATH=$0/bin:$PATH; exec "$@"'
  return { ...shell, command: ['sh', '-c', start, `${at}/.kill`, ...shell.command] }
}

export interface Killing {
  at: string
  turn: number
  program?: string
  given?: string
  stop?: string
}

/** Prints the program in whose place the shell was stopped, or nothing. */
export const killedAt = 'cat .kill/killed'
