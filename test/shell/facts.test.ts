/** Facts from real hosts: this machine under all shells, and an overlay of it without programs. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { disks } from '../../lib/facts/disks.ts'
import { createFacts, type Fact, fact } from '../../lib/facts/fact.ts'
import { network } from '../../lib/facts/network.ts'
import { packages } from '../../lib/facts/packages.ts'
import { services } from '../../lib/facts/services.ts'
import { users } from '../../lib/facts/users.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { anyShell, describeEach, shells, testEach } from '../support/shells.ts'

const output = (program: string, ...words: string[]) =>
  execFileSync(program, words, { encoding: 'utf8' })

/** This machine's addresses as Node has them, without the interfaces' own numbering. */
const ownAddresses = () =>
  Object.entries(networkInterfaces())
    .flatMap(([name, all]) => (all ?? []).map(({ address, cidr }) => `${name} ${cidr ?? address}`))
    .sort()

describeEach(shells, 'under $name', ({ command }) => {
  let session: Session
  let facts: <T>(wanted: Fact<T>) => Promise<T>
  beforeAll(async () => {
    session = await openSession({
      transport: connectLocal({ shell: command }),
      bootstrapDir: '/nonexistent',
    })
    facts = createFacts(call => session.call(call))
  })
  afterAll(() => session.close())

  test('network: interfaces, addresses and the way out', { tags: ['ip'] }, async () => {
    const { interfaces, addresses } = await facts(network)
    const found = interfaces
      .flatMap(each =>
        each.addresses.map(({ address, prefix }) => `${each.name} ${address}/${prefix}`),
      )
      .sort()
    expect(found).toEqual(ownAddresses())
    expect(addresses).not.toContain('127.0.0.1')
    const lo = interfaces.find(({ name }) => name === 'lo')
    expect(lo).toMatchObject({ up: true, mac: '', mtu: expect.any(Number) })
  })

  test('disks: file systems with their sizes', async () => {
    const { fileSystems } = await facts(disks)
    const root = fileSystems.findLast(({ path }) => path === '/')!
    const { blocks, bsize } = statfsSync('/')
    expect(root.sizeKib).toBe((blocks * bsize) / 1024)
    expect(root.availableKib).toBeLessThanOrEqual(root.sizeKib!)
    expect(root.type).not.toBe('')
    expect(fileSystems.map(({ type }) => type)).not.toContain('proc')
  })

  test('packages, as the package manager lists them', { tags: ['dpkg'] }, async () => {
    const { manager, installed } = await facts(packages)
    const lines = output(
      'dpkg-query',
      '-W',
      '-f',
      `\${db:Status-Status} \${Package} \${Version}\\n`,
    )
    const wanted = new Map(
      [...lines.matchAll(/^installed (\S+) (\S+)$/gm)].map(([, name, version]) => [name, version]),
    )
    expect(manager).toBe('dpkg')
    expect(Object.keys(installed).sort()).toEqual([...wanted.keys()].sort())
    expect(installed.dpkg?.version).toBe(wanted.get('dpkg'))
    expect(installed.toString).toBeUndefined()
  })

  test('users and groups', async () => {
    const found = await facts(users)
    expect(found.users.root).toMatchObject({ uid: 0, gid: 0, home: '/root', groups: ['root'] })
    const names = readFileSync('/etc/passwd', 'utf8').match(/^[^:\n]+/gm)
    expect(Object.keys(found.users)).toEqual(names)
    for (const { name, groups } of Object.values(found.users)) {
      expect(groups.toSorted()).toEqual(output('id', '-Gn', name).trim().split(' ').sort())
    }
  })

  test('services of this machine', { tags: ['services'] }, async () => {
    const found = await facts(services)
    expect(Object.keys(found.services).length).toBeGreaterThan(0)
    expect(found.manager).toBe(session.facts.init)
  })

  test('a fact of one’s own, in one round trip, whoever and however often', async () => {
    let parsed = 0
    const own = fact({
      name: 'numbers',
      script: 'i=0\nwhile [ $i -lt 3 ]; do echo "it\'s $i"; i=$((i + 1)); done',
      parse: text => {
        parsed++
        return text.split('\n').filter(Boolean)
      },
    })
    const before = session.roundTrips
    const answers = await Promise.all([facts(own), facts(own)])
    expect(await facts(own)).toEqual(["it's 0", "it's 1", "it's 2"])
    expect(answers[0]).toBe(answers[1])
    expect(parsed).toBe(1)
    expect(session.roundTrips - before).toBe(1)
  })

  test('a script that fails, and one that ends its shell', async () => {
    const failing = fact({
      name: 'f',
      script: 'echo looking; echo "no such thing" >&2; exit 3',
      parse: text => text,
    })
    await expect(facts(failing)).rejects.toMatchObject({
      code: 'step_failed',
      message: 'no such thing',
      details: { step: 'fact f', exitStatus: 3 },
    })
    const again = fact({ name: 'g', script: 'exec true', parse: () => 'fine' })
    expect(await facts(again)).toBe('fine')
  })
})

describe('on a host of its own', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const plain = shells.filter(shell => shell === anyShell || shell.name === 'busybox sh')
  /** Asks in a session that sees the host as it is now. */
  const ask = async <T>(wanted: Fact<T>, shell = plain[0]!): Promise<T> => {
    const session = await openSession({
      transport: host.transport(shell),
      bootstrapDir: '/var/bootstrap',
    })
    try {
      return await createFacts(call => session.call(call))(wanted)
    } finally {
      await session.close()
    }
  }

  testEach(plain, 'users and groups that were just made, under $name', async shell => {
    await host.script(
      `printf 'ada:x:4711:4712:Ada, Lovelace:/home/a b:/bin/sh' >>/etc/passwd
      printf 'math:x:4712:\nwheel-2:x:4713:bob,ada\n+::::\n' >>/etc/group`,
      '/tmp',
    )
    const { users: all, groups } = await ask(users, shell)
    expect(all.ada).toEqual({
      name: 'ada',
      uid: 4711,
      gid: 4712,
      comment: 'Ada, Lovelace',
      home: '/home/a b',
      shell: '/bin/sh',
      groups: ['math', 'wheel-2'],
    })
    expect(groups['wheel-2']).toEqual({ name: 'wheel-2', gid: 4713, members: ['bob', 'ada'] })
    await host.script(
      "sed -i '/^ada:/d' /etc/passwd; sed -i '/4712\\|4713\\|^+/d' /etc/group",
      '/tmp',
    )
  })

  testEach(
    plain,
    'services by SysV scripts: what runs and what starts at boot, $name',
    async shell => {
      await host.script(
        `rm -rf /run/systemd /run/openrc
      for name in up down mute; do
        printf '#!/bin/sh\n### BEGIN INIT INFO\n### END INIT INFO\ncase ${'$'}{0##*/}-$1 in up-status) ;; down-status) exit 3 ;; *) exit 4 ;; esac\n' >/etc/init.d/$name
        chmod 755 /etc/init.d/$name
      done
      ln -sf ../init.d/up /etc/rc3.d/S01up`,
        '/tmp',
      )
      const found = await ask(services, shell)
      expect(found.manager).toBe('sysv')
      expect(found.services).toMatchObject({
        up: { running: true, enabled: true },
        down: { running: false, enabled: false },
        mute: { running: undefined, enabled: false },
      })
      expect(Object.keys(found.services)).not.toContain('README')
    },
  )

  testEach(plain, 'services by OpenRC’s files, under $name', async shell => {
    await host.script(
      `rm -rf /run/systemd; mkdir -p /run/openrc/started /etc/runlevels/default; echo default >/run/openrc/softlevel
      printf '#!/sbin/openrc-run\n' >/etc/init.d/nginx; chmod 755 /etc/init.d/nginx
      cp /etc/init.d/nginx /etc/init.d/chronyd
      ln -sf /etc/init.d/nginx /run/openrc/started/nginx
      ln -sf /etc/init.d/chronyd /etc/runlevels/default/chronyd`,
      '/tmp',
    )
    const found = await ask(services, shell)
    await host.script('rm -rf /run/openrc /etc/runlevels', '/tmp')
    expect(found.manager).toBe('openrc')
    expect(found.services).toMatchObject({
      nginx: { running: true, enabled: false },
      chronyd: { running: false, enabled: true },
    })
  })

  test('a mount with a blank in its name, and one that is full of options', async () => {
    await host.script(
      'mkdir -p "/srv/a b" && mount -t tmpfs -o size=1m,nosuid none "/srv/a b" && mkdir -p /srv/c && mount -t tmpfs -o size=2m none /srv/c',
      '/tmp',
    )
    const { fileSystems } = await ask(disks)
    expect(fileSystems.find(({ path }) => path === '/srv/a b')).toMatchObject({ type: 'tmpfs' })
    expect(fileSystems.find(({ path }) => path === '/srv/c')).toMatchObject({
      type: 'tmpfs',
      sizeKib: 2048,
      usedKib: 0,
      availableKib: 2048,
    })
  })

  testEach(plain, 'addresses and routes also where there is no ip, under $name', async shell => {
    const before = await ask(network, shell)
    await host.script('for at in /bin /sbin /usr/bin /usr/sbin; do rm -f "$at/ip"; done', '/tmp')
    const after = await ask(network, shell)
    const flat = ({ interfaces }: typeof before) =>
      interfaces.flatMap(({ name, addresses }) =>
        addresses.map(({ address, prefix, scope }) => `${name} ${address}/${prefix} ${scope}`),
      )
    expect(flat(after).sort()).toEqual(flat(before).sort())
    expect(after.gateway).toEqual(before.gateway)
    expect(after.nameservers).toEqual(before.nameservers)
  })

  test('file systems also where there is no df; a list of packages needs its program', async () => {
    await host.script('for at in /bin /usr/bin; do rm -f "$at/df" "$at/dpkg-query"; done', '/tmp')
    const { fileSystems } = await ask(disks)
    const root = fileSystems.find(({ path }) => path === '/')!
    expect(root.type).toBe('overlay')
    expect(root.sizeKib).toBeUndefined()
    await expect(ask(packages)).rejects.toMatchObject({
      code: 'tool_missing',
      message: expect.stringContaining('dpkg-query'),
    })
  })
})
