/**
 * haproxy from the distribution’s package, on hosts with their own file system: provisioned, reconfigured,
 * broken on purpose and rolled back.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { copyReleases, type Project, projectFor } from '../support/project.ts'
import { reportMissing } from '../support/requires.ts'

describe('haproxy', { tags: ['haproxy', 'overlay'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay' })
  const path = '/etc/haproxy/haproxy.cfg'
  const config = () => lab.read('lab1', `cat ${path}`)
  /** The running server processes, by their command lines. */
  const served = () => lab.read('lab1', 'cat /run/haproxy.pid')
  const statistics = () => lab.read('lab1', "echo 'show info' | socat - /run/haproxy/admin.sock")
  const through = async () => {
    const { haproxy_bind: bind } = await lab.variables('lab1')
    return fetch(`http://${bind}/heartbeat`)
  }
  const set = (...settings: string[]) =>
    lab.run(['product.set', 'haproxy', ...settings, '--on', 'lab'])

  /** Whether the package can be fetched, so that installing it can be tested. */
  let fetched = false
  beforeAll(async () => {
    const fetch = 'apt-get -qy -d --reinstall install haproxy'
    const { status, stderr } = await lab.on(
      'lab1',
      `${fetch} || { apt-get -q update && ${fetch}; }`,
    )
    fetched = status === 0
    // If the machine has the package, the host has it too, but it must be installed here.
    if (fetched) await lab.on('lab1', 'dpkg --purge haproxy; rm -rf /etc/haproxy')
    else
      reportMissing(`haproxy’s package can’t be fetched, so the installed one is used: ${stderr}`)
  })

  test('is installed from its package, configured, started, and its backend is up', async () => {
    const installed = 'dpkg -s haproxy | grep -c "^Status: install ok installed"'
    expect((await lab.on('lab1', installed)).stdout).toBe(fetched ? '0\n' : '1\n')
    const { status, stderr } = await lab.run(['server.provision', 'web', '--on', 'lab'])
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(fetched ? /changed \| pkg haproxy/ : /1 changed/),
    })
    expect((await lab.on('lab1', installed)).stdout).toBe('1\n')
    expect(await (await through()).json()).toMatchObject({ product: 'deepfiler', status: 'ok' })
  })

  test('changes nothing the second time', async () => {
    const { status, stderr } = await lab.run(['server.provision', 'web', '--on', 'lab'])
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 ok · 0 steps changed'),
    })
  })

  test('answers its heartbeat through the admin socket', async () => {
    const { status, stdout } = await lab.run(['heartbeat', 'haproxy', '--on', 'lab'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/lab1 +haproxy +up +1 of 1 servers up/)
  })

  test('is reconfigured in place and reloaded', async () => {
    const [before, process] = [await config(), await served()]
    const { status } = await set('maxconn=3000')
    expect(status).toBe(0)
    expect(await config()).toBe(before.replace('maxconn 2000', 'maxconn 3000'))
    expect(await served()).not.toBe(process)
    expect(await statistics()).toMatch(/^Maxconn: 3000$/m)
    const again = await set('maxconn=3000')
    expect(again.stderr).toContain('1 ok · 0 steps changed')
    const provisioned = await lab.run(['server.provision', '--on', 'lab'])
    expect(provisioned.stderr).toContain('1 ok · 0 steps changed')
  })

  test('keeps drained and disabled servers out of service over a reload, and says so', async () => {
    const admin = (words: string) =>
      lab.read('lab1', `echo '${words}' | socat - /run/haproxy/admin.sock`)
    const process = await served()
    await admin('set server stack/stack1 state drain')
    expect((await set('maxconn=3100')).status).toBe(0)
    expect(await served()).not.toBe(process)
    expect(await admin('show stat')).toMatch(/^stack,stack1,(?:[^,]*,){15}DRAIN,/m)
    const { stdout } = await lab.run(['heartbeat', 'haproxy', '--on', 'lab'])
    expect(stdout).toMatch(/lab1 +haproxy +up +0 of 1 servers up, stack\/stack1 DRAIN/)
    await admin('set server stack/stack1 state ready')
    // What has been undone since does not come back.
    expect((await set('maxconn=3000')).status).toBe(0)
    expect(await admin('show stat')).toMatch(/^stack,stack1,(?:[^,]*,){15}UP/m)
    expect(await lab.read('lab1', 'cat /var/lib/haproxy/server-state')).toBe('1\n')
    const again = await lab.run(['server.provision', '--on', 'lab'])
    expect(again.stderr).toContain('0 steps changed')
  })

  // All tests before had it running when it was provisioned, where the file is empty.
  test('keeps a server out of service that was drained before haproxy was stopped, when provisioning starts it', async () => {
    const admin = (words: string) =>
      lab.read('lab1', `echo '${words}' | socat - /run/haproxy/admin.sock`)
    await admin('set server stack/stack1 state drain')
    const keep =
      '/usr/local/sbin/haproxy-states save /run/haproxy/admin.sock /var/lib/haproxy/server-state'
    expect((await lab.on('lab1', `${keep} && service haproxy stop`)).status).toBe(0)
    const { status, stderr } = await lab.run(['server.provision', 'web', '--on', 'lab'])
    expect(status, stderr).toBe(0)
    expect(await admin('show stat')).toMatch(/^stack,stack1,(?:[^,]*,){15}DRAIN,/m)
    await admin('set server stack/stack1 state ready')
    expect((await set('maxconn=3100')).status).toBe(0)
    expect((await set('maxconn=3000')).status).toBe(0)
  })

  test('keeps its old file, unchanged and in use, if haproxy refuses the new one', async () => {
    const [before, process] = [await config(), await served()]
    const { status, stderr } = await set('timeout_server=soon')
    expect(status).toBe(4)
    expect(stderr).toMatch(/validation_failed +lab1/)
    expect(stderr).toContain("unexpected character 's' in 'timeout server'")
    expect(await config()).toBe(before)
    expect(await served()).toBe(process)
    const shown = await lab.run(['product.get', 'haproxy', 'timeout_server', '--on', 'lab'])
    expect(shown.stdout).toMatch(/timeout_server +50s +default/)
  })

  test('keeps no part of an edit if another part is refused', async () => {
    const before = await config()
    const { status, stderr } = await set('maxconn=77', 'timeout_client=soon')
    expect(status).toBe(4)
    // The part before it was in the file already.
    expect(stderr).toMatch(/rolled_back +lab1/)
    expect(stderr).toContain('is not valid')
    expect(await config()).toBe(before)
    expect(await statistics()).toMatch(/^Maxconn: 3000$/m)
  })

  test('is rolled back if reloading with a valid file fails', async () => {
    const before = await config()
    // haproxy -c binds nothing: the conflict with sshd’s port shows on reload.
    const { address, port } = lab.status.hosts[0]!
    const { status, stderr } = await set(`bind=${address}:${port}`)
    expect(status).toBe(4)
    expect(stderr).toMatch(/rolled_back +lab1/)
    expect(stderr).toContain('cannot bind socket')
    expect(await config()).toBe(before)
    expect((await through()).status).toBe(200)
  })

  describe('with a setting that can make the backend fail', () => {
    let project: Project
    beforeAll(async () => {
      const catalogue = await readFile(join(lab.directory, 'bootstrap.ini'), 'utf8')
      project = await projectFor(lab, {
        'inventories/x/bootstrap.ini': catalogue
          .replace('[product:haproxy]', '[product:haproxy]\nheartbeat_attempts = 4')
          .concat('\n[setting:haproxy:check]\nsection = backend stack\nkey = option httpchk\n'),
      })
      await copyReleases(lab, project, ['1.0.0'])
    })

    test('is rolled back if its heartbeat fails', async () => {
      const before = await config()
      const { status, stderr } = await lab.run(
        ['product.set', 'haproxy', 'check=GET /nowhere', '-i', 'x', '--on', 'lab1'],
        { cwd: project.directory },
      )
      expect(status).toBe(4)
      expect(stderr).toMatch(/rolled_back +lab1/)
      expect(stderr).toContain('check rolled back')
      expect(stderr).toContain('stack/stack1 DOWN')
      // The key had no value of its own on record: the line goes, and provision writes it again.
      const after = await config()
      expect([before, before.replace('    option httpchk GET /heartbeat\n', '')]).toContain(after)
      expect((await through()).status).toBe(200)
    })
  })
})
