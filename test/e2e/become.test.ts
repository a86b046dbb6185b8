/** The command line as a login that becomes root: a recipe, a file sent, Ctrl-C, and a wrong password. */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hostwright, type Running, startHostwright } from '../support/cli.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

const password = 'open sesame'

const recipes = {
  // More than goes with a step's first write: the host asks for it.
  'root.ts': `import { command, file, recipe } from 'hostwright'
export default recipe({
  description: 'What only root may do',
  async run({ $, converge }) {
    await converge(
      file('/etc/made', { content: 'x'.repeat(300_000), mode: 0o600 }),
      command('id -un >>/etc/made-as', { title: 'as root' }),
      command('id -un >>/srv/work/made-as', { title: 'as app', as: 'app' }),
    )
    await $\`chmod 640 /etc/made\`
  },
})
`,
  'long.ts': `import { command, recipe } from 'hostwright'
export default recipe({
  description: 'A long step of root, and one behind it',
  async run({ converge }) {
    await converge(
      command('touch /srv/work/begun; while [ ! -e /srv/work/go ]; do sleep 0.05; done; touch /srv/work/ended', { title: 'long' }),
      command('touch /srv/work/behind', { title: 'behind' }),
    )
  },
})
`,
}

/** A loop that waits for a condition, and fails after ten seconds. */
const until = (condition: string, look = ':') =>
  `i=0; while ${look}; ! { ${condition}; }; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done`

describe('a login that becomes root', { tags: ['sshd', 'overlay'] }, () => {
  let host: UserHost
  let project = ''
  const started: Running[] = []
  beforeAll(async () => {
    host = await launchUserHost({
      users: [
        { name: 'worker', password, sudoers: ['@ ALL=(ALL) ALL'] },
        { name: 'terminal', password, sudoers: ['Defaults:@ requiretty', '@ ALL=(ALL) ALL'] },
        { name: 'granted', sudoers: ['@ ALL=(ALL) NOPASSWD: ALL'] },
        { name: 'app' },
      ],
      setup: `mkdir -m 1777 /srv/work
printf '%s\\n' 'Defaults logfile=/srv/sudo.log' >/etc/sudoers.d/log`,
    })
    project = await mkdtemp(join(tmpdir(), 'hostwright-become-'))
    const at = (name: string) => join(project, name)
    const reach = [
      `ansible_host=${host.address} ansible_port=${host.port} ssh_config_file=none`,
      `ansible_ssh_private_key_file=${host.key.file} known_hosts_file=${host.knownHosts}`,
    ].join(' ')
    const users = ['worker', 'terminal', 'granted']
    const lines = users.map(user => `${user} ansible_user=${user} ${reach} ansible_become=yes\n`)
    for (const name of ['inventories/x', 'recipes', 'node_modules']) {
      await mkdir(at(name), { recursive: true })
    }
    await writeFile(at('inventories/x/hosts.ini'), lines.join(''))
    await chmod(at('inventories/x/hosts.ini'), 0o600)
    await writeFile(at('package.json'), '{"type":"module"}\n')
    await symlink(fileURLToPath(new URL('../..', import.meta.url)), at('node_modules/hostwright'))
    for (const [name, text] of Object.entries(recipes)) await writeFile(at(`recipes/${name}`), text)
    return async () => {
      await host.stop()
      await rm(project, { recursive: true, force: true })
    }
  })
  afterEach(async () => {
    for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    // What was left running ends with this, and root's lock with its shell.
    await host.script(
      `touch /srv/work/go; ${until('[ ! -e /var/bootstrap/bootstrap.pid ]')}; rm -f /srv/work/* /etc/made*`,
    )
  })
  const options = (env = {}) => ({
    cwd: project,
    env: { HOSTWRIGHT_BECOME_PASSWORD: password, ...env },
  })
  const words = (recipe: string, user: string) => [recipe, '-i', 'x', '--on', user]

  test.each(['worker', 'terminal', 'granted'])('%s runs a recipe as root', async user => {
    const { status, stdout, stderr } = await hostwright(words('root', user), options())
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(
      await host.script('stat -c "%U %a %s" /etc/made; cat /etc/made-as /srv/work/made-as'),
    ).toBe('root 640 300000\nroot\napp\n')
    expect(await host.script('stat -c %U /srv/work/made-as; ls -d /var/bootstrap')).toBe(
      'app\n/var/bootstrap\n',
    )
    expect(stdout + stderr).not.toContain(password)
  })

  /** A run whose long step runs now. */
  const running = async (user: string) => {
    const run = startHostwright(words('long', user), options())
    started.push(run)
    await host.script(until('[ -e /srv/work/begun ]'))
    const sudos = 'c=$(grep -c COMMAND= /srv/sudo.log) n=$(pgrep -x sudo | wc -l)'
    const [logged, count] = (await host.script(`${sudos}; echo $c $n`)).trim().split(' ')
    run.child.kill('SIGINT')
    await run.says('Stopping')
    // Root’s shell is signalled by another shell, which must have come and gone.
    await host.script(until(`[ $c -gt ${logged} ] && [ $n -le ${count} ]`, sudos))
    return run
  }
  const made = () => host.script('ls /srv/work')

  test.each(['worker', 'terminal', 'granted'])(
    'Ctrl-C lets root’s step end for %s, and skips the rest',
    async user => {
      const run = await running(user)
      await host.script('touch /srv/work/go')
      expect(await run.ended).toMatchObject({ status: 130 })
      expect(await made()).toBe('begun\nended\ngo\n')
    },
  )

  test.each(['worker', 'terminal'])('a second Ctrl-C ends root’s step for %s', async user => {
    const run = await running(user)
    run.child.kill('SIGINT')
    expect(await run.ended).toMatchObject({ status: 130 })
    expect(await made()).toBe('begun\n')
    expect(await host.script('pgrep -x -U root sleep || echo none')).toBe('none\n')
  })

  test('a wrong password is reported with advice, and never shown', async () => {
    const wrong = 'not this one'
    const { status, stdout, stderr } = await hostwright(
      words('root', 'worker'),
      options({ HOSTWRIGHT_BECOME_PASSWORD: wrong }),
    )
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('sudo rejected the become password'),
    })
    expect(stderr).toContain('--ask-become-pass')
    expect(stdout + stderr).not.toContain(wrong)
  })

  test('a missing password is reported with advice', async () => {
    const { status, stderr } = await hostwright(
      words('root', 'worker'),
      options({ HOSTWRIGHT_BECOME_PASSWORD: undefined }),
    )
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('sudo requires a password to become root'),
    })
    expect(stderr).toContain('--ask-become-pass')
  })
})
