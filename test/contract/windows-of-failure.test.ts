/**
 * Problems of a host that accepts the login. Each case is a login on one real host for which a run either
 * reports in one sentence what is wrong and what to do, or works normally. Nothing may hang or mistake login
 * output for an answer.
 */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import { lockCall, lockError } from '../../lib/host/lock.ts'
import { openSession } from '../../lib/session/session.ts'
import { quote } from '../../lib/shell/quote.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { shells, testEach } from '../support/shells.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

interface Login {
  name: string
  what: string
  /** Default: bash. */
  shell?: string
  /** Files of its home by their path in it. */
  files?: Record<string, string>
  /** Setup as root: lines of a script, in the login’s home directory. */
  setup?: string
  /** Lines for this login in sshd_config. */
  config?: string[]
  /** It is about time. */
  clock?: boolean
}

interface Refused extends Login {
  code: string
  message: RegExp
  /** The login’s own output, if there is any. */
  output?: RegExp
  hint: RegExp
  /** It never ends by itself: its timeout in milliseconds. */
  timeoutMs?: number
}

const fishConfig = '.config/fish/config.fish'
const shell_failed = 'shell_failed'
const connect_timeout = 'connect_timeout'

/** Logins that give no shell. */
const refused: Refused[] = [
  {
    ...{ name: 'nologin', what: 'whose shell is nologin', shell: '/usr/sbin/nologin' },
    ...{
      code: shell_failed,
      message: /refuses every login/,
      output: /not available/,
      hint: /usermod/,
    },
  },
  {
    ...{ name: 'falsy', what: 'whose shell is /bin/false', shell: '/bin/false' },
    ...{
      code: shell_failed,
      message: /without any output \(exit status 1\)/,
      hint: /\/bin\/false/,
    },
  },
  {
    ...{ name: 'noshell', what: 'whose shell does not exist', shell: '/no/such/shell' },
    ...{ code: 'auth_failed', message: /noshell/, hint: /ansible_user/ },
  },
  {
    ...{ name: 'gitlike', what: 'whose shell takes commands of its own', shell: '/bin/git-like' },
    setup: `printf '%s\\n' '#!/bin/sh' 'echo "fatal: unrecognized command" >&2; exit 128' >/bin/git-like
chmod +x /bin/git-like`,
    ...{ code: shell_failed, message: /instead of running sh \(exit status 128\)/ },
    ...{ output: /unrecognized command/, hint: /login shell/ },
  },
  {
    ...{ name: 'sftponly', what: 'that is for sftp only', config: ['ForceCommand internal-sftp'] },
    ...{ code: shell_failed, message: /for sftp only/, output: /sftp/, hint: /ForceCommand/ },
  },
  {
    ...{ name: 'restricted', what: 'whose shell is restricted', shell: '/bin/rbash' },
    ...{ code: shell_failed, message: /restricted shell/, output: /restricted/, hint: /usermod/ },
  },
  ...(
    [
      ['nosh', '/bin/bash', '.bashrc', 'PATH=/nowhere'],
      ['noshcsh', '/bin/tcsh', '.cshrc', 'setenv PATH /nowhere'],
      ['noshfish', '/usr/bin/fish', fishConfig, 'set PATH /nowhere'],
    ] as const
  ).map(([name, shell, file, line]) => ({
    ...{ name, what: `with ${shell} that finds no sh`, shell, files: { [file]: `${line}\n` } },
    ...{ code: shell_failed, message: /no sh on the PATH/, output: /sh/, hint: /POSIX shell/ },
  })),
  {
    ...{ name: 'exits', what: 'whose .bashrc exits' },
    files: { '.bashrc': 'echo no service today; exit 3\n' },
    ...{ code: shell_failed, message: /instead of running sh \(exit status 3\)/ },
    ...{ output: /no service today/, hint: /\.bashrc/ },
  },
  {
    ...{ name: 'never', what: 'whose .bashrc never returns', files: { '.bashrc': 'sleep 1000\n' } },
    ...{ code: connect_timeout, message: /ran no command/, hint: /\.bashrc/, timeoutMs: 700 },
  },
  {
    ...{ name: 'floods', what: 'whose .bashrc never stops to talk', files: { '.bashrc': 'yes\n' } },
    ...{ code: shell_failed, message: /prints without end/, output: /^y$/m, hint: /\.bashrc/ },
  },
  {
    ...{ name: 'fishes', what: 'whose .bashrc becomes fish', files: { '.bashrc': 'exec fish\n' } },
    ...{ code: shell_failed, message: /runs fish in place of sh/, output: /^fish: /m },
    ...{ hint: /\.bashrc/, timeoutMs: 1500 },
  },
  {
    ...{ name: 'zshes', what: 'whose .bashrc becomes zsh', files: { '.bashrc': 'exec zsh\n' } },
    ...{ code: shell_failed, message: /runs zsh in place of sh/, hint: /case \$- in/ },
  },
  {
    ...{ name: 'cshes', what: 'whose .bashrc becomes csh', files: { '.bashrc': 'exec csh\n' } },
    ...{ code: shell_failed, message: /instead of running sh/, output: /Command not found/ },
    ...{ hint: /\.bashrc/, timeoutMs: 1500 },
  },
  ...['read answer', 'read -n 1 key', 'read -t 9 a; read -t 9 b; read -t 9 c'].map((line, at) => ({
    ...{
      name: `reads${at}`,
      what: `whose .bashrc has \`${line}\``,
      files: { '.bashrc': `${line}\n` },
    },
    ...{ code: shell_failed, message: /reads the input that is meant for sh/, hint: /case \$- in/ },
  })),
  {
    ...{ name: 'asks', what: 'whose .bashrc asks and waits for a terminal' },
    files: { '.bashrc': 'read -p "Which project? " project; echo "Project: "; sleep 1000\n' },
    ...{ code: connect_timeout, message: /ran no command/, output: /Project:/ },
    ...{ hint: /\.bashrc/, timeoutMs: 1500 },
  },
  {
    ...{ name: 'menu', what: 'whose shell is a menu', shell: '/bin/menu' },
    setup: `printf '%s\\n' '#!/bin/bash' 'select each in one two; do :; done; sleep 1000' >/bin/menu
chmod +x /bin/menu`,
    ...{ code: connect_timeout, message: /ran no command/, hint: /a menu/, timeoutMs: 700 },
  },
]

const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map(directory => `${directory}/faketime/libfaketime.so.1`)
  .find(existsSync)

/** A date(1) that goes back an hour each time. */
const backwards = `#!/bin/bash
n=$(cat ~/count 2>/dev/null || echo 500000); echo $((n - 1)) >~/count; echo $((n * 3600))
`

/** Logins that work. */
const works: Login[] = [
  { name: 'plain', what: 'of sh', shell: '/bin/sh' },
  { name: 'fish', what: 'of fish', shell: '/usr/bin/fish' },
  { name: 'csh', what: 'of csh', shell: '/bin/csh' },
  { name: 'tcsh', what: 'of tcsh', shell: '/bin/tcsh' },
  {
    ...{ name: 'chatty', what: 'whose .bashrc talks' },
    files: { '.bashrc': 'echo hello; echo hello >&2; echo hw0123 end 1 ok 0 -\n' },
  },
  {
    ...{ name: 'halfline', what: 'whose .bashrc talks without a line end' },
    files: { '.bashrc': 'printf hello; printf hello >&2\n' },
  },
  {
    ...{ name: 'chattyfish', what: 'whose config.fish talks', shell: '/usr/bin/fish' },
    files: { [fishConfig]: 'echo hello; echo hello >&2; printf hello\n' },
  },
  {
    name: 'becomes',
    what: 'whose .bashrc becomes another bash',
    files: { '.bashrc': 'exec bash\n' },
  },
  ...[
    'set -eu',
    'set -efuC; export SHELLOPTS',
    'stty -echo; mesg n; echo $TERM',
    'trap "" USR1',
  ].map((line, at) => ({
    ...{ name: `sets${at}`, what: `whose .bashrc has \`${line}\`` },
    files: { '.bashrc': `${line}\n` },
  })),
  {
    ...{ name: 'terminal', what: 'whose .bashrc assumes a terminal' },
    files: { '.bashrc': 'stty erase ^H; tput reset; clear\n' },
  },
  {
    ...{ name: 'long', what: 'who is welcomed by a megabyte' },
    files: { '.bashrc': 'yes | head -c 1000000; yes | head -c 1000000 >&2\n' },
  },
  ...(faketime ? ['-40y', '+10y'] : []).map(shift => ({
    ...{ name: `years${shift.slice(1)}`, what: `whose clock is ${shift} off` },
    clock: true,
    files: { '.bashrc': `export LD_PRELOAD=${faketime} FAKETIME=${shift}\n` },
  })),
  {
    ...{ name: 'jumps', what: 'whose clock goes back' },
    files: { '.bashrc': 'PATH=~/bin:$PATH\n', 'bin/date': backwards },
    setup: 'chmod +x bin/date',
    clock: true,
  },
]

const full = `mkdir state; mount -t tmpfs -o size=16k,mode=755,uid=$(id -u full) none state
cat /dev/zero >state/fill 2>/dev/null || :`
/** Logins whose bootstrap_dir can't be written to: they work, and get no lock. */
const lockless: (Login & { output: RegExp; hint: RegExp })[] = [
  { name: 'full', what: 'is on a full disk', setup: full, output: /./, hint: /`df`/ },
  {
    ...{ name: 'readonly', what: 'is on a file system that is read-only' },
    setup: 'mkdir state; mount -t tmpfs -o mode=755 none state; mount -o remount,ro state',
    ...{ output: /Read-only file system/, hint: /dmesg/ },
  },
  {
    ...{ name: 'denied', what: 'is another’s', setup: 'mkdir state' },
    ...{ output: /Permission denied/, hint: /ansible_become/ },
  },
  {
    ...{ name: 'taken', what: 'is a file', setup: ': >state' },
    ...{ output: /File exists/, hint: /at the path of/ },
  },
]

/** A script run as root that sets up a login. */
const prepare = ({ name, files = {}, setup = '' }: Login) =>
  [
    `cd /home/${name}`,
    // Debian’s own .bashrc returns without a terminal.
    'rm -f .bashrc',
    ...Object.entries(files).map(
      ([file, text]) => `mkdir -p "$(dirname ${file})"; printf %s ${quote(text)} >${file}`,
    ),
    `chown -R ${name} .`,
    setup,
  ].join('\n')

describe('a login', { tags: ['sshd', 'overlay'] }, () => {
  const logins = [...refused, ...works, ...lockless]
  let host: UserHost
  let connector: Connector
  beforeAll(async () => {
    const [first, ...rest] = logins.map(({ name, shell = '/bin/bash' }) => ({ name, shell }))
    host = await launchUserHost({
      users: [first!, ...rest],
      config: [
        'Banner /etc/issue.net',
        // So that bash is the outermost shell, and reads its .bashrc.
        'SetEnv SHLVL=0',
        ...logins.flatMap(({ name, config }) => (config ? [`Match User ${name}`, ...config] : [])),
      ],
      setup: [
        'printf "Keep out\\nhw0123 end 1 ok 0 -" >/etc/issue.net',
        ...logins.map(prepare),
      ].join('\n'),
    })
    connector = createConnector({ acceptNew: false })
  }, 60_000)
  afterAll(async () => {
    connector?.close()
    await host?.stop()
  })

  const claim = {
    run: 'r1',
    attempt: 1,
    recipe: 'site',
    owner: 'al',
    controller: 'laptop',
    time: 'now',
  }
  const connect = (name: string, timeoutMs = 20_000) =>
    connectHost(
      host.host({ user: name, bootstrapDir: `/home/${name}/state` }),
      { connector, timeoutMs },
      [lockCall(claim)],
    )

  test.concurrent.each(refused)('$what is reported', async ({ name, timeoutMs, ...login }) => {
    const { code, message, hint, output } = login
    await expect(connect(name, timeoutMs)).rejects.toMatchObject({
      ...{ name: 'UnreachableError', code, message: expect.stringMatching(message) },
      details: {
        hint: expect.stringMatching(hint),
        ...(output && { output: expect.stringMatching(output) }),
      },
    })
  })

  test.concurrent.each(works)('$what works', async ({ name, clock }) => {
    const { session } = await connect(name)
    expect(lockError(session.first[0]!)).toBeUndefined()
    const args = ['sh', '', '', 'echo content; echo error >&2; exit 3']
    const result = await session.call({ name: 'hw_run', args })
    expect([result.status, result.exitStatus]).toEqual(['failed', 3])
    expect([`${result.stdout}`, `${result.stderr}`]).toEqual(['content\n', 'error\n'])
    // Timeouts there depend on elapsed time, not on the clock.
    if (clock) {
      const args = ['path', '/no/such/path', 'what=a path', 'seconds=1', 'interval=0.2']
      const waited = await session.call({ name: 'hw_wait_for', args })
      expect(waited).toMatchObject({ status: 'failed', code: 'wait_timeout' })
    }
    await session.close()
    // The lock went with the session.
    expect(await host.script(`ls /home/${name}/state`)).toBe('')
  })

  test.each(lockless)('whose bootstrap_dir $what gets no lock', async ({ name, output, hint }) => {
    const { session } = await connect(name)
    expect(lockError(session.first[0]!)).toMatchObject({
      code: 'step_failed',
      message: expect.stringContaining(`/home/${name}/state`),
      details: {
        output: expect.stringMatching(output),
        hint: expect.stringMatching(hint),
      },
    })
    await session.close()
  })
})

// By a connection that is no login: without it, sshd itself accepts none.
describe('a host whose /dev/null', { tags: ['overlay'] }, () => {
  const host = overlayHost()

  testEach(shells, 'is not the device is named as that, under $name', async shell => {
    const open = () => openSession({ transport: host.transport(shell), bootstrapDir: '/srv/state' })
    for (const change of [':', 'mkdir /dev/null', 'echo old >/dev/null']) {
      await host.script(`umount -l /dev/null || :; rm -rf /dev/null; ${change}`, '/')
      await expect(open()).rejects.toMatchObject({
        code: 'shell_failed',
        message: expect.stringContaining('/dev/null is missing, is no device'),
        details: { hint: expect.stringContaining('mknod') },
      })
    }
    await host.script('rm -f /dev/null; mknod -m 666 /dev/null c 1 3', '/')
    await (await open()).close()
  })
})
