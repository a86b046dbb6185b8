/** How and how often `ssh -G` runs, and how its errors are handled. */
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSshConfig } from '../../../lib/transport/config/ssh-config.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { whereIs } from '../../support/where-is.ts'
import { configured, home, loggingSsh } from './configured.ts'

describe('an error in the configuration', { tags: ['openssh-client'] }, () => {
  it.each([
    [
      'Host web\n  Nonsense yes\n',
      /^ssh -G web: .*config: line 2: Bad configuration option: nonsense$/,
    ],
    ['LogLevel QUIET\nPort 0\n', /config line 2: Bad port/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh's own syntax
    ['UserKnownHostsFile ${NOPE}/x\n', /NOPE/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh's own syntax
    ['IdentityFile ${NOPE}/x\n', /\$\{NOPE\} is not set/],
    ['Host web\n  ProxyJump :\n', /./],
  ])('is reported in ssh’s own words: %j', async (text, words) => {
    const { settings } = await configured(text)
    const asked = settings('web')
    await expect(asked).rejects.toMatchObject({ code: 'ssh_config_invalid', exitCode: 2 })
    await expect(asked).rejects.toThrow(words)
  })

  it('includes a missing file', async () => {
    const config = createSshConfig({ configFile: '/no/such/file' })
    await expect(config.settings({ address: 'web' })).rejects.toThrow(/\/no\/such\/file/)
  })

  it('includes a name that is an option or contains shell characters', async () => {
    const { directory, settings, config } = await configured({
      config: 'Match exec "touch DIR/%h; echo %r"\n  Port 7\n',
    })
    const bad = ['-oProxyCommand=true', '', 'a b', '$(id)', 'x;id', 'x|id', '`id`', "x'", 'x\\']
    for (const name of bad) await expect(settings(name)).rejects.toThrow('is not a host name')
    for (const user of ['-l', 'x;id', '`id`', 'me -x', 'me\\']) {
      await expect(settings('web', { user })).rejects.toThrow('is not a user name')
    }
    expect(await readdir(directory)).toEqual(['config'])
    const domain = await settings('web', { user: 'CORP\\me' })
    expect(domain).toMatchObject({ user: 'CORP\\me', port: 7 })
    const jumping = await settings('web', { proxyJump: 'a;id' })
    await expect(config.hops(jumping)).rejects.toThrow('is not a host name')
  })

  it('includes a program that hangs: it is ended with its children, and other hosts do not wait for it', async () => {
    const { directory, settings, config } = await configured(
      { config: 'Match exec "echo $$ >DIR/pid; exec sleep 600"\n  Port 7\n' },
      { timeoutMs: 2000 },
    )
    const began = Date.now()
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => settings(`web${index}`)),
    )
    for (const each of all) {
      expect(each).toMatchObject({
        status: 'rejected',
        reason: { message: 'ssh -G web0 did not answer within 2 s', code: 'ssh_config_invalid' },
      })
    }
    // One after the other would take forty seconds.
    expect(Date.now() - began).toBeLessThan(20_000)
    const pid = (await readFile(join(directory, 'pid'), 'utf8')).trim()
    const state = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone')
    await expect.poll(state, { timeout: 5000 }).toMatch(/^gone$|\) Z /)
    config.close()
  })
})

describe('the number of ssh -G calls', { tags: ['openssh-client'] }, () => {
  const names = Array.from({ length: 20 }, (_, index) => `web${index}.example.com`)

  it('is one if no block distinguishes hosts', async () => {
    const { program, count } = await loggingSsh()
    const { settings } = await configured(
      'Host *\n  Port 7\n  User ops\n  IdentityFile ~/%h\n  ControlPath /x/%h\n',
      { program },
    )
    const all = await Promise.all(names.map(name => settings(name)))
    expect(await count()).toBe(1)
    expect(all.map(({ address }) => address)).toEqual(names)
    expect(all[7]).toMatchObject({ port: 7, user: 'ops', identityFiles: [join(home, names[7]!)] })
    expect(await settings('UPPER')).toMatchObject({ destination: 'UPPER', address: 'upper' })
    expect(await count()).toBe(1)
  })

  it('is one more if the inventory sets the port, which hides the configured one', async () => {
    const { program, count } = await loggingSsh()
    const { settings } = await configured('Port 7\n', { program })
    const ports = [undefined, 1, 2, undefined]
    const all = await Promise.all(ports.map((port, index) => settings(names[index]!, { port })))
    expect(all.map(({ port }) => port)).toEqual([7, 1, 2, 7])
    expect(await count()).toBe(2)
  })

  it('is one for all hosts that match the same Host lines', async () => {
    const { program, count } = await loggingSsh()
    const { settings } = await configured(
      'Host web7.*\n  HostName seven\n  ProxyJump gw\nHost web1?.*\n  Port 10\n',
      { program },
    )
    const all = await Promise.all(names.map(name => settings(name)))
    expect(await count()).toBe(3)
    expect(all.map(({ address, port }) => `${address}:${port}`)).toEqual(
      names.map((name, index) => `${index === 7 ? 'seven' : name}:${index > 9 ? 10 : 22}`),
    )
    expect(all.map(({ jumps }) => jumps.length)).toEqual(
      names.map((_, index) => Number(index === 7)),
    )
  })

  it('is one per host with a Match block, even in an included file', async () => {
    const { program, count } = await loggingSsh()
    const { settings } = await configured(
      { config: 'Include DIR/more\n', more: 'Match host web7.*\n  Port 7\n' },
      { program },
    )
    const both = [...names, ...names]
    const all = await Promise.all(both.map(name => settings(name)))
    expect(await count()).toBe(names.length)
    expect(all.map(({ port }) => port)).toEqual(
      both.map(name => (name.startsWith('web7.') ? 7 : 22)),
    )
  })
})

describe('an ssh whose debug lines are worded otherwise', { tags: ['openssh-client'] }, () => {
  const text =
    'Match host web1 exec "true"\n  RevokedHostKeys /revoked\nHost web2\n  Port 7\nMatch all\n  User ops\n'
  const hostBlocks =
    'Host web1\n  RevokedHostKeys /revoked\nHost web2\n  Port 7\nHost *\n  User ops\n'

  // The tests before used the words of one version for all: with those of the next, another reader was taken.
  it.each([
    ['of OpenSSH 10, which names its version in one', 's/^OpenSSH_[^ ]*/debug1: OpenSSH_10.0p2/'],
    ['without the words for the files that it reads', 's/Reading configuration data/Opened:/'],
    ['in none of those words', 's/^debug1: .*/debug1: ready/; /^OpenSSH/d'],
    ['that are not there at all', '/^debug1: /d; /^OpenSSH/d'],
  ])('is understood: %s', async (_, edit) => {
    const directory = await temporaryDirectory()
    const program = join(directory, 'ssh')
    await writeFile(
      program,
      `#!/bin/sh\n[ "$1" != -V ] || exec ${whereIs('ssh')} -V\nexec 3>&1\n${whereIs('ssh')} "$@" 2>&1 >&3 3>&- | sed '${edit}' >&2\n`,
    )
    await chmod(program, 0o755)
    for (const config of [text, hostBlocks]) {
      const { settings } = await configured(config, { program })
      const all = await Promise.all(['web3', 'web2', 'web1'].map(name => settings(name)))
      expect(all.map(({ port, user, needs }) => [port, user, needs])).toEqual([
        [22, 'ops', []],
        [7, 'ops', []],
        [22, 'ops', ['RevokedHostKeys']],
      ])
    }
  })

  it('is asked about each host where it reads a file that we would not', async () => {
    const directory = await temporaryDirectory()
    const [program, vendor] = [join(directory, 'ssh'), join(directory, 'vendor_config')]
    await writeFile(vendor, 'Host web2\n  Port 7\n')
    // As the ssh of a distribution with a directory of its own for the vendor's configuration.
    await writeFile(
      program,
      `#!/bin/sh\n[ "$1" = -V ] || set -- -F "${vendor}" "$@"\nexec ${whereIs('ssh')} "$@"\n`,
    )
    await chmod(program, 0o755)
    const config = createSshConfig({ program })
    const ports = ['web1', 'web2'].map(async address => (await config.settings({ address })).port)
    expect(await Promise.all(ports)).toEqual([22, 7])
  })
})
