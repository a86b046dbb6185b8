/** Our settings from an ssh configuration, compared with ssh’s own. */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSshConfig } from '../../../lib/transport/config/ssh-config.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fields, plain, sshOnly } from './cases.ts'
import { configured, env, home, noneLeavesCommand, write } from './configured.ts'

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
    // Signed with SHA-1, which ssh no longer accepts.
    expect(algorithms?.hostKey).not.toContain('ssh-rsa')
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

describe('without an ssh program', () => {
  const program = '/no/such/ssh'

  it.each(plain)('$title', async ({ config, host = 'web', inventory, expected }) => {
    const warnings: string[] = []
    const { settings } = await configured(config, { program, warn: each => warnings.push(each) })
    expect(fields(await settings(host, inventory), expected)).toEqual(expected)
    expect(warnings).toEqual([])
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
        const { algorithms, needs, ...rest } = await theirs.settings(host)
        const own = await ours.settings(host)
        const wanted = { algorithms, needs: command ? needs : own.needs, ...rest }
        expect({ ...own, algorithms }).toEqual(wanted)
      }
    },
  )

  it('reports once what it ignores', async () => {
    const warnings: string[] = []
    const { settings } = await configured(
      'CanonicalizeHostname yes\nMatch user me\n  Port 7\nHost *\n  Port 9\n',
      { program, warn: each => warnings.push(each) },
    )
    expect(await settings('web')).toMatchObject({ port: 9 })
    await settings('db')
    expect(warnings).toEqual([
      'there is no OpenSSH program `/no/such/ssh` to read the ssh configuration, so CanonicalizeHostname, Match in it is ignored',
    ])
  })

  it('does not accept another program named ssh', async () => {
    const directory = await temporaryDirectory()
    const other = join(directory, 'ssh')
    await writeFile(other, '#!/bin/sh\necho "WARNING: Ignoring unknown option -G" >&2\nexit 1\n')
    await chmod(other, 0o755)
    const { settings } = await configured('Port 7\n', { program: other })
    expect(await settings('web')).toMatchObject({ port: 7 })
  })

  it.each([
    ['Host web\n  IdentityFile "a\n', /config: /],
    ['Include DIR/config\n', /too many nested Includes/],
    ['Host\n', /config: /],
    ['Match host\n  Port 7\n', /config: /],
  ])('reports an error: %j', async (text, words) => {
    const { settings } = await configured(text, { program })
    await expect(settings('web')).rejects.toThrow(words)
    await expect(settings('web')).rejects.toMatchObject({ code: 'ssh_config_invalid' })
  })
})
