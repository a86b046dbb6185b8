/**
 * A key that must not log in is found wherever sshd would find it: OpenSSH's own reader says where. The older
 * tests had one file, with lines as we write them.
 * @module-tag overlay
 * @module-tag sshd
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { createKeyPair } from '../../lib/lab/keys.ts'
import {
  type AuthorizedKeysOptions,
  authorizedKeys,
} from '../../lib/resources/users/authorized-keys.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, shells, testEach } from '../support/shells.ts'

const host = overlayHost()
const [leaked, other] = [createKeyPair('').public.trim(), createKeyPair('').public.trim()]
const [type, blob] = leaked.split(' ') as [string, string]
const home = '/srv/eve'
const files = `${home}/.ssh/authorized_keys ${home}/.ssh/authorized_keys2`

beforeAll(async () => {
  await host.script(
    `echo 'eve:x:4401:4401::${home}:/bin/sh' >>/etc/passwd; echo 'eve:x:4401:' >>/etc/group
     mkdir ${home}; chown 4401:4401 ${home}; ln -s ${home} '/srv/~eve'; mkdir -p /etc/ssh/keys`,
    '/srv',
  )
})

/** Writes a file of the user's. */
const put = (name: string, text: string | Buffer) =>
  host.script(
    `mkdir -p -m 700 "$(dirname '${name}')"
     printf %s '${Buffer.from(text as string).toString('base64')}' | base64 -d >'${name}'
     case '${name}' in ${home}/*) chmod 600 '${name}'; chown -R 4401:4401 ${home} ;; esac`,
    '/srv',
  )

/** How many keys OpenSSH reads in these files that are the leaked one. */
async function found(names = files): Promise<number> {
  await put('/srv/leaked.pub', `${leaked}\n`)
  const printed = await host.script(
    `wanted=$(ssh-keygen -lf leaked.pub | cut -d' ' -f2)
     for each in ${names}; do [ ! -s "$each" ] || ssh-keygen -lf "$each" || :; done 2>/dev/null |
       grep -cF "$wanted" || :`,
    '/srv',
  )
  return Number(printed)
}

const go = (options: AuthorizedKeysOptions, keys = [leaked], shell = anyShell) =>
  bring(host, shell, '/srv', authorizedKeys('eve', keys, options))
const main = `${home}/.ssh/authorized_keys`

describe('an absent key goes', () => {
  test.each<[string, string, number?]>([
    ['with CRLF', `${type} ${blob}\r\n`],
    ['with CRLF and a comment', `${type} ${blob} eve@laptop\r\n`],
    ['with a carriage return and no newline', `${type} ${blob}\r`],
    ['behind options with blanks in quotes', `command="a b \\"c",restrict ${type} ${blob} x\r\n`],
    ['behind blanks, between tabs', ` \t${type}\t${blob}\tother words\r\n`],
    // ssh-keygen does not list these two; better no line of the key at all.
    ['by a short name of its type', `ED25519 ${blob}\n`, 0],
    ['with more than one blank', `no-pty   ${type}   ${blob}   x\n`, 0],
  ])('%s', async (_, line, listed = 1) => {
    await put(main, `# mine\r\n${line}${line.endsWith('\n') ? `${other}\r\n` : ''}`)
    expect(await found()).toBe(listed)
    expect((await go({ absent: true })).notes).toEqual(['1 removed'])
    expect(await found()).toBe(0)
    expect((await go({ absent: true })).statuses).toEqual(['ok'])
    await host.script(`rm -f ${files}`, '/srv')
  })
})

testEach(shells, 'the second file of a user counts as well, under $name', async shell => {
  const second = `${home}/.ssh/authorized_keys2`
  const cases: [AuthorizedKeysOptions, string[], string, number][] = [
    [{ absent: true }, [leaked], 'authorized_keys2: 1 removed', 0],
    [{ exclusive: true }, [other], '1 added, authorized_keys2: 2 removed', 0],
    // There it would log in without its options.
    [{}, [`restrict ${leaked}`], '1 added, authorized_keys2: 1 removed', 1],
  ]
  for (const [options, keys, note, left] of cases) {
    await host.script(`rm -f ${files}`, '/srv')
    await put(second, `${leaked}\n${createKeyPair('').public.trim()}\n`)
    const looked = await bring(host, shell, '/srv', authorizedKeys('eve', keys, options), {
      check: true,
    })
    expect(looked.notes).toEqual([note])
    expect((await go(options, keys, shell)).notes).toEqual([note])
    expect(await found()).toBe(left)
    expect((await go(options, keys, shell)).statuses).toEqual(['ok'])
  }
  await host.script(`rm -f ${files}`, '/srv')
})

test('the files are those that sshd is configured to read', async () => {
  await host.script(
    `cp /etc/ssh/sshd_config /srv/sshd_config
     printf '%s\\n' 'authorizedkeysfile = /etc/ssh/keys/%u.keys .ssh/more' >/etc/ssh/sshd_config.d/hw.conf
     printf 'Include /etc/ssh/sshd_config.d/*.conf\\n' >/etc/ssh/sshd_config`,
    '/srv',
  )
  await put('/etc/ssh/keys/eve.keys', `${leaked}\n`)
  await put(`${home}/.ssh/more`, `${leaked}\r\n`)
  expect((await go({ absent: true })).notes).toEqual(['1 removed, more: 1 removed'])
  expect(await found(`/etc/ssh/keys/eve.keys ${home}/.ssh/more`)).toBe(0)
  await host.script('cp sshd_config /etc/ssh/; rm /etc/ssh/sshd_config.d/hw.conf', '/srv')
})

test('a line that changes keeps its carriage return, and one that is right stays as it is', async () => {
  await put(main, `${leaked} me\r\n${other}\r\n`)
  expect((await go({}, [leaked])).statuses).toEqual(['ok'])
  expect((await go({}, [`restrict ${leaked}`])).notes).toEqual(['1 changed'])
  expect(await host.script(`cat ${main}`, '/srv')).toBe(`restrict ${leaked} me\r\n${other}\r\n`)
})

test('a file in UTF-16, in which sshd would find no key, is refused', async () => {
  await put(main, Buffer.from(`\ufeff${leaked}\r\n`, 'utf16le'))
  expect((await go({}, [other])).error?.message).toContain('is UTF-16')
})
