/** Which hosts are trusted: with a given known_hosts file, both `ssh` and hostwright connect, or neither. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConnector } from '../../lib/transport/connector.ts'
import { hashNames, type Key, makeKey } from '../support/ssh-keys.ts'
import { launchSshd, type Sshd } from '../support/sshd.ts'

/**
 * Lines in which `host` is the server, `plain` its name without the port, a key type one of its keys, and
 * `other` a key that it does not have; with the outcome, with and without `--accept-new`.
 */
interface Case {
  text: string
  /** Names are hashed by `ssh-keygen -H`. */
  hashed?: boolean
  outcome: 'known' | 'unknown' | 'changed' | 'revoked'
  /** ssh’s outcome, if it differs. */
  ssh?: 'known' | 'unknown'
}

const cases: Case[] = [
  { text: '', outcome: 'unknown' },
  { text: 'host ed25519', outcome: 'known' },
  { text: 'host ed25519', hashed: true, outcome: 'known' },
  { text: 'host rsa', outcome: 'known' },
  { text: 'host ecdsa', outcome: 'known' },
  { text: 'host rsa', hashed: true, outcome: 'known' },
  { text: '[127.*]:* rsa', outcome: 'known' },
  { text: '[127.*]:* ecdsa', outcome: 'known' },
  { text: 'somebody,host ed25519', outcome: 'known' },
  { text: 'host other', outcome: 'changed' },
  { text: 'host other', hashed: true, outcome: 'changed' },
  { text: 'host other\nhost ed25519', outcome: 'known' },
  { text: 'host otherrsa', outcome: 'changed' },
  { text: 'host otherrsa\nhost ed25519', outcome: 'known' },
  { text: 'plain ed25519', outcome: 'known' },
  { text: 'plain ed25519', hashed: true, outcome: 'known' },
  { text: 'plain rsa', outcome: 'unknown' },
  { text: 'plain other', outcome: 'unknown' },
  { text: 'plain ed25519\nhost other', outcome: 'changed' },
  { text: '*,!host ed25519', outcome: 'known' },
  { text: '*,!host,!plain ed25519', outcome: 'unknown' },
  { text: '@revoked host ed25519', outcome: 'revoked' },
  { text: '@revoked * ed25519\nhost ed25519', outcome: 'revoked' },
  { text: '@revoked host other\nhost ed25519', outcome: 'known' },
  { text: '@revoked somebody ed25519\nhost ed25519', outcome: 'known' },
  { text: '@revoked host rsa\nhost ecdsa', outcome: 'known' },
  { text: '@revoked plain ed25519\nhost ed25519', outcome: 'revoked', ssh: 'known' },
  { text: '@revoked plain ed25519', outcome: 'revoked', ssh: 'unknown' },
  { text: '@revoked\thost\ted25519\nhost ed25519', outcome: 'revoked', ssh: 'known' },
  { text: '@cert-authority * ed25519', outcome: 'unknown' },
  { text: '@cert-authority host other\nhost ed25519', outcome: 'known' },
  { text: '@nothing host ed25519', outcome: 'unknown' },
  { text: '# host ed25519', outcome: 'unknown' },
  { text: ' \thost\ted25519 comment\r', outcome: 'known' },
  { text: 'host ed25519\r', outcome: 'known' },
  { text: 'host ssh-rsa AAAAC3NzaC1lZDI1NTE5', outcome: 'unknown' },
  { text: 'host ssh-ed25519 %', outcome: 'unknown' },
  { text: 'host', outcome: 'unknown' },
]

describe('a server with keys of three types', { tags: ['sshd'] }, () => {
  let sshd: Sshd
  let others: Record<string, Key>
  beforeAll(async () => {
    sshd = await launchSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    const { directory } = sshd
    others = {
      other: await makeKey({ file: join(directory, 'other') }),
      otherrsa: await makeKey({ type: 'rsa', file: join(directory, 'otherrsa') }),
    }
  })
  afterAll(() => sshd?.stop())

  let files = 0
  const fileOf = async ({ text, hashed }: Case) => {
    const [ed25519, ecdsa, rsa] = sshd.hostKeys
    const keys: Record<string, Key> = { ed25519: ed25519!, ecdsa: ecdsa!, rsa: rsa!, ...others }
    const words: Record<string, string> = { host: sshd.name, plain: sshd.address }
    for (const [name, key] of Object.entries(keys)) {
      words[name] = key.public.split(' ').slice(0, 2).join(' ')
    }
    const file = join(sshd.directory, `known_hosts_${++files}`)
    const said = text.replace(
      /\b(host|plain|(?<!-)(ed25519|ecdsa|other|otherrsa|rsa))\b/g,
      word => words[word]!,
    )
    await writeFile(file, said === '' ? '' : `${said}\n`)
    if (hashed) await hashNames(file)
    return file
  }

  /** The outcome of `ssh`, in our words. */
  const askSsh = async (file: string, checking: string) => {
    const config = await sshd.writeConfig(
      sshd.sshConfig('server', [`UserKnownHostsFile ${file}`, `StrictHostKeyChecking ${checking}`]),
    )
    const said = await new Promise<string>(resolve => {
      const words = ['-F', config, '-o', 'BatchMode=yes', 'server', 'echo in']
      execFile('ssh', words, (_, stdout, stderr) => resolve(stdout + stderr))
    })
    if (/HAS CHANGED/.test(said)) return 'changed'
    // Output about the other name that it tries does not prevent the connection.
    if (/^in$/m.test(said)) return 'known'
    if (/No .* host key is known/.test(said)) return 'unknown'
    return /REVOKED/.test(said) ? 'revoked' : said
  }

  const askUs = async (knownHostsFile: string, acceptNew: boolean) => {
    const connector = createConnector({ acceptNew })
    try {
      const host = sshd.host({ knownHostsFile })
      const transport = await connector.connect(host, { timeoutMs: 20_000 })
      transport.close()
      return 'known'
    } catch (error) {
      return (error as { code: string }).code.replace('host_key_', '')
    } finally {
      connector.close()
    }
  }

  test.concurrent.each(cases)('is $outcome with $text (hashed: $hashed)', async each => {
    const { outcome, ssh = outcome } = each
    const file = await fileOf(each)
    const before = await readFile(file, 'utf8')
    expect([await askUs(file, false), await askSsh(file, 'yes')]).toEqual([outcome, ssh])
    expect(await readFile(file, 'utf8')).toBe(before)

    // With new keys accepted: only unknown ones, which are known afterwards.
    const learnt = outcome === 'unknown' ? 'known' : outcome
    expect(await askUs(file, true)).toBe(learnt)
    const after = await readFile(file, 'utf8')
    expect(after === before).toBe(outcome !== 'unknown')
    // `ssh` accepts what we wrote.
    if (outcome === 'unknown') {
      expect(await askSsh(file, 'yes')).toBe('known')
      const again = await fileOf(each)
      expect(await askSsh(again, 'accept-new')).toBe('known')
      expect(await readFile(again, 'utf8')).toBe(after)
    } else if (outcome !== 'known') {
      expect(await askSsh(file, 'accept-new')).toBe(ssh === 'unknown' ? 'known' : ssh)
    }
  })

  test.each(['', 'host other', '@cert-authority * other'])(
    'is accepted with insecure_host_key and one warning per run, through “%s”',
    async text => {
      const knownHostsFile = await fileOf({ text, outcome: 'known' })
      const before = await readFile(knownHostsFile, 'utf8')
      const warnings: string[] = []
      const warn = (message: string) => void warnings.push(message)
      const connector = createConnector({ acceptNew: true, warn })
      const host = sshd.host({ knownHostsFile, insecureHostKey: true })
      for (let n = 0; n < 2; n++) {
        const transport = await connector.connect(host, { timeoutMs: 20_000 })
        transport.close()
      }
      connector.close()
      expect(warnings).toEqual([expect.stringMatching(/insecure_host_key.*any host key/)])
      expect(await readFile(knownHostsFile, 'utf8')).toBe(before)
    },
  )

  test('is refused even with insecure_host_key if its key is revoked', async () => {
    const knownHostsFile = await fileOf({ text: '@revoked * ed25519', outcome: 'revoked' })
    const connector = createConnector({ acceptNew: false })
    const host = sshd.host({ knownHostsFile, insecureHostKey: true })
    await expect(connector.connect(host, { timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'host_key_revoked',
    })
    connector.close()
  })

  test('is known by its alias, whatever its port', async () => {
    const knownHostsFile = await fileOf({ text: 'cluster ed25519', outcome: 'known' })
    const sshConfigFile = await sshd.writeConfig(
      sshd.sshConfig('server', [`UserKnownHostsFile ${knownHostsFile}`, 'HostKeyAlias Cluster']),
    )
    const connector = createConnector({ acceptNew: false, sshConfigFile })
    const host = { ...sshd.host({ address: 'server' }), knownHostsFile: undefined, sshConfigFile }
    const transport = await connector.connect({ ...host, port: undefined }, { timeoutMs: 20_000 })
    transport.close()
    connector.close()
  })

  test('is saved once by ten simultaneous connections', async () => {
    const knownHostsFile = await fileOf({ text: 'somebody other', outcome: 'unknown' })
    const before = await readFile(knownHostsFile, 'utf8')
    const connector = createConnector({ acceptNew: true })
    const host = sshd.host({ knownHostsFile })
    // One server with many names.
    const names = Array.from({ length: 10 }, (_, n) => ({ ...host, name: `host${n % 5}` }))
    await Promise.all(
      names.map(async each => {
        const transport = await connector.connect(each, { timeoutMs: 20_000 })
        transport.close()
      }),
    )
    connector.close()
    const after = await readFile(knownHostsFile, 'utf8')
    expect(after.startsWith(before)).toBe(true)
    expect(after.split('\n')).toHaveLength(before.split('\n').length + 1)
  })
})
