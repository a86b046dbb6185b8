/**
 * Runs with changes that must be confirmed: Ctrl-C meanwhile, plans, several hosts, other ways to log in.
 * @module-tag netns
 * @module-tag sshd
 * @module-tag root
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { localProject } from '../support/local-project.ts'
import { localIn } from '../support/local-run.ts'
import { type NetHost, netHost, until } from '../support/net-host.ts'
import { startUserHost } from '../support/user-hosts.ts'

const there = ['-i', 'net', '--on', 'all', '--output', 'plain']

/** A project whose recipe `close` lets nobody log in to those hosts that have the file `closes`. */
async function projectOf(hosts: readonly NetHost[], within: string, vars = '') {
  const lines = hosts.map(({ address, key, knownHosts, at }, place) => {
    const own = `ansible_host=${address} ansible_user=root ansible_ssh_private_key_file=${key.file}`
    return `h${place} ${own} known_hosts_file=${knownHosts} bootstrap_dir=${at('bootstrap')} dir=${at('')}/ restart=${at('restart')} ${vars}\n`
  })
  for (const host of hosts)
    await host.inside(`cat >${host.at('restart')} <<'EOF'\n${host.restart}\nEOF`)
  const close = `import { command, handler, line, recipe } from 'hostwright'
export default recipe({ description: 'x', run: async ({ converge, host }) => {
  const { dir, restart } = host.vars
  const again = handler(command('sh ' + restart, { title: 'restart sshd' }))
  await converge(
    command('[ ! -e closes ] || echo AllowUsers nobody >>sshd_config; echo >>sshd_config', {
      cwd: dir, title: 'settings', notify: again, confirm: { within: '${within}', files: [dir + 'sshd_config'] },
    }),
    command('true', { title: 'what comes after' }),
  )
} })\n`
  return localProject({
    'inventories/net/hosts.ini': lines.join(''),
    'recipes/close.ts': close,
    'recipes/nothing.ts': `import { recipe } from 'hostwright'\nexport default recipe({ description: 'x', run: async () => {} })\n`,
  })
}

const recorded = (host: NetHost, name: string) =>
  until(async () => {
    if (!existsSync(host.at(`bootstrap/confirm/${name}`))) throw new Error(`there is no ${name}`)
  }, 60_000)

const isAsBefore = async (host: NetHost) =>
  expect(await readFile(host.at('sshd_config'), 'utf8')).not.toMatch(/AllowUsers|\n\n/)

const closing = async () => {
  const host = await netHost()
  await host.inside(`: >${host.at('closes')}`)
  return host
}

test('of several hosts each has its own answer, and what was put back says so', async () => {
  const hosts = [await netHost(), await closing(), await netHost()]
  const { run } = await projectOf(hosts, '5s')
  const { status, stdout, stderr } = await run(['close', ...there])
  expect(status).toBe(4)
  const said = stdout + stderr
  for (const name of ['h0', 'h2']) expect(said).toContain(`${name} | changed | what comes after`)
  expect(said).toMatch(/h1 .*not confirmed within 5 s: put back: \S+sshd_config/)
  await isAsBefore(hosts[1]!)
})

test('what Ctrl-C interrupts while it waits to be confirmed is put back at once by a second one', async () => {
  const host = await closing()
  const { start } = await projectOf([host], '1h')
  const running = start(['close', ...there])
  await recorded(host, 'ready')
  running.child.kill('SIGINT')
  await running.says('Ctrl-C again')
  expect(existsSync(host.at('bootstrap/confirm/decision'))).toBe(false)
  running.child.kill('SIGINT')
  const { status, stdout, stderr } = await running.ended
  expect(status).toBe(130)
  expect(stdout + stderr).toMatch(
    /ended by Ctrl-C: not confirmed before it was interrupted: put back: \S+sshd_config\n/,
  )
  await isAsBefore(host)
})

test('a plan shows that a change waits to be confirmed, and its application is confirmed or put back', async () => {
  const host = await netHost()
  const { run } = await projectOf([host], '5s')
  const plan = await run(['plan', 'close', ...there, '--out', 'plan.json', '--verbose'])
  expect(plan.stdout + plan.stderr).toMatch(/ok \| confirm settings within 5 s .*would wait for it/)
  expect(plan.status).toBe(0)
  await isAsBefore(host)
  expect(await run(['apply', 'plan.json', '--output', 'plain'])).toMatchObject({ status: 0 })
  expect(await host.inside(`cat ${host.at('bootstrap')}/confirm/decision`)).toBe('confirmed\n')
  await run(['plan', 'close', ...there, '--out', 'plan.json', '--verbose'])
  const asConfirmed = await readFile(host.at('sshd_config'), 'utf8')
  await host.inside(`: >${host.at('closes')}`)
  const applied = await run(['apply', 'plan.json', '--output', 'plain'])
  expect(applied.stdout + applied.stderr).toContain('not confirmed within 5 s: put back')
  expect(applied.status).toBe(4)
  expect(await readFile(host.at('sshd_config'), 'utf8')).toBe(asConfirmed)
})

test('rules of sudo that take away how the run became root are put back', {
  tags: ['overlay'],
}, async () => {
  const host = await startUserHost({
    users: [{ name: 'worker', sudoers: ['@ ALL=(ALL) NOPASSWD: ALL'] }],
  })
  const one = host.host({
    become: { method: 'sudo', user: 'root' },
    bootstrapDir: '/srv/bootstrap',
  })
  const { run } = localIn(host.directory)
  const converge = (items: Items) =>
    run(({ converge }) => converge(items).then(() => {}), { hosts: [one], timeoutMs: 20_000 })
  const close = sudoers('zz-close', { content: 'worker ALL=(ALL) !ALL\n', confirm: '4s' })
  const { outcomes, exitCode } = await converge(close)
  expect(outcomes[0]!.error).toMatchObject({
    code: 'reverted',
    output: expect.stringMatching(/^no new connection: .*sudo/),
  })
  expect(exitCode).toBe(4)
  expect(await host.script('ls /etc/sudoers.d')).not.toContain('zz-close')
  expect((await converge(command('id -un | grep -x root'))).exitCode).toBe(0)
})
