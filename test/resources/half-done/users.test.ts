/**
 * Users, groups, their keys and what they may do, where that fails midway; see test/support/half-done.ts.
 *
 * @module-tag long
 */
import { describe } from 'vitest'
import { authorizedKeys } from '../../../lib/resources/users/authorized-keys.ts'
import { group } from '../../../lib/resources/users/group.ts'
import { sudoers } from '../../../lib/resources/users/sudoers.ts'
import { user } from '../../../lib/resources/users/user.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { overlayHost } from '../../support/resource-hosts.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1sY2H4Yd8dP2rWmPXlQh8Zt0jvQbqK4nN6m1iVYx0N'

const noUsers = `for each in hw-ann hw-ben; do userdel -r $each || :; done >/dev/null 2>&1
groupdel hw-staff 2>/dev/null || :; rm -rf /home/hw-* /srv/hw-home; rm -f /etc/passwd.lock /etc/shadow.lock /etc/group.lock /etc/gshadow.lock`

const userPrograms = 'useradd usermod userdel groupadd groupmod gpasswd chpasswd'

const cases: HalfCase[] = [
  {
    name: 'sudoers',
    given: 'rm -f /etc/sudoers.d/hw-half',
    wanted: (_, notify) =>
      sudoers('hw-half', { rules: [{ user: 'nobody', commands: ['/bin/true'] }], notify }),
    holds:
      'visudo -c -q && grep -q nobody /etc/sudoers.d/hw-half && [ "$(stat -c %a /etc/sudoers.d/hw-half)" = 440 ]',
    programs: 'visudo',
  },
  {
    name: 'authorizedKeys',
    given: `${noUsers}; useradd -m hw-ann`,
    wanted: (_, notify) => authorizedKeys('hw-ann', [key], { exclusive: true, notify }),
    holds: `grep -q ssh-ed25519 /home/hw-ann/.ssh/authorized_keys
[ "$(stat -c %a:%U:%G /home/hw-ann/.ssh /home/hw-ann/.ssh/authorized_keys | tr '\\n' ' ')" = '700:hw-ann:hw-ann 600:hw-ann:hw-ann ' ]`,
    programs: 'awk setpriv',
  },
  {
    name: 'group, with its number and members',
    late: true,
    given: `${noUsers}; useradd hw-ann; useradd hw-ben; groupadd -U hw-ann hw-staff`,
    wanted: (_, notify) =>
      group('hw-staff', { gid: 4567, members: { exactly: ['hw-ben'] }, notify }),
    holds: '[ "$(getent group hw-staff)" = hw-staff:x:4567:hw-ben ]',
    programs: userPrograms,
  },
  {
    name: 'user, made with a home directory and a password',
    given: `${noUsers}; groupadd hw-staff`,
    wanted: (_, notify) =>
      user('hw-ann', {
        groups: ['hw-staff'],
        password: secret('$6$x$y'),
        updatePassword: 'created',
        comment: 'Ann',
        notify,
      }),
    holds: `id -nG hw-ann | grep -qw hw-staff
[ "$(getent shadow hw-ann | cut -d: -f2)" = '$6$x$y' ] && [ "$(stat -c %U /home/hw-ann)" = hw-ann ]
[ -e /home/hw-ann/.profile ]`,
    programs: userPrograms,
  },
  {
    name: 'user, changed and moved',
    given: `${noUsers}; groupadd hw-staff; useradd -m hw-ann; echo x >/home/hw-ann/f`,
    wanted: (_, notify) =>
      user('hw-ann', {
        groups: ['hw-staff'],
        shell: '/bin/sh',
        home: '/srv/hw-home',
        moveHome: true,
        expires: '2030-01-01',
        notify,
      }),
    holds: `id -nG hw-ann | grep -qw hw-staff && [ -e /srv/hw-home/f ] && [ ! -e /home/hw-ann ]
[ "$(getent passwd hw-ann | cut -d: -f6,7)" = /srv/hw-home:/bin/sh ]
[ "$(getent shadow hw-ann | cut -d: -f8)" = 21915 ]`,
    programs: userPrograms,
  },
  {
    name: 'user, removed with the home directory',
    given: `${noUsers}; useradd -m hw-ann`,
    wanted: (_, notify) => user('hw-ann', { absent: true, removeHome: true, notify }),
    holds: '! getent passwd hw-ann && [ ! -e /home/hw-ann ]',
    programs: userPrograms,
  },
]

describe('where a program fails, or the session is killed, of users:', {
  tags: ['overlay'],
}, () => {
  holdHalfDone(overlayHost(), cases)
})
