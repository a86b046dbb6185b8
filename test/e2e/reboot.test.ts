/**
 * A host that reboots in the middle of a list. The lab’s host simulates it: its `restart` changes the boot
 * id, ends every SSH session, and refuses logins for a while, as a real reboot does.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const restart = `#!/bin/sh
# A stopped server takes no connection further.
server=$(pgrep -o -x sshd)
kill -STOP "$server"
echo "1111-$(wc -l </var/boots)" >/run/boot_id && echo boot >>/var/boots
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
[ ! -e /run/lock-taken ] || { rm -f /var/bootstrap/bootstrap.pid; mkdir /var/bootstrap/bootstrap.pid; }
for each in $(pgrep -P "$server"); do kill -KILL $(pgrep -P "$each") "$each"; done
(sleep 2; kill -CONT "$server") &
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
    await lab.on(
      'lab1',
      'cat >/usr/local/sbin/restart && chmod 755 /usr/local/sbin/restart',
      restart,
    )
    await lab.read('lab1', 'echo boot >/var/boots; touch /run/reboot-required')
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
    await lab.read('lab1', 'rm /run/reboot-required')
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
