/**
 * haproxy, provisioned by hostwright and then reloaded by somebody else: the real one, under systemd as process 1 and
 * by its SysV script. The tests of hostwright's own reloads passed beside a drain that was lost, as nobody else
 * reloads it there.
 */
import { beforeAll, expect, test } from 'vitest'
import { productOnHost } from '../../lib/bootstrap/product.ts'
import type { RunningHost } from '../../lib/index.ts'
import { provision } from '../../tasks/product.ts'
import { moduleOf } from '../../tasks/products.ts'
import { openrcHost, systemdHost, sysvHost } from '../support/init-hosts.ts'
import { catalogueOf, localHost, viewOf } from '../support/local-run.ts'
import type { Requires } from '../support/requires.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach } from '../support/shells.ts'
import { freePort, ownAddress } from '../support/sshd.ts'
import { webServer } from '../support/web.ts'

const definition = {
  packages: ['haproxy'],
  config: '/etc/haproxy/haproxy.cfg',
  validate: 'haproxy -c -f %s',
  service: 'haproxy',
}

/** How others reload it. */
const inits = [
  {
    name: 'systemd',
    tags: ['overlay', 'haproxy', 'systemd'] satisfies Requires[],
    make: systemdHost,
    // The unit binds that; and no journal runs here, nor what makes directories in /run.
    given: 'touch /dev/log; systemd-tmpfiles --create haproxy.conf',
    reloads: [
      'systemctl reload haproxy',
      '/etc/init.d/haproxy reload',
      'service haproxy reload',
      'systemctl restart haproxy',
    ],
  },
  {
    name: 'sysv',
    tags: ['overlay', 'haproxy'] satisfies Requires[],
    make: sysvHost,
    given: ':',
    reloads: [
      '/etc/init.d/haproxy reload',
      'service haproxy force-reload',
      '/etc/init.d/haproxy restart',
    ],
  },
  {
    name: 'openrc',
    tags: ['overlay', 'haproxy', 'openrc'] satisfies Requires[],
    make: openrcHost,
    given: ':',
    reloads: [
      'rc-service haproxy reload',
      '/etc/init.d/haproxy reload',
      'rc-service haproxy restart',
    ],
  },
]

const web = webServer()
web.pages['/heartbeat'] = { body: 'ok' }

describeEach(inits, 'haproxy that somebody else reloads, by $name,', ({ name, make, ...each }) => {
  const host = make()
  let settings: Record<string, string>
  beforeAll(async () => {
    const address = ownAddress()
    settings = { bind: `${address}:${await freePort(address)}` }
    await host.script(each.given, '/')
  })

  const provisioned = async (more: Record<string, string> = {}) => {
    const backend = new URL(web.url('/')).host
    const running = {
      ...localHost('lb', '/srv', { haproxy_backends: Array(3).fill(backend).join() }),
      facts: { init: name, packageManager: 'apt' },
    } as unknown as RunningHost
    const product = productOnHost(catalogueOf({ haproxy: definition })().products.get('haproxy')!, {
      host: running,
      directory: '/',
    })
    const wanted = { ...product, settings: { ...settings, ...more } }
    const { error, statuses } = await bring(
      host,
      anyShell,
      '/srv',
      provision(wanted, running, moduleOf(wanted, { inventory: viewOf([]) })),
    )
    expect(error).toBeUndefined()
    return statuses
  }
  const ask = (words: string) =>
    host.script(`echo '${words}' | socat - /run/haproxy/admin.sock`, '/')
  const process = async () => /^Pid: (\d+)/m.exec(await ask('show info'))![1]
  /** Each server's state and weight. */
  const servers = async () =>
    [...(await ask('show stat')).matchAll(/^stack,(stack\d),(?:[^,]*,){15}([^,]*),(\d+),/gm)].map(
      ([, server, state, weight]) => `${server} ${state!.split(' ')[0]} ${weight}`,
    )
  const kept = () => host.script('cat /var/lib/haproxy/server-state', '/')

  test('keeps drained and disabled servers and weights, until they are put back', async () => {
    await provisioned()
    expect(await provisioned(), 'the second run').not.toContain('changed')
    await ask('set server stack/stack1 state drain')
    await ask('set server stack/stack2 state maint')
    await ask('set server stack/stack3 weight 7')
    const wanted = ['stack1 DRAIN 1', 'stack2 MAINT 1', 'stack3 UP 7']
    await expect.poll(servers).toEqual(wanted)
    for (const reload of each.reloads) {
      const before = await process()
      await host.script(reload, '/')
      await expect.poll(process).not.toBe(before)
      await expect.poll(servers, { message: reload }).toEqual(wanted)
      expect(await kept()).toBe('1\n')
    }
    await provisioned({ maxconn: '3000' })
    expect(await servers(), 'by hostwright').toEqual(wanted)
    for (const server of ['stack1', 'stack2']) await ask(`set server stack/${server} state ready`)
    await host.script(each.reloads[0]!, '/')
    expect((await servers()).slice(0, 2)).toEqual(['stack1 UP 1', 'stack2 UP 1'])
  })

  test('reports a reload that haproxy refuses, and goes on as before', async () => {
    await ask('set server stack/stack1 state drain')
    const [before, config] = [await process(), '/etc/haproxy/haproxy.cfg']
    await host.script(`cp ${config} ${config}.good; echo nonsense >>${config}`, '/')
    await expect(host.script(each.reloads[0]!, '/')).rejects.toThrow()
    expect(await process()).toBe(before)
    expect((await servers())[0]).toBe('stack1 DRAIN 1')
    expect(await kept()).toBe('1\n')
    await host.script(`mv ${config}.good ${config}`, '/')
  })
})
