/**
 * Files that a resource owns as a whole, in whose place something else is. The tables of these resources began
 * with nothing of the name, or with a file of the resource's own.
 *
 * @module-tag overlay
 */
import { describe, expect, test } from 'vitest'
import { aptRepo } from '../../lib/resources/packages/apt-repo.ts'
import { dnfRepo } from '../../lib/resources/packages/dnf-repo.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { kernelModule } from '../../lib/resources/system/kernel-module.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { systemdUnit } from '../../lib/resources/system/systemd-unit.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import type { Requires } from '../support/requires.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, shells } from '../support/shells.ts'

const key = (text: string) => `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${text}\n`
const uris = 'https://192.0.2.1/'

/** What each resource owns, and the resource with content that differs by a word. */
const owners: [string, string, (word: string, takeOver?: boolean) => Resource, Requires[]][] = [
  [
    'sysctl',
    '/etc/sysctl.d/99-sysctl.conf',
    (word, takeOver) =>
      sysctl('99-sysctl', { set: { 'net.not.there': word }, live: false, takeOver }),
    [],
  ],
  [
    'cron',
    '/etc/cron.d/e2scrub_all',
    (word, takeOver) => cron('e2scrub_all', { schedule: '@daily', command: word, takeOver }),
    ['cron'],
  ],
  [
    'sudoers',
    '/etc/sudoers.d/app',
    (word, takeOver) =>
      sudoers('app', { rules: [{ user: 'nobody', commands: [`/bin/${word}`] }], takeOver }),
    ['visudo'],
  ],
  [
    'systemdUnit',
    '/etc/systemd/system/app.service',
    (word, takeOver) =>
      systemdUnit('app', { content: { Service: { ExecStart: `/bin/${word}` } }, takeOver }),
    [],
  ],
  [
    'a drop-in of systemdUnit',
    '/etc/systemd/system/app.service.d/own.conf',
    (word, takeOver) =>
      systemdUnit('app', { dropIn: 'own', content: { Service: { Nice: word } }, takeOver }),
    [],
  ],
  [
    'aptRepo',
    '/etc/apt/sources.list.d/own.sources',
    (word, takeOver) => aptRepo('own', { uris, suites: word, components: 'main', takeOver }),
    [],
  ],
  [
    'the key of aptRepo',
    '/etc/apt/keyrings/own2.asc',
    (word, takeOver) =>
      aptRepo('own2', { uris, suites: 'a', components: 'main', key: key(word), takeOver }),
    [],
  ],
  [
    'dnfRepo',
    '/etc/yum.repos.d/own.repo',
    (word, takeOver) => dnfRepo('own', { baseurl: `${uris}${word}`, gpgcheck: false, takeOver }),
    [],
  ],
  [
    'the key of dnfRepo',
    '/etc/pki/rpm-gpg/RPM-GPG-KEY-own2',
    (word, takeOver) => dnfRepo('own2', { baseurl: uris, key: key(word), takeOver }),
    [],
  ],
  [
    'kernelModule',
    '/etc/modprobe.d/hostwright-hwnone.conf',
    (word, takeOver) =>
      kernelModule(
        'hwnone',
        word === 'one' ? { blacklisted: true, takeOver } : { blacklisted: true },
      ),
    [],
  ],
]

const foreign = { code: 'foreign_file' }

/** All of them ask the same function of the prelude, so each is tried under one more shell than this machine's. */
const [, ...otherShells] = shells
const shellsOf = (index: number) => [anyShell, otherShells[index % otherShells.length]!]

for (const [index, [name, path, make, tags]] of owners.entries()) {
  describe(name, { tags }, () => {
    const host = overlayHost()
    const given = async (text: string) => {
      const at = await host.directory()
      await host.script(
        `printf '#!/bin/sh\\n' >/usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl
        mkdir -p '${path.replace(/\/[^/]*$/, '')}'; echo theirs >theirs; rm -f '${path}'\n${text}`,
        at,
      )
      return at
    }

    test.each(shellsOf(index).map(shell => [shell.name, shell] as const))(
      'does not follow a link in the place of its file, under %s',
      async (_, shell) => {
        const at = await given(`ln -s "$at/theirs" '${path}'`)
        for (const mode of [{ check: true }, {}])
          expect((await bring(host, shell, at, make('one'), mode)).error).toMatchObject(foreign)
        expect(await host.script(`readlink '${path}'; cat theirs`, at)).toBe(
          `${at}/theirs\ntheirs\n`,
        )
        const checked = await bring(host, shell, at, make('one', true), { check: true })
        const taken = await bring(host, shell, at, make('one', true))
        expect(taken.error).toBeUndefined()
        expect(checked.notes).toEqual(taken.notes)
        expect(await host.script(`cat theirs; [ -f '${path}' ] && [ ! -L '${path}' ]`, at)).toBe(
          'theirs\n',
        )
        // It is the resource's own from now on, and may be changed again.
        expect((await bring(host, shell, at, make('one'))).statuses).toEqual(['ok'])
        expect((await bring(host, shell, at, make('2'))).error).toBeUndefined()
        await host.script(`echo other >'${path}'`, at)
        expect((await bring(host, shell, at, make('2'))).statuses).toEqual(['changed'])
      },
    )

    test('replaces a file that it did not make only with takeOver', async () => {
      const at = await given(`echo theirs >'${path}'`)
      for (const mode of [{ check: true }, {}])
        expect((await bring(host, anyShell, at, make('one'), mode)).error).toMatchObject({
          ...foreign,
          message: `${path} exists, and hostwright did not make it`,
        })
      expect(await host.script(`cat '${path}'`, at)).toBe('theirs\n')
      expect((await bring(host, anyShell, at, make('one', true))).error).toBeUndefined()
      expect(await host.script(`cat '${path}'`, at)).not.toBe('theirs\n')
      expect((await bring(host, anyShell, at, make('one'))).statuses).toEqual(['ok'])
      // One that is as wanted needs nothing, whoever made it.
      await host.script('rm .bootstrap/made', at)
      expect((await bring(host, anyShell, at, make('one'))).statuses).toEqual(['ok'])
    })
  })
}
