import { describe, expect, test } from 'vitest'
import { dnfRepo } from '../../lib/resources/packages/dnf-repo.ts'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import { packageHost, packageManagers } from '../support/package-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const dnf = packageManagers.find(({ name }) => name === 'dnf')!
const dash = [anyShell]
const local = { baseurl: 'file:///srv/repository', gpgcheck: false }
/** What a key looks like to us; dnf reads it only where it has to check a package. */
const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n'
const at = '/etc/yum.repos.d/own.repo'

describe('dnfRepo', { tags: ['overlay', 'dnf'] }, () => {
  resourceTable(
    'on a host of dnf',
    [
      {
        name: 'with a key and options',
        wanted: () =>
          dnfRepo('own', { ...local, key, description: 'Our own', set: { priority: 10 } }),
        holds: `[ "$(cat ${at})" = "[own]
name=Our own
baseurl=file:///srv/repository
enabled=1
gpgcheck=0
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-own
priority=10" ] && grep -q BEGIN /etc/pki/rpm-gpg/RPM-GPG-KEY-own`,
        drift: [`sed -i s/10/20/ ${at}`, 'rm /etc/pki/rpm-gpg/RPM-GPG-KEY-own', `rm ${at}`],
        note: 'key, created',
      },
      {
        name: 'absent',
        given: `touch ${at}`,
        wanted: () => dnfRepo('own', { absent: true }),
        holds: `[ ! -e ${at} ]`,
        note: 'removed',
      },
    ],
    { host: () => packageHost(dnf), shells: dash },
  )

  describe('its index', () => {
    const host = packageHost(dnf)

    test('is fetched before the next package', async () => {
      await host.script(
        `. /srv/functions; offer hwalpha 1.0; publish; rm /etc/yum.repos.d/*
printf '[old]\\nname=old\\nbaseurl=file:///srv/old\\ngpgcheck=0\\n' >/etc/yum.repos.d/old.repo
mkdir /srv/old; createrepo_c -q /srv/old; dnf -q makecache`,
        '/',
      )
      const wanted = [dnfRepo('own', local), pkg('hwalpha')]
      const { error, notes } = await bring(host, anyShell, '/srv', wanted)
      expect(error).toBeUndefined()
      expect(notes).toEqual(['created', 'hwalpha 1.0-1'])
    })
  })

  test.each([
    [{}, 'needs one of baseurl'],
    [{ ...local, metalink: 'https://x.org/' }, 'needs one of baseurl'],
    [{ baseurl: 'https://x.org/' }, 'needs gpgkey or key'],
    [{ baseurl: 'https://x.org/', key, gpgkey: 'https://x.org/k' }, 'not both'],
    [{ baseurl: 'x.org', gpgcheck: false }, 'not a URL'],
    [{ ...local, description: 'a\nb=1' }, 'is not a valid option'],
    [{ ...local, set: { enabled: 0 } }, 'option of its own'],
    [{ ...local, absent: true }, 'can’t be combined with absent'],
  ])('refuses %j, with the line of the recipe', (options, message) => {
    const declared = () => dnfRepo('own', options)
    expect(declared).toThrow(message)
    expect(declared).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ at: expect.stringMatching(/dnf-repo\.test\.ts:\d+$/) }),
      }),
    )
  })
})
