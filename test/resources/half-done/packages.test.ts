/**
 * Repositories and packages of npm that fail midway; see test/support/half-done.ts. Those of the system are in
 * test/resources/pkg-runs.test.ts.
 *
 * @module-tag long
 */
import { describe } from 'vitest'
import { aptRepo } from '../../../lib/resources/packages/apt-repo.ts'
import { dnfRepo } from '../../../lib/resources/packages/dnf-repo.ts'
import { npmPackage } from '../../../lib/resources/packages/npm-package.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { overlayHost } from '../../support/resource-hosts.ts'

const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----\n'

/** What npm does, on its own; the real one, which takes a second a call, is in test/resources/npm-package.test.ts. */
const npm = `cat >/usr/bin/npm <<'END'
#!/bin/sh
root=/srv/npm/node_modules words=
for each in "$@"; do case $each in -*) ;; *) words="$words $each" ;; esac; done
set -- $words
case $1 in
  view) echo 2.0.0 ;;
  ls) for each in "$root"/*; do [ ! -e "$each" ] || echo "$each:\${each##*/}@$(cat "$each/version")"; done ;;
  install) rm -rf "$root/\${2%@*}"; mkdir -p "$root/\${2%@*}" && echo "\${2#*@}" >"$root/\${2%@*}/version" && echo whole >"$root/\${2%@*}/code" ;;
  uninstall) rm -rf "$root/$2" ;;
esac
END
chmod 755 /usr/bin/npm; rm -rf /srv/npm; mkdir -p /srv/npm/node_modules/hw-tool; echo 1.0.0 >/srv/npm/node_modules/hw-tool/version`

const cases: HalfCase[] = [
  {
    name: 'aptRepo, with a key',
    given: 'rm -f /etc/apt/sources.list.d/hw-half.sources /etc/apt/keyrings/hw-half.*',
    wanted: (_, notify) =>
      aptRepo('hw-half', {
        uris: 'http://127.0.0.1:9',
        suites: 'x',
        components: 'main',
        key,
        notify,
      }),
    holds:
      'grep -q 127.0.0.1:9 /etc/apt/sources.list.d/hw-half.sources && [ -s /etc/apt/keyrings/hw-half.asc ]',
  },
  {
    name: 'aptRepo, absent',
    given:
      'echo x >/etc/apt/sources.list.d/hw-half.sources; mkdir -p /etc/apt/keyrings; echo x >/etc/apt/keyrings/hw-half.asc',
    wanted: (_, notify) => aptRepo('hw-half', { absent: true, notify }),
    holds:
      '[ ! -e /etc/apt/sources.list.d/hw-half.sources ] && [ ! -e /etc/apt/keyrings/hw-half.asc ]',
  },
  {
    name: 'dnfRepo, with a key',
    given: 'rm -f /etc/yum.repos.d/hw-half.repo /etc/pki/rpm-gpg/RPM-GPG-KEY-hw-half',
    wanted: (_, notify) => dnfRepo('hw-half', { baseurl: 'http://127.0.0.1:9', key, notify }),
    holds:
      'grep -q 127.0.0.1:9 /etc/yum.repos.d/hw-half.repo && [ -s /etc/pki/rpm-gpg/RPM-GPG-KEY-hw-half ]',
  },
  {
    name: 'dnfRepo, absent',
    given:
      'mkdir -p /etc/yum.repos.d /etc/pki/rpm-gpg; echo x >/etc/yum.repos.d/hw-half.repo; echo x >/etc/pki/rpm-gpg/RPM-GPG-KEY-hw-half',
    wanted: (_, notify) => dnfRepo('hw-half', { absent: true, notify }),
    holds:
      '[ ! -e /etc/yum.repos.d/hw-half.repo ] && [ ! -e /etc/pki/rpm-gpg/RPM-GPG-KEY-hw-half ]',
  },
  {
    name: 'npmPackage, in another version',
    given: npm,
    wanted: (_, notify) => npmPackage('hw-tool', { latest: true, notify }),
    holds: `[ "$(cat /srv/npm/node_modules/hw-tool/version /srv/npm/node_modules/hw-tool/code | tr '\\n' ' ')" = '2.0.0 whole ' ]`,
    programs: 'npm',
  },
  {
    name: 'npmPackage, absent',
    given: npm,
    wanted: (_, notify) => npmPackage('hw-tool', { absent: true, notify }),
    holds: '[ ! -e /srv/npm/node_modules/hw-tool ]',
    programs: 'npm',
  },
]

describe('where a program fails, or the session is killed, of packages:', {
  tags: ['overlay'],
}, () => {
  holdHalfDone(overlayHost(), cases)
})
