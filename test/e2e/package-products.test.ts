/** Products from packages: what runs, what is installed, and what can be had, by real apt on a host of its own. */
import { beforeAll, describe, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const catalogue = (version: string) => `[server]
modes = provisioning, active, upgrading
[role:tool]
products = tool
[product:tool]
${version}
packages = hwtool
service = /usr/lib/hwtool/ctl
heartbeat = command:test "$(cat /run/hwtool)" = "$(cat /usr/lib/hwtool/version)"
heartbeat_attempts = 2
heartbeat_interval = 50ms
`

/** Functions of the host: its process says at its start which version it is of. */
const functions = `offer() {
  rm -rf /srv/build && mkdir -p /srv/build/DEBIAN /srv/build/usr/lib/hwtool /srv/repository
  printf '%s\\n' 'Package: hwtool' "Version: $1" 'Architecture: all' 'Maintainer: t <t@t.t>' 'Description: t' >/srv/build/DEBIAN/control
  echo "$1" >/srv/build/usr/lib/hwtool/version
  cat >/srv/build/usr/lib/hwtool/ctl <<'END'
#!/bin/sh
case $1 in
  status) test -e /run/hwtool ;;
  stop) rm -f /run/hwtool ;;
  *) cat /usr/lib/hwtool/version >/run/hwtool ;;
esac
END
  chmod 755 /srv/build/usr/lib/hwtool/ctl
  dpkg-deb -Znone -b /srv/build "/srv/repository/hwtool_$1.deb" >/dev/null
}
publish() { (cd /srv/repository && dpkg-scanpackages -m . >Packages 2>/dev/null) && apt-get -qq update; }
`

describe('a product from a package', { tags: ['overlay', 'apt'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay' })
  let project: Project
  const run = (words: string) =>
    lab.run([...words.split(' '), '-i', 'x', '--on', 'lab'], { cwd: project.directory })
  const host = (script: string) => lab.read('lab1', `set -e\n${functions}\n${script}`)
  const installed = async () => (await host(`dpkg-query -W -f '\${Version}' hwtool`)).trim()
  const running = async () => (await host('cat /run/hwtool')).trim()

  beforeAll(async () => {
    project = await projectFor(lab, { 'inventories/x/bootstrap.ini': catalogue('') })
    await host(`rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
offer 1.0; offer 2.0; publish`)
    await host('apt-get -qq -y install hwtool=1.0 >/dev/null 2>&1; /usr/lib/hwtool/ctl start')
    expect(await run('server.provision tool')).toMatchObject({ status: 0 })
  })

  test('is restarted by an upgrade: its old process would pass the heartbeat of many', async () => {
    expect(await running()).toBe('1.0')
    const { status, stderr } = await run('product.upgrade tool 2.0')
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('changed') })
    expect([await installed(), await running()]).toEqual(['2.0', '2.0'])
    expect((await run('product.upgrade tool 2.0')).stderr).toContain('0 steps changed')
  })

  test('keeps what the distribution has updated since, and shows it beside the record', async () => {
    await host(
      'offer 2.1; publish; apt-get -qq -y install hwtool >/dev/null 2>&1; /usr/lib/hwtool/ctl restart',
    )
    const { status, stderr } = await run('server.provision')
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('0 steps changed'),
    })
    expect(await installed()).toBe('2.1')
    const shown = (await run('product.get tool')).stdout
    expect(shown).toMatch(/version +2\.0 +recorded/)
    expect(shown).toMatch(/installed +2\.1 +host/)
    expect((await run('product.versions')).stdout).toMatch(/tool +2\.1 +2\.0 +- +not as recorded/)
  })

  test('is left alone if no repository has the version, also where an upgrade has no way back', async () => {
    const nowhere = await run('product.upgrade tool 9.9')
    expect(nowhere.status).toBe(4)
    expect(nowhere.stderr).toContain('no repository of this host has hwtool in the version 9.9')
    await host('rm /srv/repository/hwtool_2.1.deb; offer 3.0; publish')
    const oneWay = await run('product.upgrade tool 3.0')
    expect(oneWay.status).toBe(4)
    expect(oneWay.stderr).toContain('there is no way back to 2.1')
    expect(oneWay.stderr).toContain('--yes')
    expect([await installed(), await running()]).toEqual(['2.1', '2.1'])
    expect((await run('server.mode')).stdout).toMatch(/lab1 +active/)
    expect((await run('product.upgrade tool 3.0 --yes')).status).toBe(0)
    expect([await installed(), await running()]).toEqual(['3.0', '3.0'])
  })

  test('goes back to an older version of bootstrap.ini only with --yes', async () => {
    await project.write('inventories/x/bootstrap.ini', catalogue('version = 2.0'))
    const looked = await run('product.upgrade tool --check')
    expect(looked.stderr).toMatch(
      /goes back: 2\.0, the version in bootstrap\.ini, is older than 3\.0/,
    )
    const refused = await run('product.upgrade tool')
    expect(refused.status).toBe(4)
    expect(refused.stderr).toContain('goes back')
    expect(await installed()).toBe('3.0')
    expect((await run('product.upgrade tool --yes')).status).toBe(0)
    expect([await installed(), await running()]).toEqual(['2.0', '2.0'])
  })
})
