/** @module-tag long */
/** What package steps cost, how they fail, and how two runs at once get along; on real package managers. */
import { beforeAll, describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { apkContract } from '../support/fake-apk.ts'
import {
  operands,
  type PackageManager,
  packageHost,
  packageManagers,
} from '../support/package-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach, shells, testEach } from '../support/shells.ts'

const shell = anyShell
const [apt] = packageManagers

/** What shows that the second run has come to the lock. */
const waiting: Record<PackageManager['name'], string> = {
  apt: 'confdef --allow-downgrades install hwbeta',
  dnf: 'install hwbeta-1.0',
  zypper: '^sleep 1$',
  pacman: '^sleep 1$',
  apk: '',
}

describeEach(packageManagers, 'two runs at once, by $name', manager => {
  const host = packageHost(manager)

  test('the second waits for the lock of the first', { tags: ['pgrep'] }, async () => {
    await host.script(
      `. /srv/functions
offer hwslow 1.0 'touch /srv/working; until [ -e /srv/go ]; do sleep 0.05; done'
offer hwbeta 1.0
publish
${manager.refresh}`,
      '/',
    )
    const go = (name: string) => bring(host, shell, '/srv', pkg(name))
    const first = go('hwslow')
    await host.script('until [ -e /srv/working ]; do sleep 0.05; done', '/')
    const second = go('hwbeta')
    await host.script(
      `until pgrep -f '${waiting[manager.name]}' >/dev/null; do sleep 0.05; done; touch /srv/go`,
      '/',
    )
    for (const { error, notes } of await Promise.all([first, second])) {
      expect(error).toBeUndefined()
      expect(notes[0]).toMatch(/^hw(slow|beta) 1\.0/)
    }
  })
})

describeEach(
  [...packageManagers, apkContract],
  'a version and what the host has, by $name',
  manager => {
    const { install, list, refresh, version } = manager
    const host = packageHost(manager)
    const go = (items: Items, mode = {}) => bring(host, shell, '/srv', items, mode)
    const installed = async () => (await host.script(list, '/')).trim()

    test('a newer one that is installed stays where at least a version is wanted, an older one does not', async () => {
      const begin = (offers: string[], there: string) => `. /srv/functions
rm -rf /srv/repository/* /srv/index/*
${offers.map(each => `offer hwalpha ${each}`).join('\n')}
publish
${refresh}
${operands(install, there)}`
      // apk's repositories have one version of each, and it binds a package to one that is named.
      const offers = manager.name === 'apk' ? ['1.10'] : ['1.9', '1.10']
      await host.script(begin(offers, 'hwalpha'), '/')
      const least = (number: string) => pkg('hwalpha', { version: version(number), atLeast: true })
      expect(await go(least('1.9'))).toMatchObject({ error: undefined, statuses: ['ok'] })
      expect(await go(least('1.10'))).toMatchObject({ error: undefined, statuses: ['ok'] })
      expect(await installed()).toBe(`hwalpha ${version('1.10')}`)
      await host.script(`. /srv/functions; offer hwalpha 1.11; publish; ${refresh}`, '/')
      expect(await go(least('1.11'))).toMatchObject({ error: undefined, statuses: ['changed'] })
      expect(await installed()).toBe(`hwalpha ${version('1.11')}`)
    })

    test('one is available if a repository has it, which is not said by its being installed', async () => {
      const available = (number: string) =>
        pkg('hwalpha', { version: version(number), available: true })
      const before = await installed()
      expect(await go(available('1.11'))).toMatchObject({ error: undefined, statuses: ['ok'] })
      const none = await go(available('7.0'))
      expect(none.statuses).toEqual(['failed'])
      expect(none.error?.message).toContain('no repository of this host has hwalpha in the version')
      // What came after the host last looked is found, also by a look that changes nothing.
      await host.script(
        '. /srv/functions; rm -rf /srv/repository/* /srv/index/*; offer hwalpha 2.0; publish',
        '/',
      )
      for (const mode of [{ check: true }, {}])
        expect(await go(available('2.0'), mode)).toMatchObject({
          error: undefined,
          statuses: ['ok'],
        })
      expect((await go(available('1.11'))).statuses).toEqual(['failed'])
      expect(await installed()).toBe(before)
    })
  },
)

describe('pkg by apk, as a recorded contract', { tags: ['overlay'] }, () => {
  const host = packageHost(apkContract)

  test('asks apk in these words, and again where another has the lock', async () => {
    await host.script(
      `. /srv/functions; offer hwalpha 1.0; offer hw-2beta 1.0; ${apkContract.refresh}; : >/dev/shm/apk.log`,
      '/',
    )
    expect((await bring(host, shell, '/srv', pkg(['hwalpha', 'hw-2beta']))).notes).toEqual([
      'hwalpha 1.0-r0, hw-2beta 1.0-r0',
    ])
    await host.script('touch /srv/apk.busy', '/')
    const removed = await bring(host, shell, '/srv', pkg('hw-2beta', { absent: true, purge: true }))
    expect(removed.error).toBeUndefined()
    expect((await host.script('cat /dev/shm/apk.log', '/')).trim().split('\n')).toEqual([
      'info -e -v hwalpha hw-2beta',
      '--wait 300 add --simulate hwalpha hw-2beta',
      '--wait 300 add hwalpha hw-2beta',
      'info -e -v hwalpha hw-2beta',
      'info -e -v hw-2beta',
      '--wait 300 del --purge hw-2beta',
      '--wait 300 del --purge hw-2beta',
    ])
  })
})

const dnf = packageManagers.find(({ name }) => name === 'dnf')!

describe('pkg where there is yum and no dnf', { tags: ['overlay', 'dnf'] }, () => {
  const host = packageHost(dnf)

  test('speaks to it in words that yum 3 had, which dnf still knows', async () => {
    await host.script(
      `. /srv/functions
offer hwalpha 1.0; publish; ${dnf.refresh}
mv "$(readlink -f /usr/bin/dnf)" /usr/bin/dnf-for-yum; rm /usr/bin/dnf
printf '%s\\n' '#!/bin/sh' 'printf "%s\\n" "$*" >>/srv/yum.log' 'exec /usr/bin/dnf-for-yum "$@"' >/usr/bin/yum
chmod 755 /usr/bin/yum
offer hwalpha 2.0; publish`,
      '/',
    )
    const go = (...items: Items[]) => bring(host, shell, '/srv', items)
    expect(await go(pkg('hwalpha'))).toMatchObject({ error: undefined, notes: ['hwalpha 1.0-1'] })
    expect((await go(pkg('hwalpha', { latest: true }))).notes).toEqual(['hwalpha 1.0-1 to 2.0-1'])
    expect((await go(pkg('hwalpha', { absent: true }))).notes).toEqual(['hwalpha 2.0-1 removed'])
    const words = (await host.script('cat /srv/yum.log', '/')).trim().split('\n')
    expect(words.map(line => line.replace('--disableplugin=versionlock ', ''))).toEqual([
      '-y -q -C list available --showduplicates hwalpha',
      '-y -q install hwalpha-1.0-1',
      '-y -q clean expire-cache',
      '-y -q makecache',
      '-y -q -C check-update hwalpha',
      '-y -q install hwalpha-2.0-1',
      '-y -q remove hwalpha',
    ])
  })
})

describe('pkg by apt', { tags: ['overlay', 'apt'] }, () => {
  const host = packageHost(apt!)
  const go = (items: Items, mode = {}) => bring(host, shell, '/srv', items, mode)
  beforeAll(async () => {
    await host.script(
      `. /srv/functions
for each in hwalpha=1.0 hwalpha=2.0 hwbeta=1.0 hwgamma=1.0; do offer "\${each%=*}" "\${each#*=}"; done
publish
${apt!.refresh}
apt-get -qq -y install hwbeta >/dev/null 2>&1
for each in apt-get dpkg-query; do
  mv /usr/bin/$each /usr/bin/$each.real
  printf '%s\\n' '#!/bin/sh' "printf '%s\\\\n' \\"$each \\$*\\" >>/srv/log" "exec /usr/bin/$each.real \\"\\$@\\"" >/usr/bin/$each
  chmod 755 /usr/bin/$each
done`,
      '/',
    )
  })
  /** What was run since the last time. */
  const log = async () =>
    (await host.script('[ ! -e /srv/log ] || cat /srv/log; rm -f /srv/log', '/')).trim().split('\n')

  test('asks once for all package steps of a segment where nothing is to be done', async () => {
    const wanted = ['hwbeta', 'dpkg', 'tar'].map(name => pkg(name))
    expect(await go([wanted, pkg('hwnone', { absent: true })])).toMatchObject({
      statuses: ['ok', 'ok', 'ok', 'ok'],
    })
    expect(await log()).toEqual([expect.stringMatching(/^dpkg-query .* hwbeta dpkg tar hwnone$/)])
  })

  testEach(shells, 'does the same under $name', async each => {
    const steps = () => [
      pkg(['hwalpha', 'hwbeta'], { hold: true }),
      pkg('hwgamma', { latest: true }),
      pkg(['hwalpha', 'hwbeta'], { hold: false }),
      pkg(['hwalpha', 'hwgamma'], { absent: true, purge: true }),
    ]
    const { notes, error } = await bring(host, each, '/srv', steps())
    expect(error).toBeUndefined()
    expect(notes).toEqual([
      'hwalpha 2.0, hwalpha held, hwbeta held',
      'hwgamma 1.0',
      'hwalpha unheld, hwbeta unheld',
      'hwalpha purged, hwgamma purged',
    ])
  })

  test('a package step after one that changed something looks again', async () => {
    const steps = [
      pkg('hwgamma'),
      pkg('hwgamma', { absent: true }),
      pkg('hwgamma', { absent: true }),
    ]
    expect((await go(steps)).statuses).toEqual(['changed', 'changed', 'ok'])
  })

  test('fetches the index once a run for all that want the latest, and never where it has the package', async () => {
    await log()
    await go([pkg('hwgamma'), pkg('hwgamma', { absent: true })])
    expect((await log()).filter(line => line.endsWith(' update'))).toEqual([])
    const { statuses } = await go([
      pkg('hwbeta', { latest: true }),
      pkg(['hwbeta', 'hwgamma'], { latest: true }),
      pkg('hwgamma', { absent: true }),
    ])
    expect(statuses).toEqual(['ok', 'changed', 'changed'])
    expect((await log()).filter(line => line.endsWith(' update'))).toHaveLength(1)
  })

  test('where the host’s package manager is not known to the controller, the host knows', async () => {
    const wanted = { ...pkg('hwgamma'), forHost: undefined }
    expect(await go(wanted)).toMatchObject({ statuses: ['changed'], notes: ['hwgamma 1.0'] })
    expect((await go(pkg('hwgamma', { absent: true }))).statuses).toEqual(['changed'])
  })

  test('what is not to be had fails with apt’s own words, after the index was fetched once', async () => {
    await log()
    const { error } = await go(pkg(['hwbeta', 'hwnone', 'hwgamma']))
    expect(error).toMatchObject({
      code: 'step_failed',
      message: "can't be installed on this host: hwnone hwgamma",
      output: 'E: Unable to locate package hwnone',
      at: expect.stringMatching(/pkg-runs\.test\.ts:\d+$/),
    })
    expect((await log()).filter(line => line.endsWith(' update'))).toHaveLength(1)
    // That it was `changed` hid that no earlier step brings a repository.
    const alone = await go(pkg('hwnone'), { check: true })
    expect(alone.error?.message).toBe("can't be installed on this host: hwnone")
    const behind = await go([command('true'), pkg('hwnone')], { check: true })
    expect(behind.statuses).toEqual(['changed', 'changed'])
  })

  test('a name that apt would take for an expression installs nothing', async () => {
    const { error } = await go(pkg('hwalph.'))
    expect(error!.message).toBe("can't be installed on this host: hwalph.")
    expect(await host.script(apt!.list, '/')).toBe('hwbeta 1.0\n')
  })

  test('a version that is not to be had fails, and the installed one stays', async () => {
    const { error } = await go(pkg('hwbeta', { version: '7' }))
    expect(error!.output).toContain("Version '7' for 'hwbeta' was not found")
  })

  test('does not break a hold that the recipe does not speak of', async () => {
    await go(pkg('hwalpha', { version: '1.0', hold: true }))
    for (const step of [pkg('hwalpha', { latest: true }), pkg('hwalpha', { absent: true })]) {
      const { error } = await go(step)
      expect(error!.message).toContain('held on this host: hwalpha')
    }
    const { notes } = await go(pkg('hwalpha', { latest: true, hold: false }))
    expect(notes).toEqual(['hwalpha 1.0 to 2.0, hwalpha unheld'])
    expect((await go(pkg('hwalpha', { absent: true }))).statuses).toEqual(['changed'])
  })

  test('config files that a removed package left are counted only for purge', async () => {
    await go([pkg('hwalpha'), pkg('hwalpha', { absent: true })])
    expect((await go(pkg('hwalpha', { absent: true }))).statuses).toEqual(['ok'])
    const purged = await go(pkg('hwalpha', { absent: true, purge: true }))
    expect(purged.notes).toEqual(['hwalpha purged'])
    expect(await host.script('ls /etc/hwalpha.conf 2>&1 ||:', '/')).toContain('No such file')
  })

  test('fetches the index anew where it names what the mirror has no more', async () => {
    await host.script(
      '. /srv/functions; rm /srv/repository/hwgamma*; offer hwgamma 1.1; publish',
      '/',
    )
    expect(await go(pkg('hwgamma'))).toMatchObject({ error: undefined, statuses: ['changed'] })
    expect(await host.script(apt!.list, '/')).toContain('hwgamma 1.1\n')
  })

  test('a session leaves nothing behind', async () => {
    await go(pkg('hwbeta', { latest: true }), { check: true })
    expect(await host.script('ls /dev/shm', '/')).toBe('')
  })

  test('a host without a package manager says so', async () => {
    await host.script('rm -f /usr/bin/apt-get /usr/bin/dnf /usr/bin/zypper /usr/bin/pacman', '/')
    expect((await go(pkg('hwbeta'))).error).toMatchObject({
      code: 'tool_missing',
      message: expect.stringContaining('no package manager'),
    })
  })
})

test.each([
  ['a b', {}, 'not the name of a package'],
  ['-y', {}, 'not the name of a package'],
  ['haproxy-', {}, 'not the name of a package'],
  ['$(reboot)', {}, 'not the name of a package'],
  [['a', 'b'], { version: '1' }, 'one package'],
  ['a', { version: '1 2' }, 'not a version'],
  ['a', { version: '1', latest: true }, 'not both'],
  ['a', { absent: true, latest: true }, 'latest can’t be combined with absent'],
  ['a', { purge: true }, 'purge needs absent'],
  [[], {}, 'give at least one package'],
])('pkg(%j, %j) is refused, with the line of the recipe', (names, options, message) => {
  const declared = () => pkg(names, options)
  expect(declared).toThrow(message)
  expect(declared).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ at: expect.stringMatching(/pkg-runs\.test\.ts:\d+$/) }),
    }),
  )
})
