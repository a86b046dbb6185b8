/**
 * A host that reboots in the middle of a list. The lab’s host simulates it: its `restart` changes the boot
 * id, ends every SSH session, and refuses logins for a while, as a real reboot does.
 */
import { existsSync } from 'node:fs'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { LabStatus } from '../../lib/lab/lab.ts'
import { type Ended, eventsOf, type Running, startHostwright } from '../support/cli.ts'
import { type CuttingProxy, launchProxy } from '../support/cutting-proxy.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

/** As a restart does it: nothing outlives it but the server, which takes no connection for a while. */
const restart = `#!/bin/sh
read -r server </run/server
kill -STOP "$server"
echo "1111-$(wc -l </var/boots)" >/run/boot_id && echo boot >>/var/boots
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
rm -f /run/reboot-required
[ ! -e /run/lock-taken ] || { rm -f /var/bootstrap/bootstrap.pid; mkdir /var/bootstrap/bootstrap.pid; }
for each in /proc/[0-9]*; do
  case \${each#/proc/} in 1 | "$server" | $$) ;; *) kill -KILL "\${each#/proc/}" ;; esac
done 2>/dev/null
sleep "$(cat /run/down-for)"
kill -CONT "$server"
`
/** The one that writes down which boot it is stops before it returns, until it is let go, or fails. */
const sync = `#!/bin/sh
[ $# -gt 0 ] || [ ! -e /run/gate ] || {
  mv /run/gate /run/reached
  while [ -e /run/reached ]; do sleep 0.02; done
  [ ! -e /run/sync-fails ] || exit 1
}
PATH=$(getconf PATH) exec sync "$@"
`
const recipe = `
import { command, file, handler, reboot, recipe } from 'hostwright'
export default recipe({
  description: 'kernel',
  async run({ converge, host, $ }) {
    const note = handler(command('echo noted >>/var/log/notes', { title: 'note' }))
    await converge(
      file('/etc/kernel-version', { content: '6.1\\n', notify: note }),
      reboot({ ifExists: '/run/reboot-required', command: '/usr/local/sbin/restart', timeout: 30 }),
      command('cat /proc/sys/kernel/random/boot_id >/etc/booted', { creates: '/etc/booted' }),
      file('/tmp/as-nobody', { content: 'x', as: 'nobody' }),
    )
    await $\`test "$(wc -l </var/bootstrap/bootstrap.pid)" -gt 1\`
    // In that user's session of the new boot.
    await $({ as: 'nobody' })\`echo "$(id -un) $USER" >/tmp/who\`
  },
})
`

describe('a reboot', { tags: ['overlay'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay' })
  let project: Project
  beforeAll(async () => {
    project = await projectFor(lab, { 'recipes/kernel.ts': recipe })
    for (const [name, text] of Object.entries({ restart, sync }))
      await lab.on(
        'lab1',
        `cat >/usr/local/sbin/${name} && chmod 755 /usr/local/sbin/${name}`,
        text,
      )
    await lab.read(
      'lab1',
      'echo boot >/var/boots; echo 2 >/run/down-for; pgrep -o -x sshd >/run/server; touch /run/reboot-required',
    )
  })
  const run = (...words: string[]) =>
    lab.run(['kernel', '-i', 'x', '--on', 'lab1', ...words], { cwd: project.directory })

  test('is reported by --check, but not done', async () => {
    const { status, stderr } = await run('--check')
    expect({ status, stderr }).toEqual({ status: 6, stderr: expect.stringContaining('reboot') })
    expect(await lab.read('lab1', 'wc -l </var/boots')).toBe('1\n')
  })

  test('is waited for: the steps after it run on the next boot, under the lock', async () => {
    const before = await lab.read('lab1', 'cat /proc/sys/kernel/random/boot_id')
    const { status, stderr } = await run()
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(stderr).toMatch(/reboot .*[2-9]\.\d s/)
    const booted = await lab.read('lab1', 'cat /etc/booted')
    expect(booted).toMatch(/^1111-/)
    expect(booted).not.toBe(before)
    // A handler that was due before the restart runs after it, once.
    expect(await lab.read('lab1', 'cat /var/log/notes')).toBe('noted\n')
    expect(await lab.read('lab1', 'ls -A /var/bootstrap')).toBe('log\nruns\n')
    expect(await lab.read('lab1', 'stat -c %U /tmp/as-nobody')).toBe('nobody\n')
    expect(await lab.read('lab1', 'cat /tmp/who; stat -c %U /tmp/who')).toBe(
      'nobody nobody\nnobody\n',
    )
  })

  test('is not done if it is not needed', async () => {
    const { status, stderr } = await run()
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(await lab.read('lab1', 'wc -l </var/boots')).toBe('2\n')
  })

  test('after which the lock is not available fails the host and ends the run', async () => {
    await lab.read('lab1', 'touch /run/reboot-required /run/lock-taken')
    const { status, stderr } = await run()
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining("can't take the lock"),
    })
    await lab.read('lab1', 'rmdir /var/bootstrap/bootstrap.pid; rm /run/lock-taken')
  })

  describe('that something comes between', () => {
    let proxy: CuttingProxy
    let inits = ''
    beforeAll(async () => {
      const [{ address, port, pid }] = lab.status.hosts as [LabStatus['hosts'][number]]
      inits = `/proc/${pid}/root`
      proxy = await launchProxy({ address, port })
      const [line] = (await readFile(join(lab.directory, 'hosts.ini'), 'utf8')).match(/^lab1 .*/m)!
      const known = (await lab.hosts())[0]!.knownHostsFile!
      await project.write(
        'known',
        (await readFile(known, 'utf8')).replaceAll(/^\S+/gm, `[${proxy.address}]:${proxy.port}`),
      )
      const own = `ansible_host=${proxy.address} ansible_port=${proxy.port} known_hosts_file=${project.path('known')}`
      const others = line
        .split(' ')
        .filter(word => !/^(ansible_host|ansible_port|known_hosts)/.test(word))
      await project.write('inventories/behind/hosts.ini', `${[...others, own].join(' ')}\n`)
      await chmod(project.path('inventories/behind/hosts.ini'), 0o600)
      // In every run, so that nothing but a memory of it keeps a host from a second restart.
      await project.write(
        'recipes/kernel.ts',
        recipe.replace("ifExists: '/run/reboot-required', ", ''),
      )
    })
    afterAll(() => proxy?.stop())

    const there = (name: string) => existsSync(`${inits}${name}`)
    const letGo = () => rm(`${inits}/run/reached`)
    const boots = async () => Number(await lab.read('lab1', 'wc -l </var/boots'))
    const start = (...words: string[]) => {
      const state = { XDG_STATE_HOME: project.path('state') }
      const run = startHostwright([...words, '--output', 'json'], {
        cwd: project.directory,
        env: { HOSTWRIGHT_LAB: lab.directory, ...state },
      })
      onTestFinished(() => void run.child.kill('SIGKILL'))
      return run
    }
    const rebootOf = (ended: Ended) =>
      (eventsOf(ended) as unknown as Record<string, unknown>[]).find(
        ({ type, title }) => type === 'step.end' && title === 'reboot',
      )

    interface Between {
      what: string
      /** Done while it is written down which boot it is, but the restart has not begun. */
      at: (run: Running) => Promise<unknown>
      /** Of the run; null: it was killed. */
      status: number | null
      /** Done before it is gone on with, by `resume` or another word. */
      again?: { first?: () => Promise<unknown>; word: 'resume' | 'retry' }
      reboot: object
    }
    const restarted = async () => {
      const before = await boots()
      await letGo()
      await expect.poll(boots, { timeout: 20_000 }).toBe(before + 1)
    }
    const between: Between[] = [
      {
        what: 'a connection that is cut between its answer and the restart',
        at: async () => {
          proxy.cut('half-close')
          await letGo()
        },
        status: 0,
        reboot: { status: 'changed' },
      },
      {
        what: 'a kill of the session’s shell',
        at: async () => {
          await lab.read('lab1', 'kill -KILL "$(head -n 1 /var/bootstrap/bootstrap.pid)"')
          await letGo()
        },
        status: 3,
        again: { word: 'resume' },
        reboot: { status: 'changed' },
      },
      {
        what: 'a kill of the controller, gone on with after the restart',
        at: async ({ child }) => child.kill('SIGKILL'),
        status: null,
        again: { first: restarted, word: 'resume' },
        reboot: { status: 'ok', note: 'done in an earlier attempt' },
      },
      {
        what: 'a kill of the controller, gone on with before the restart',
        at: async ({ child }) => {
          child.kill('SIGKILL')
          await letGo()
        },
        status: null,
        again: { word: 'resume' },
        reboot: {},
      },
      {
        what: 'a disk that is full',
        at: async () => {
          await writeFile(`${inits}/run/sync-fails`, '')
          await letGo()
        },
        status: 4,
        again: { first: () => rm(`${inits}/run/sync-fails`), word: 'retry' },
        reboot: { status: 'changed' },
      },
    ]

    test.each(between.map(each => [each.what, each] as const))(
      'happens once after %s',
      { timeout: 60_000 },
      async (_, each) => {
        await lab.read(
          'lab1',
          'rm -f /etc/booted /etc/kernel-version /var/log/notes; echo 0.2 >/run/down-for; touch /run/gate',
        )
        const before = await boots()
        const run = start('kernel', '-i', 'behind', '--on', 'lab1')
        await expect.poll(() => there('/run/reached'), { timeout: 20_000 }).toBe(true)
        await each.at(run)
        let ended = await run.ended
        expect(ended.status, ended.stderr).toBe(each.status)
        if (each.again) {
          await each.again.first?.()
          ended = await start(each.again.word, 'last').ended
          expect(ended.status, ended.stderr).toBe(0)
        }
        expect(rebootOf(ended)).toMatchObject(each.reboot)
        expect(await boots()).toBe(before + 1)
        expect(await lab.read('lab1', 'cat /etc/booted')).toBe(
          await lab.read('lab1', 'cat /proc/sys/kernel/random/boot_id'),
        )
        expect(await lab.read('lab1', 'cat /var/log/notes; ls -A /var/bootstrap')).toBe(
          'noted\nlog\nruns\n',
        )
      },
    )
  })

  test('that does not happen times out and fails the host, with the reason', async () => {
    await project.write(
      'recipes/kernel.ts',
      recipe.replace("'/usr/local/sbin/restart', timeout: 30", "'true', timeout: 3"),
    )
    await lab.read('lab1', 'touch /run/reboot-required')
    const { status, stderr } = await run()
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('host_not_back'),
    })
    expect(stderr).toContain('it has not shut down yet')
  })
})
