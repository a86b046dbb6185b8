/** @module-tag long */
/** Random configurations: our settings are the same as ssh’s, host by host. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSshConfig } from '../../../lib/transport/config/ssh-config.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { noneLeavesCommand, withoutDsa } from './configured.ts'

const hosts = ['web1', 'web2.example.com', 'Db', 'web3', 'db4', '192.0.2.1'].map(address => ({
  address,
}))

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)

const patterns = fc
  .array(oneOf('*', 'web1', 'web?', '!web1', '*.example.com', 'Db', 'db', '!*.com'), {
    minLength: 1,
    maxLength: 3,
  })
  .map(words => words.join(' '))

/** Says the same to all, as far as it goes. */
const value = oneOf(
  'Port 7',
  'port=8',
  'User ops',
  'User "me"',
  'IdentityFile ~/a',
  'IdentityFile "~/b c"',
  'IdentityFile ~/%h_%r_%p',
  'IdentityFile none',
  'IdentitiesOnly yes',
  'IdentityAgent none',
  'IdentityAgent ~/%u',
  'UserKnownHostsFile ~/known ~/other',
  'UserKnownHostsFile ~/%d',
  'HostKeyAlias Alias',
  'HashKnownHosts yes',
  'ConnectTimeout 1m',
  'ServerAliveInterval 30',
  'ServerAliveCountMax 5',
  'ProxyJump gw',
  'ProxyJump none',
  'ProxyCommand nc %h %p',
  'ControlPath ~/%C',
  '# Host web1',
  '',
)

/** Means another thing to each. */
const telling = oneOf(
  'HostName %h.example.org',
  'HostName 192.0.2.1',
  'UserKnownHostsFile ~/known_%h',
  'IdentityAgent ~/%n',
  'IdentityFile ~/%C',
  'HostName web1',
  'HostName Db.example.org',
)

const blockOf = (lines: fc.Arbitrary<string>) =>
  fc
    .tuple(patterns, fc.array(lines, { maxLength: 3 }))
    .map(([names, lines]) => [`Host ${names}`, ...lines.map(line => `  ${line}`)].join('\n'))

const block = blockOf(value)
const forAll = fc.array(
  fc.oneof(value, oneOf('Host *', 'Match all', 'Match final all', 'HostName x.org')),
  { maxLength: 6 },
)
const anything = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: blockOf(fc.oneof(value, telling)) },
    value,
    telling,
    oneOf('Match all', 'Match host web1', 'Match user ops', 'Match originalhost web* !host web1'),
  ),
  { maxLength: 6 },
)
const names = oneOf('HostName web1', 'HostName Db.example.org', 'HostName 192.0.2.1')
const byName = fc.array(blockOf(fc.oneof(value, names)), { maxLength: 6 })
const withoutMatch = fc.array(fc.oneof({ weight: 3, arbitrary: block }, value), { maxLength: 6 })

const env = { ...process.env, SSH_AUTH_SOCK: '/run/agent' }

test('a shared answer never differs from the host’s own', {
  tags: ['openssh-client'],
}, async () => {
  const configFile = join(await temporaryDirectory(), 'config')
  const configured = () => createSshConfig({ configFile, here: { env } })
  await fc.assert(
    fc.asyncProperty(fc.oneof(forAll, anything, byName), async lines => {
      await writeFile(configFile, `${lines.join('\n')}\n`)
      const all = configured()
      const together = await Promise.all(hosts.map(host => all.settings(host)))
      const each = await Promise.all(hosts.map(host => configured().settings(host)))
      expect(together).toEqual(each)
    }),
    { numRuns: 40 },
  )
})

test('the parser agrees with ssh', { tags: ['openssh-client'] }, async () => {
  const configFile = join(await temporaryDirectory(), 'config')
  const configured = (program?: string) => createSshConfig({ program, configFile, here: { env } })
  // What the first leaves to the second is a matter of the patch: see cases.ts.
  const unclear = (await noneLeavesCommand()) ? undefined : 'ProxyJump none'
  await fc.assert(
    fc.asyncProperty(fc.oneof(byName, withoutMatch), async blocks => {
      const lines = blocks.flatMap(each => each.split('\n')).filter(line => line.trim() !== unclear)
      await writeFile(configFile, `${lines.join('\n')}\n`)
      const [theirs, ours] = [configured(), configured('/no/such/ssh')]
      for (const host of hosts) {
        const { algorithms, ...settings } = withoutDsa(await theirs.settings(host))
        expect({ ...(await ours.settings(host)), algorithms }).toEqual({ algorithms, ...settings })
      }
    }),
    { numRuns: 40 },
  )
})
