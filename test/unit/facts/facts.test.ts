/** What other kinds of hosts print, as captured or as their manuals show it. */
import { describe, expect, test } from 'vitest'
import { disks, parseDisks } from '../../../lib/facts/disks.ts'
import { createFacts, fact } from '../../../lib/facts/fact.ts'
import { parseNetwork } from '../../../lib/facts/network.ts'
import { parsePackages } from '../../../lib/facts/packages.ts'
import { parseServices } from '../../../lib/facts/services.ts'
import { parseUsers } from '../../../lib/facts/users.ts'
import type { StepResult } from '../../../lib/session/call.ts'
import { local } from '../../support/local-run.ts'

describe('parseNetwork', () => {
  test('reads point-to-point links, interfaces of containers, and routes without a gateway', () => {
    const { interfaces, gateway, addresses, nameservers, search } = parseNetwork(
      `link eth0 1500 up 52:54:00:12:34:56
link ppp0 1492 unknown -
link lo 65536 unknown 00:00:00:00:00:00
link docker0 1500 down 02:42:aa:bb:cc:dd
[addresses]
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global dynamic eth0\\       valid_lft 86sec
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever
3: ppp0    inet 10.0.0.1 peer 10.0.0.2/32 scope global ppp0\\       valid_lft forever
4: veth1@if5    inet6 2001:db8::5/128 scope global \\       valid_lft forever
[routes]
default via 192.0.2.1 dev eth0 proto dhcp metric 100
default dev ppp0 scope link metric 200
[routes]
default via fe80::fe dev eth0 proto ra metric 1024 pref medium
[resolver]
# made by resolvconf
nameserver 9.9.9.9
nameserver fd00::53
search old.example
search example.com lan
`,
    )
    expect(interfaces.map(({ name, mac, mtu, up }) => [name, mac, mtu, up])).toEqual([
      ['eth0', '52:54:00:12:34:56', 1500, true],
      ['ppp0', '', 1492, true],
      ['lo', '', 65536, true],
      ['docker0', '02:42:aa:bb:cc:dd', 1500, false],
      ['veth1', '', undefined, true],
    ])
    expect(interfaces[1]!.addresses).toEqual([
      { family: 'ipv4', address: '10.0.0.1', prefix: 32, scope: 'global' },
    ])
    expect(addresses).toEqual(['192.0.2.7', '10.0.0.1', '2001:db8::5'])
    expect(gateway).toEqual({
      ipv4: { address: '192.0.2.1', interface: 'eth0' },
      ipv6: { address: 'fe80::fe', interface: 'eth0' },
    })
    expect({ nameservers, search }).toEqual({
      nameservers: ['9.9.9.9', 'fd00::53'],
      search: ['example.com', 'lan'],
    })
  })

  test('returns nothing for an empty answer', () => {
    expect(parseNetwork('')).toEqual({
      interfaces: [],
      gateway: { ipv4: undefined, ipv6: undefined },
      addresses: [],
      nameservers: [],
      search: [],
    })
  })
})

describe('parsePackages', () => {
  test('reads rpm packages, with epochs and several versions of one package', () => {
    const { manager, installed } = parsePackages(
      'manager rpm\nkernel 5.14.0-1.el9 x86_64\nkernel 5.14.0-2.el9 x86_64\nbind-libs 32:9.16.23-1.el9 x86_64\ngpg-pubkey 8483c65d-5ccc5b19 (none)\n',
    )
    expect(manager).toBe('rpm')
    expect(installed.kernel).toEqual({
      name: 'kernel',
      version: '5.14.0-2.el9',
      versions: ['5.14.0-1.el9', '5.14.0-2.el9'],
      architecture: 'x86_64',
    })
    expect(installed['bind-libs']?.version).toBe('32:9.16.23-1.el9')
  })

  test('reads apk and pacman packages', () => {
    expect(
      parsePackages(
        'manager apk\nP:musl\nV:1.2.4-r2\nA:x86_64\nP:busybox\nV:1.36.1-r5\nA:x86_64\n',
      ),
    ).toMatchObject({
      manager: 'apk',
      installed: { musl: { version: '1.2.4-r2' }, busybox: { version: '1.36.1-r5' } },
    })
    expect(parsePackages('manager pacman\nlinux 6.6.1.arch1-1\n').installed.linux).toMatchObject({
      version: '6.6.1.arch1-1',
      architecture: '',
    })
  })

  test('leaves out dpkg packages of which only the configuration is left', () => {
    const { installed } = parsePackages(
      'manager dpkg\nconfig-files old 1.0 amd64\ninstalled new 2:1.0-1 amd64\n',
    )
    expect(Object.keys(installed)).toEqual(['new'])
  })
})

test('parseServices reads templates, missing units and failed units of systemd', () => {
  const { manager, services } = parseServices(`manager systemd
[units]
ssh.service loaded active running OpenBSD Secure Shell server
getty@tty1.service loaded active running Getty on tty1
● nginx.service loaded failed failed A high performance web server
● auditd.service not-found inactive dead auditd.service
systemd-fsck@dev-disk-by\\x2duuid.service loaded active exited File System Check
[files]
getty@.service enabled enabled
nginx.service disabled enabled
ssh.service enabled enabled
dbus.service static -
cron.service masked enabled
`)
  expect(manager).toBe('systemd')
  expect(services).toEqual({
    ssh: { name: 'ssh', running: true, enabled: true },
    'getty@tty1': { name: 'getty@tty1', running: true, enabled: true },
    nginx: { name: 'nginx', running: false, enabled: false },
    'systemd-fsck@dev-disk-by\\x2duuid': expect.objectContaining({ running: true }),
    dbus: { name: 'dbus', running: false, enabled: undefined },
    cron: { name: 'cron', running: false, enabled: false },
  })
})

describe('parseDisks', () => {
  test('reads drives with their partitions, without unused loop devices', () => {
    const { disks: found } = parseDisks(`[devices]
disk loop0 0 0 1 -
disk nvme0n1 1000215216 0 0 Samsung SSD 970
part nvme0n1p1 2048
part nvme0n1p2 1000210000
disk cciss!c0d0 2048 1 - -
[mounts]
`)
    expect(found).toEqual([
      {
        path: '/dev/nvme0n1',
        sizeBytes: 1000215216 * 512,
        removable: false,
        rotational: false,
        model: 'Samsung SSD 970',
        partitions: [
          { path: '/dev/nvme0n1p1', sizeBytes: 2048 * 512 },
          { path: '/dev/nvme0n1p2', sizeBytes: 1000210000 * 512 },
        ],
      },
      {
        path: '/dev/cciss/c0d0',
        sizeBytes: 2048 * 512,
        removable: true,
        rotational: undefined,
        model: '',
        partitions: [],
      },
    ])
  })

  test('reads a host without /proc from df alone', () => {
    const { fileSystems } = parseDisks(`[df]
Filesystem   1024-blocks      Used Available Capacity  Mounted on
/dev/disk1s5s1 488245288 15245288 300000000     5%    /
map -hosts             0        0         0   100%    /net/a b
`)
    expect(fileSystems).toEqual([
      expect.objectContaining({ device: '/dev/disk1s5s1', path: '/', availableKib: 300000000 }),
      expect.objectContaining({ device: 'map -hosts', path: '/net/a b' }),
    ])
  })
})

test('parseUsers ignores lines without a uid, and has no users named like methods', () => {
  const { users } = parseUsers('[passwd]\nroot:x:0:0::/root:/bin/sh\n+::::::\n# x\n[group]\n')
  expect(Object.keys(users)).toEqual(['root'])
  expect(users.constructor).toBeUndefined()
})

describe('a fact', () => {
  const answer = (text: string): StepResult => ({
    status: 'ok',
    exitStatus: 0,
    code: '-',
    note: '',
    stdout: Buffer.from(text),
    stderr: Buffer.alloc(0),
    parts: new Map(),
    marks: [],
  })

  test('whose parser throws fails with the host’s output, and is asked again', async () => {
    let asked = 0
    const facts = createFacts(async () => answer(`line ${++asked}\n`))
    const picky = fact({
      name: 'picky',
      script: 'true',
      parse: text => {
        if (!text.includes('2')) throw new Error('not two')
        return text
      },
    })
    await expect(facts(picky)).rejects.toMatchObject({
      code: 'step_failed',
      message: 'what the host said can’t be read: not two',
      details: { step: 'fact picky', output: 'line 1' },
    })
    expect(await facts(picky)).toBe('line 2\n')
  })

  test('without a script or a parser is refused when it is created', () => {
    for (const options of [
      { name: 'a', script: ' ', parse: String },
      { name: 'a', script: 'x\0', parse: String },
      { name: 'a', script: 'true', parse: undefined as never },
    ]) {
      expect(() => fact(options)).toThrow(
        expect.objectContaining({
          code: 'recipe_invalid',
          details: expect.objectContaining({ at: expect.stringContaining('facts.test.ts:') }),
        }),
      )
    }
  })

  test('is asked once per host and run, also with --check', async () => {
    const place = await local('h1', 'h2')
    const own = fact({ name: 'pid', script: 'echo "$PPID"', parse: Number })
    const found: number[] = []
    const { outcomes } = await place.run(
      async ({ facts }) => {
        const all = await Promise.all([facts(own), facts(own), facts(disks).then(() => facts(own))])
        expect(new Set(all).size).toBe(1)
        found.push(all[0]!)
      },
      { check: true },
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['ok', 'ok'])
    expect(new Set(found).size).toBe(2)
    for (const { roundTrips } of outcomes) expect(roundTrips).toBeLessThanOrEqual(3)
  })

  test('that fails makes the host fail, with the name of the fact', async () => {
    const place = await local()
    const own = fact({ name: 'none', script: 'echo no such thing >&2; exit 7', parse: String })
    const { outcomes } = await place.run(async ({ facts }) => {
      await facts(own)
    })
    expect(outcomes[0]!.error).toMatchObject({
      code: 'step_failed',
      step: 'fact none',
      message: 'no such thing',
      exitStatus: 7,
    })
  })
})
