/** Jump hosts: those that `ssh` itself takes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../lib/inventory/inventory.ts'
import { configured, env, loggingSsh, username } from './configured.ts'

describe('the chain of jump hosts', { tags: ['openssh-client'] }, () => {
  const way = async (
    text: string,
    { hosts = [], ...inventory }: Partial<Host> & { hosts?: readonly Partial<Host>[] } = {},
  ) => {
    const { config, settings } = await configured(text, {
      hostNamed: wanted => hosts.find(host => host.name === wanted) as Host | undefined,
    })
    const hops = await config.hops(await settings('target', inventory))
    return hops.map(({ settings: { user, address, port }, host }) =>
      [`${user === username ? '' : `${user}@`}${address}:${port}`, host && '(inventory)']
        .filter(Boolean)
        .join(' '),
    )
  }

  it.each<[string, string, readonly string[]]>([
    ['is empty without ProxyJump', '', []],
    ['has them in order', 'Host target\n  ProxyJump a,me@b:7\n', ['a:22', 'me@b:7']],
    [
      'uses the block for each hop’s own name, not the target’s',
      'Host target\n  ProxyJump a,b\n  User t\n  Port 1\nHost a\n  HostName A.example.com\n  Port 2\nHost b\n  User bob\n',
      ['a.example.com:2', 'bob@b:22'],
    ],
    [
      'goes on through the first one’s own jump hosts',
      'Host target\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump c,d\n',
      ['c:22', 'd:22', 'b:22', 'a:22'],
    ],
    [
      'ignores the jump hosts of later hops',
      'Host target\n  ProxyJump a,b\nHost b\n  ProxyJump x\n',
      ['a:22', 'b:22'],
    ],
    ['ends at none', 'Host a\n  ProxyJump none\nHost *\n  ProxyJump a\n', ['a:22']],
    [
      'expands the tokens of the target',
      'Host target\n  ProxyJump %r@jump.%h,100%%@%n-b\n  HostName t.example.com\n  User web\n  Port 7\n',
      ['web@jump.t.example.com:22', '100%@target-b:22'],
    ],
    ['has IPv6 addresses', 'Host target\n  ProxyJump me@[::1]:7\n', ['me@::1:7']],
  ])('%s', async (_, text, hops) => {
    expect(await way(text)).toEqual(hops)
  })

  it.each([
    'Host target\n  ProxyJump a,b,c\n',
    'Host target\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump c,d\n',
    'Host target\n  ProxyJump a,b\nHost b\n  ProxyJump x\nHost a\n  ProxyJump y\n',
    'Host target\n  ProxyJump a\nHost a\n  ProxyJump none\nHost *\n  ProxyJump b\n',
  ])('is the same as in ssh: %j', async text => {
    // Nothing listens there: all that is seen is which ssh starts which.
    const all = `${text}Host *\n  HostName 127.0.0.1\n  Port 1\n`
    const { config, settings, file } = await configured(all)
    const { program, started } = await loggingSsh()
    const path = `${dirname(program)}:${env.PATH}`
    const child = spawn('ssh', ['-F', file, 'target', 'true'], {
      env: { ...env, PATH: path },
      stdio: 'ignore',
    })
    await once(child, 'close')
    const hops = await config.hops(await settings('target'))
    const words = hops.map(hop => hop.settings.destination)
    expect((await started()).map(line => line.split(' ').at(-1))).toEqual([
      'true',
      ...words.reverse(),
    ])
  })

  it.each([
    'Host target\n  User web\n  ProxyJump %r@%n-bastion\n',
    'Host target\n  User web\n  HostKeyAlias alias\n  ProxyJump %r-%k@a,%r@b-%h\n',
    // OpenSSH 10 expands tokens in User, and refuses what is none; before that it was a name as it stood.
    'Host target\n  User 50%\n  ProxyJump x%%r-%r@a\n',
    'Host target\n  User 50%%\n  ProxyJump x%%r-%r@a\n',
    'Host target\n  User a%h\n  ProxyJump %r@a\n',
  ])('asks each hop for the user that ssh asks it for: %j', async text => {
    const all = `${text}Host *\n  HostName 127.0.0.1\n  Port 1\n`
    const { config, settings, file } = await configured(all)
    const { program, started } = await loggingSsh()
    const path = `${dirname(program)}:${env.PATH}`
    const child = spawn('ssh', ['-F', file, 'target', 'true'], {
      env: { ...env, PATH: path },
      stdio: 'ignore',
    })
    await once(child, 'close')
    const others = (await started()).slice(1)
    if (others.length === 0) {
      await expect(settings('target')).rejects.toMatchObject({ code: 'ssh_config_invalid' })
      return
    }
    const hops = await config.hops(await settings('target'))
    const asked = others.map(line => {
      const words = line.split(' ')
      return `${words[words.indexOf('-l') + 1]}@${words.at(-1)}`
    })
    expect(asked.reverse()).toEqual(
      hops.map(({ settings: { user, destination } }) => `${user}@${destination}`),
    )
  })

  it.each(['%u@jump', '%C', 'a,%d', 'jump%'])(
    'refuses the token in %s, as ssh does',
    async jump => {
      const { config, settings, file } = await configured(
        `ProxyJump ${jump}\nHostName 127.0.0.1\nPort 1\n`,
      )
      const child = spawn('ssh', ['-F', file, 'target', 'true'], { env, stdio: 'pipe' })
      const [said] = await Promise.all([text(child.stderr), once(child, 'close')])
      expect(said).toMatch(/unknown key|invalid format|percent_expand/i)
      await expect(settings('target').then(config.hops)).rejects.toMatchObject({
        code: 'ssh_config_invalid',
      })
    },
  )

  it('is the inventory’s if it has one', async () => {
    expect(await way('Host target\n  ProxyJump a\n', { proxyJump: 'b,c' })).toEqual([
      'b:22',
      'c:22',
    ])
    expect(await way('Host target\n  ProxyJump a\n', { proxyJump: 'none' })).toEqual([])
  })

  it('uses the inventory’s settings for a hop in the inventory', async () => {
    const hosts = [
      {
        name: 'gw',
        connection: 'ssh',
        address: '192.0.2.1',
        port: 2222,
        user: 'ops',
        proxyJump: 'outer',
      },
      { name: 'box', connection: 'docker', address: 'container' },
    ] as const
    const text = 'Host 192.0.2.1\n  HostName 127.0.0.9\n'
    expect(await way(text, { hosts, proxyJump: 'gw,box' })).toEqual([
      'outer:22',
      'ops@127.0.0.9:2222 (inventory)',
      'box:22',
    ])
    expect(await way(text, { hosts, proxyJump: 'me@gw:1' })).toEqual([
      'outer:22',
      'me@127.0.0.9:1 (inventory)',
    ])
  })

  it('needs neither a later hop’s ProxyCommand nor agent forwarding to a hop', async () => {
    const { config, settings } = await configured(
      'Host target\n  ProxyJump a,b\nHost a b\n  ProxyCommand nc %h %p\nHost *\n  ForwardAgent yes\n',
    )
    const hops = await config.hops(await settings('target'))
    expect(hops.map(hop => hop.settings.needs)).toEqual([['ProxyCommand'], []])
  })

  it.each([
    ['Host *\n  ProxyJump gw\n', 'gw would be reached through itself: gw → gw'],
    [
      'Host target\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n',
      'a would be reached through itself: a → b → a',
    ],
    [
      'Host target\n  ProxyJump a,target\n',
      /jumphost loop via target|target would be reached through itself/,
    ],
  ])('is refused if it is circular: %j', async (text, sentence) => {
    await expect(way(text)).rejects.toThrow(sentence)
  })
})
