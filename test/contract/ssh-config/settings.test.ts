/** Our settings from an ssh configuration, compared with ssh’s own. */
import { execFile } from 'node:child_process'
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import { describe, expect, it } from 'vitest'
import { keywordOf } from '../../../lib/transport/config/keywords.ts'
import { createSshConfig } from '../../../lib/transport/config/ssh-config.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { whereIs } from '../../support/where-is.ts'
import { fields, plain, sshOnly } from './cases.ts'
import {
  configured,
  env,
  home,
  noneLeavesCommand,
  type Texts,
  withoutDsa,
  write,
} from './configured.ts'

const execute = promisify(execFile)

describe('settings from ssh -G', { tags: ['openssh-client'] }, () => {
  it.each([...plain, ...sshOnly])(
    '$title',
    async ({ config, host = 'web', inventory, expected, noneThenCommand }) => {
      const { settings } = await configured(config)
      const command = !noneThenCommand || (await noneLeavesCommand())
      const wanted = command ? expected : { ...expected, needs: [] }
      expect(fields(await settings(host, inventory), wanted)).toEqual(wanted)
    },
  )

  it('find known_hosts files whose names contain spaces', async () => {
    const { directory, settings } = await configured({
      config: 'UserKnownHostsFile "DIR/b c" ~/a\n',
      'b c': '',
    })
    const { userKnownHostsFiles } = await settings('web')
    expect(userKnownHostsFiles).toEqual([join(directory, 'b c'), join(home, 'a')])
  })

  it('include the hash for %C', async () => {
    const { settings } = await configured('IdentityFile /%C\nControlPath /x/%C\n')
    expect((await settings('web')).identityFiles[0]).toMatch(/^\/[0-9a-f]{40}$/)
  })

  it('need the system’s ssh for algorithms that only it has', async () => {
    const { settings } = await configured(
      'Host web\n  Ciphers aes256-ctr\n  MACs umac-64@openssh.com\nHost *\n  Ciphers +aes128-cbc\n',
    )
    expect(await settings('web')).toMatchObject({
      needs: ['MACs'],
      algorithms: { cipher: ['aes256-ctr'], mac: [] },
    })
    const { algorithms, needs } = await settings('db')
    expect([needs, algorithms?.cipher.at(-1)]).toEqual([[], 'aes128-cbc'])
  })

  it('leave the transport’s algorithms and their order unchanged by default', async () => {
    const { settings } = await configured('')
    const { algorithms } = await settings('web')
    expect(algorithms?.kex.slice(0, 3)).toEqual([
      'curve25519-sha256@libssh.org',
      'curve25519-sha256',
      'ecdh-sha2-nistp256',
    ])
    expect(algorithms?.cipher[0]).toBe('aes128-gcm@openssh.com')
    expect(algorithms?.hostKey[0]).toBe('ssh-ed25519')
    // Signed with SHA-1, which ssh no longer accepts since 8.8.
    const { stdout } = await execute('ssh', ['-F', 'none', '-G', 'web'])
    const old = /^hostkeyalgorithms .*\bssh-rsa(,|$)/m.test(stdout)
    expect(algorithms?.hostKey.includes('ssh-rsa')).toBe(old)
  })

  it('are what ssh makes of a comment behind a value: nothing since 8.5, refused before', async () => {
    const { file, settings } = await configured('IdentityFile "~/my key" # mine\n')
    const taken = await execute('ssh', ['-F', file, '-G', 'web']).catch(() => undefined)
    const found = settings('web').then(({ identityFiles }) => identityFiles)
    if (taken) expect(await found).toEqual([join(home, 'my key')])
    else await expect(found).rejects.toMatchObject({ code: 'ssh_config_invalid' })
  })

  it('include certificates and authorities', async () => {
    const authority =
      '@cert-authority *.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDP0J9W5mS2Qv1YdHcTgT9gsLVyS3FfGIU2cWUfEQWMW\n'
    const { directory, settings } = await configured({
      config: 'IdentityFile DIR/key\nUserKnownHostsFile DIR/known\n',
      key: '',
      'key-cert.pub': '',
      known: authority,
    })
    expect((await settings('web')).needs).toEqual([`a certificate (${directory}/key-cert.pub)`])
    expect((await settings('web.example.com')).needs).toHaveLength(2)
  })
})

/** What ssh says to a keyword with a value that none has. */
const refusalOf = (keyword: string): Promise<string> =>
  execute('ssh', ['-G', '-F', 'none', `-o${keyword}=\x01`, 'web']).then(
    ({ stderr }) => stderr,
    (error: { stderr: string }) => error.stderr,
  )

describe('without an ssh program', () => {
  const program = '/no/such/ssh'

  it.each(plain)('$title', async ({ config, host = 'web', inventory, expected }) => {
    const { settings } = await configured(config, { program })
    expect(fields(await settings(host, inventory), expected)).toEqual(expected)
  })

  it.each(plain)(
    'agrees with ssh: $title',
    { tags: ['openssh-client'] },
    async ({ config, inventory, noneThenCommand }) => {
      // Without ssh it is as the newer ones have it.
      const command = !noneThenCommand || (await noneLeavesCommand())
      const { file } = await write(typeof config === 'string' ? { config } : config)
      const by = (name?: string) =>
        createSshConfig({ program: name, configFile: file, here: { env } })
      const [ours, theirs] = [by(program), by()]
      for (const address of ['web', 'db', 'other', 'w.b', 'gw.example.com', '192.0.2.1']) {
        const host = { address, ...inventory }
        // Lists of algorithms are ssh's: without it they are the transport's own.
        const { algorithms, needs, ...rest } = withoutDsa(await theirs.settings(host))
        const own = await ours.settings(host)
        const wanted = { algorithms, needs: command ? needs : own.needs, ...rest }
        expect({ ...own, algorithms }).toEqual(wanted)
      }
    },
  )

  // The former tests expected a warning and went on: they passed while a revoked key was accepted.
  it.each([
    ['RevokedHostKeys /revoked\n', /only ssh can follow RevokedHostKeys \/revoked/],
    ['Host w*\n  KnownHostsCommand /bin/keys %H\n', /KnownHostsCommand/],
    ['CanonicalizeHostname yes\n', /CanonicalizeHostname yes/],
    ['Match exec "true"\n  RevokedHostKeys /revoked\n', /Match exec true/],
    ['Host *\n  User ops\nMatch user ops\n  Port 7\n', /Match user ops/],
    ['Host *\nMatch final all\n  Port 7\n', /Match final all/],
    ['Include DIR/%h.conf\n', /Include .*%h\.conf/],
    ['RefuseConnection "use the other one"\n', /RefuseConnection use the other one/],
  ])('refuses what only ssh can follow: %j', async (text, words) => {
    const { settings } = await configured(text, { program })
    await expect(settings('web')).rejects.toMatchObject({ code: 'ssh_config_invalid', exitCode: 2 })
    await expect(settings('web')).rejects.toThrow(words)
  })

  it('follows the values of such keywords that ask for nothing, and blocks of other hosts', async () => {
    const { settings } = await configured(
      'RevokedHostKeys none\nCanonicalizeHostname no\nHost other\n  KnownHostsCommand /x\nMatch all\n  Port 7\n',
      { program },
    )
    expect(await settings('web')).toMatchObject({ port: 7, needs: [] })
  })

  it.each<[string, string | Texts]>([
    ['a mistyped keyword', 'RevokedHostKey /revoked\n'],
    ['a mistyped keyword of other hosts', 'Host other\n  StrictHostKeyCheking yes\n'],
    ['a mistyped switch', 'PasswordAuthentication nope\n'],
    ['two ports', 'Port 22 33\n'],
    ['a port that is none', 'Port 0\n'],
    ['a family of addresses that is none', 'AddressFamily inet7\n'],
    ['a token that HostName does not have', 'HostName %r.example.com\n'],
    ['an Include that can’t be read', 'Include DIR/loop\n'],
    ['an Include that others can write', { config: 'Include DIR/open\n', open: 'User ops\n' }],
  ])('refuses as ssh does: %s', { tags: ['openssh-client'] }, async (_, texts) => {
    const { directory, settings, file } = await configured(texts, { program })
    await symlink('loop', join(directory, 'loop'))
    await chmod(join(directory, 'open'), 0o666).catch(() => {})
    const theirs = createSshConfig({ configFile: file, here: { env } })
    for (const asked of [settings('web'), theirs.settings({ address: 'web' })]) {
      await expect(asked).rejects.toMatchObject({ code: 'ssh_config_invalid', exitCode: 2 })
    }
  })

  it('passes over unknown keywords where the configuration says so, as ssh does', {
    tags: ['openssh-client'],
  }, async () => {
    const text = 'IgnoreUnknown UseKeychain,Add*\nUseKeychain yes\nAddNothing 1\nPort 7\n'
    for (const options of [{ program }, {}]) {
      const { settings } = await configured(text, options)
      expect(await settings('web')).toMatchObject({ port: 7 })
    }
  })

  it('knows the keywords of this ssh', { tags: ['openssh-client'] }, async () => {
    // Its program has them as texts among others.
    const binary = await readFile(whereIs('ssh')!, 'latin1')
    const words = [...binary.matchAll(/(?<=\0)[a-z][a-z0-9]{3,35}(?=\0)/g)].map(([word]) => word)
    const unknown = await refusalOf('qqqq')
    const knows = async (word: string) =>
      (await refusalOf(word)) === unknown.replaceAll('qqqq', word) ? [] : word
    const limit = pLimit(8)
    const known = (await Promise.all(words.map(word => limit(() => knows(word))))).flat()
    expect(known).toContain('revokedhostkeys')
    expect(known.filter(word => keywordOf(word) === undefined)).toEqual([])
  })

  it('has no part where another program is named ssh', async () => {
    const directory = await temporaryDirectory()
    const other = join(directory, 'ssh')
    await writeFile(other, '#!/bin/sh\necho "$*" >>"$0.calls"\necho "Dropbear v2024.86" >&2\n')
    await chmod(other, 0o755)
    const { settings } = await configured('Port 7\n', { program: other })
    await expect(settings('web')).rejects.toThrow(/is not OpenSSH, which .*config is for/)
    // It would take the word after an option that it does not know for a host.
    expect(await readFile(`${other}.calls`, 'utf8')).toBe('-V\n')
    const without = createSshConfig({ program: other, configFile: 'none', here: { env } })
    expect(await without.settings({ address: 'web' })).toMatchObject({ port: 22 })
  })

  it('has no part where an ssh is there and can’t be run', async () => {
    const directory = await temporaryDirectory()
    const broken = join(directory, 'ssh')
    await writeFile(broken, '#!/no/such/interpreter\n')
    await chmod(broken, 0o755)
    const { settings } = await configured('Port 7\n', { program: broken })
    await expect(settings('web')).rejects.toThrow(/can’t start .*ssh/)
  })

  it.each([
    ['Host web\n  IdentityFile "a\n', /config: /],
    ['Include DIR/config\n', /too many nested Includes/],
    ['Host\n', /config: /],
    ['Match host\n  Port 7\n', /config: /],
    ['HashKnownHosts\n', /HashKnownHosts has no value/],
  ])('reports an error: %j', async (text, words) => {
    const { settings } = await configured(text, { program })
    await expect(settings('web')).rejects.toThrow(words)
    await expect(settings('web')).rejects.toMatchObject({ code: 'ssh_config_invalid' })
  })
})
