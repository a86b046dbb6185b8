/**
 * Work at other hosts over OpenSSH's sshd, by logins that become root: `on()` had only been tried with hosts that are
 * this machine, where a further shell needs no login, no password and no channel of a connection.
 *
 * @module-tag sshd overlay
 */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CliOptions, hostwright, type Running, startHostwright } from '../support/cli.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

const password = 'of the balancers, and no other'

/** Each host drains at all balancers, works, and is put back; a balancer works, too, if it is part of the run. */
const roll = `import { command, recipe, sh } from 'hostwright'
const alone = line => \`mkdir /srv/alone && sleep 0.02 && \${line} && rmdir /srv/alone\`
export default recipe({
  description: 'Roll over a fleet',
  async aroundHost({ on, host, work }) {
    if (host.groups.includes('lb')) return work()
    for (const lb of on('lb')) {
      await lb.converge(command(alone(sh\`echo drain \${host.name} $(id -un) >>/srv/order\`), { title: 'drain' }))
      await lb.effect('as app', sh\`echo \${host.name} $(id -un) >>/srv/app/order\`, { as: 'app' })
    }
    try {
      await work()
    } finally {
      for (const lb of on('lb')) {
        const { stdout } = await lb.read\`id -un\`
        await lb.$\`sh -c \${alone(sh\`echo back \${host.name} \${stdout.trim()} >>/srv/order\`)}\`
      }
    }
  },
  async run({ effect, host }) {
    await effect('work', sh\`echo work \${host.name} $(id -un) >>/srv/order; [ ! -e /srv/wait ] || { : >/srv/waits; while [ -e /srv/wait ]; do sleep 0.05; done; }\`)
  },
})
`

describe('work at a balancer over sshd', () => {
  let lb: UserHost
  let app: UserHost
  let project = ''
  const started: Running[] = []
  beforeAll(async () => {
    const users = [
      { name: 'asked', password, sudoers: ['@ ALL=(ALL) ALL'] },
      { name: 'terminal', password, sudoers: ['Defaults:@ requiretty', '@ ALL=(ALL) ALL'] },
      { name: 'granted', sudoers: ['@ ALL=(ALL) NOPASSWD: ALL'] },
      { name: 'app' },
    ] as const
    const setup = 'mkdir -m 777 /srv/app'
    ;[lb, app] = await Promise.all([
      launchUserHost({ users, setup }),
      launchUserHost({ users: [users[2]], setup, config: ['MaxStartups 100'] }),
    ])
    project = await mkdtemp(join(tmpdir(), 'hostwright-across-'))
    const write = async (name: string, text: string) => {
      await mkdir(dirname(join(project, name)), { recursive: true })
      await writeFile(join(project, name), text)
    }
    await write('package.json', '{"type":"module"}\n')
    await mkdir(join(project, 'node_modules'))
    await symlink(
      fileURLToPath(new URL('../..', import.meta.url)),
      join(project, 'node_modules/hostwright'),
    )
    await write('recipes/roll.js', roll)
    const reach = (host: UserHost, user: string) =>
      `ansible_host=${host.address} ansible_port=${host.port} ssh_config_file=none ansible_user=${user} ` +
      `ansible_ssh_private_key_file=${host.key.file} known_hosts_file=${host.knownHosts} ansible_become=yes`
    const web = Array.from(
      { length: 10 },
      (_, at) => `web${at + 1} ${reach(app, 'granted')} bootstrap_dir=/srv/web${at + 1}`,
    )
    for (const user of ['asked', 'terminal', 'granted']) {
      await write(
        `inventories/${user}/hosts.ini`,
        ['[web]', ...web, '[lb]', `lb1 ${reach(lb, user)}`, ''].join('\n'),
      )
      await chmod(join(project, `inventories/${user}/hosts.ini`), 0o600)
    }
    return async () => {
      await Promise.all([lb.stop(), app.stop()])
      await rm(project, { recursive: true, force: true })
    }
  })
  afterEach(async () => {
    for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    for (const host of [lb, app]) await host.script('rm -rf /srv/order /srv/app/order /srv/wait*')
  })
  const options = (env: CliOptions['env'] = {}) => ({
    cwd: project,
    env: {
      HOSTWRIGHT_BECOME_PASSWORD: password,
      XDG_STATE_HOME: join(project, 'state'),
      ...env,
    },
  })
  const words = (user: string, on: string) => ['roll', '-i', user, '--on', on]
  const lines = async (host: UserHost, file: string) =>
    (await host.script(`cat ${file} || :`)).split('\n').filter(Boolean)
  const free = (host: UserHost, state: string) =>
    host.script(`ls ${state}/bootstrap.pid 2>/dev/null || echo free`)

  // Each way to become root opens further shells over that one login, some of them with a password each.
  test.each([
    { user: 'asked', on: 'web:lb', count: 10, logins: 2 },
    { user: 'terminal', on: 'web[0:2]', count: 3, logins: 1 },
    { user: 'granted', on: 'web[0:2]', count: 3, logins: 1 },
  ])(
    'goes one after the other for $count hosts of $on by the user $user, in $logins logins',
    async ({ user, on, count, logins }) => {
      const names = Array.from({ length: count }, (_, at) => `web${at + 1}`)
      const pattern = new RegExp(`^Accepted publickey for ${user} `)
      const before = lb.count(pattern)
      const { status, stdout, stderr } = await hostwright(words(user, on), options())
      expect({ status, stderr }).toMatchObject({ status: 0 })
      const order = (await lines(lb, '/srv/order')).filter(line => !line.startsWith('work'))
      for (const name of names)
        expect(order.filter(line => line.split(' ')[1] === name)).toEqual([
          `drain ${name} root`,
          `back ${name} root`,
        ])
      expect((await lines(lb, '/srv/app/order')).sort()).toEqual(
        names.map(name => `${name} app`).sort(),
      )
      expect((await lines(app, '/srv/order')).sort()).toEqual(
        names.map(name => `work ${name} root`).sort(),
      )
      // A balancer that is part of the run has a connection of its own for that.
      expect(lb.count(pattern) - before).toBe(logins)
      expect(await free(lb, '/var/bootstrap')).toBe('free\n')
      expect(stdout + stderr).not.toContain(password)
    },
  )

  /** A run whose first host works and waits, drained. */
  const working = async (user: string, on: string, ...more: string[]) => {
    await app.script(': >/srv/wait')
    const run = startHostwright([...words(user, on), '--serial', '1', ...more], options())
    started.push(run)
    await app.script(
      'i=0; until [ -e /srv/waits ]; do i=$((i+1)); [ $i -lt 400 ]; sleep 0.05; done',
    )
    return run
  }

  test('goes on over a new login when the balancer’s connection is lost, and puts the host back', async () => {
    const run = await working('asked', 'web1')
    await lb.script('pkill -9 -u asked sshd')
    await app.script('rm /srv/wait')
    const { status, stderr } = await run.ended
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(await lines(lb, '/srv/order')).toEqual(['drain web1 root', 'back web1 root'])
  })

  test('fails before a host is touched where the balancer refuses to let it become root', async () => {
    const wrong = 'not this one'
    const { status, stdout, stderr } = await hostwright(
      words('asked', 'web1:web2'),
      options({ HOSTWRIGHT_BECOME_PASSWORD: wrong }),
    )
    expect({ status, stderr }).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/web1 works at lb1: .*sudo rejected the become password/),
    })
    expect(await lines(app, '/srv/order')).toEqual([])
    expect(stdout + stderr).not.toContain(wrong)
  })

  // The last one: its balancer does not come back.
  test('that goes down while a host is drained fails that host, names both, and leaves no lock', async () => {
    const run = await working('granted', 'web', '--reconnect', '1s')
    await lb.script('pkill -9 -f /srv/sshd/config; pkill -9 -u granted sshd')
    await app.script('rm /srv/wait')
    const { status, stderr } = await run.ended
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining('web1 works at lb1: '),
    })
    expect(await lines(app, '/srv/order')).toEqual(['work web1 root'])
    expect(await free(app, '/srv/web1')).toBe('free\n')
  })
})
