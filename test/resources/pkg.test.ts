/** Package managers on hosts of their own, each with a repository that the test makes; real but for apk. */
import { describe } from 'vitest'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import { apkContract } from '../support/fake-apk.ts'
import {
  caches,
  operands,
  type PackageManager,
  packageHost,
  packageManagers,
} from '../support/package-hosts.ts'
import { type ResourceCase, resourceTable } from '../support/resource-table.ts'
import { anyShell, describeEach, shells } from '../support/shells.ts'

/** The script that makes a host as it is before: only hwkeep and `installed` are there, `offers` can be had. */
const before = (manager: PackageManager, offers: string[], installed: string[] = []) => {
  const { list, install, remove, refresh, unhold } = manager
  const offer = (each: string) => `offer ${each.replace('=', ' ')}`
  return `. /srv/functions
${unhold} 2>/dev/null ||:
for name in $(${list} | cut -d' ' -f1); do
  [ "$name" = hwkeep ] || ${operands(remove, '"$name"')}
done
rm -rf /srv/repository/* /srv/index/*
${['hwkeep=1.0', ...offers].map(offer).join('\n')}
publish
${refresh}
${operands(install, ['hwkeep', ...installed].join(' '))}`
}

/** A script that succeeds only where these, and hwkeep, are what is installed. */
const exactly = ({ list, version }: PackageManager, installed: string[]) => {
  const lines = ['hwkeep=1.0', ...installed].map(each => {
    const [name, number] = each.split('=') as [string, string]
    return `${name} ${version(number)}`
  })
  return `[ "$(${list} | sort)" = "${lines.sort().join('\n')}" ]`
}

/** What every package manager is held to. */
function casesFor(manager: PackageManager): ResourceCase[] {
  const { name, install, remove, hold, unhold, version } = manager
  const v = version
  // What drifts is found in the same way by all of them: once is enough.
  const again = (drift: string) => (name === 'apt' ? [drift] : [])
  return [
    {
      name: 'several at once, one of them there',
      given: before(manager, ['hwalpha=1.0', 'hwbeta=1.0'], ['hwbeta']),
      wanted: () => pkg(['hwalpha', 'hwbeta']),
      holds: exactly(manager, ['hwalpha=1.0', 'hwbeta=1.0']),
      drift: again(operands(remove, 'hwalpha')),
      note: new RegExp(`^hwalpha ${v('1.0')}$`),
    },
    {
      name: 'one that the host has not heard of yet, held',
      given: `${before(manager, [])}\noffer hwalpha 1.0\npublish`,
      wanted: () => pkg('hwalpha', { hold: true }),
      holds: exactly(manager, ['hwalpha=1.0']),
      drift: [unhold],
      note: new RegExp(`^hwalpha ${v('1.0')}, hwalpha held$`),
    },
    {
      name: 'absent',
      given: before(manager, ['hwalpha=1.0', 'hwbeta=1.0'], ['hwalpha', 'hwbeta']),
      wanted: () => pkg(['hwalpha', 'hwnone'], { absent: true, purge: name !== 'apt' }),
      holds: exactly(manager, ['hwbeta=1.0']),
      drift: again(operands(install, 'hwalpha')),
      note: new RegExp(`^hwalpha${name === 'apt' ? ` ${v('1.0')} removed` : ' purged'}$`),
    },
    // dpkg counts a package as installed, to a look at its version, whose script has failed.
    ...(name === 'apt'
      ? ['dpkg --unpack', 'false'].map(half => ({
          name: `one that a run left ${half === 'false' ? 'half configured' : 'unpacked'}`,
          given: `${before(manager, ['hwbeta=1.0'])}
offer hwalpha 1.0 '[ ! -e /srv/broken ]'
publish
${manager.refresh}
${
  half === 'false'
    ? `touch /srv/broken; ${operands(install, 'hwalpha')} || rm /srv/broken`
    : 'dpkg --unpack /srv/repository/hwalpha_1.0.deb >/dev/null'
}
[ "$(dpkg-query -W -f '\${db:Status-Status}' hwalpha)" != installed ]`,
          wanted: () => pkg(['hwalpha', 'hwbeta']),
          holds: `[ -z "$(dpkg --audit)" ]; ${exactly(manager, ['hwalpha=1.0', 'hwbeta=1.0'])}`,
          drift: ['dpkg --unpack /srv/repository/hwalpha_1.0.deb >/dev/null'],
          note: /^hwalpha 1\.0, which was half installed, hwbeta 1\.0$/,
        }))
      : []),
    ...(name === 'pacman'
      ? []
      : [
          {
            name: 'an older version, held',
            given: `${before(manager, ['hwalpha=1.0', 'hwalpha=2.0'], ['hwalpha'])}
${hold}`,
            wanted: () =>
              pkg('hwalpha', { version: name === 'apk' ? '1.0-r0' : '1.0', hold: true }),
            holds: exactly(manager, ['hwalpha=1.0']),
            drift: [unhold],
            note: new RegExp(`^hwalpha ${v('2.0')} to ${v('1.0')}$`),
          },
        ]),
  ]
}

/** Finding out what is latest fetches the index also where nothing changes. */
function latestOf(manager: PackageManager): ResourceCase {
  const { version } = manager
  return {
    name: 'the latest, of what came after the host last looked',
    given: `${before(manager, ['hwalpha=1.0'], ['hwalpha'])}\noffer hwalpha 2.0\npublish`,
    wanted: () => pkg(['hwalpha', 'hwkeep'], { latest: true }),
    holds: `case $(ls /srv/repository; cat /srv/repository/index 2>/dev/null ||:) in *hwalpha?3.0*) ${exactly(manager, ['hwalpha=3.0'])} ;; *) ${exactly(manager, ['hwalpha=2.0'])} ;; esac`,
    drift: ['. /srv/functions; offer hwalpha 3.0; publish'],
    note: new RegExp(`^hwalpha ${version('1.0')} to ${version('2.0')}$`),
  }
}

describeEach([...packageManagers, apkContract], '$name', manager => {
  describe('on a host of its own', () => {
    resourceTable('pkg', casesFor(manager), {
      fetches: true,
      host: () => packageHost(manager),
      shells: [anyShell],
    })
    resourceTable('pkg', [latestOf(manager)], {
      fetches: true,
      host: () => packageHost(manager, caches),
      shells: shells.filter(({ name }) => name === 'busybox sh'),
    })
  })
})
