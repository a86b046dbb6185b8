/**
 * What systemd is asked to do, where that fails midway; see test/support/half-done.ts.
 *
 * @module-tag long
 */
import { describe } from 'vitest'
import { mount } from '../../../lib/resources/system/mount.ts'
import { service } from '../../../lib/resources/system/service.ts'
import { systemdUnit } from '../../../lib/resources/system/systemd-unit.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { systemdHost } from '../../support/init-hosts.ts'

const cases: HalfCase[] = [
  {
    name: 'systemdUnit, a template with an instance that runs',
    late: true,
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\nEnvironment=A=1\\n' >/etc/systemd/system/hw-half@.service
systemctl daemon-reload; systemctl restart hw-half@a`,
    wanted: (_, notify) =>
      systemdUnit('hw-half@.service', {
        content: '[Service]\nExecStart=/bin/sleep 1000\nEnvironment=A=2\n',
        takeOver: true,
        notify,
      }),
    holds: '[ "$(systemctl show -p Environment --value hw-half@a)" = A=2 ]',
    programs: 'systemctl',
  },
  {
    name: 'systemdUnit, removed',
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/hw-gone.service
systemctl daemon-reload; systemctl restart hw-gone`,
    wanted: (_, notify) => systemdUnit('hw-gone.service', { absent: true, notify }),
    holds: `[ "$(systemctl show -p LoadState --value hw-gone)" = not-found ]; systemctl stop hw-gone 2>/dev/null || :`,
    programs: 'systemctl',
  },
  {
    name: 'service, unmasked, running and enabled',
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=test.target\\n' >/usr/lib/systemd/system/hw-svc.service
systemctl daemon-reload; systemctl stop hw-svc; systemctl -q disable hw-svc; systemctl -q mask hw-svc`,
    wanted: (_, notify) =>
      service('hw-svc', { running: true, enabled: true, masked: false, notify }),
    holds: 'systemctl -q is-active hw-svc && systemctl -q is-enabled hw-svc',
    programs: 'systemctl',
  },
  {
    name: 'mount, which systemd makes units of',
    given: 'mkdir -p /srv/hw-m; sed -i /hw-m/d /etc/fstab; systemctl daemon-reload',
    wanted: (_, notify) =>
      mount('/srv/hw-m', { source: 'two', type: 'tmpfs', mounted: false, notify }),
    holds:
      'grep -q hw-m /etc/fstab && [ "$(systemctl show -p What --value srv-hw\\\\x2dm.mount)" = two ]',
    programs: 'systemctl',
  },
]

describe('where a program fails, or the session is killed, under systemd:', {
  tags: ['overlay', 'systemd'],
}, () => {
  holdHalfDone(systemdHost(), cases)
})
