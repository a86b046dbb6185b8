/** What we make of ssh's configuration, beside what `ssh` itself makes of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import type { SshSettings } from '../../lib/transport/settings.ts'
import { createSshConfig, type SshConfigOptions } from '../../lib/transport/ssh-config.ts'
import { inCi } from '../support/lab.ts'
import { temporaryDirectory, whereIs } from '../support/shells.ts'

const { homedir: home, username } = userInfo()
const ssh = whereIs('ssh')
if (inCi && !ssh) throw new Error('CI must have ssh installed')

type Texts = Record<string, string>

/** Files of configuration in a directory of the test's own, which is `DIR` in them. */
async function write(texts: Texts) {
  const directory = await temporaryDirectory()
  for (const [name, text] of Object.entries(texts)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text.replaceAll('DIR', directory))
  }
  return { directory, file: join(directory, 'config') }
}

const env: NodeJS.ProcessEnv = {
  ...process.env,
  KEYS: '/keys',
  SSH_AUTH_SOCK: '/run/agent',
  OTHER: '/run/other',
}

async function configured(texts: Texts | string, options: SshConfigOptions = {}) {
  const { directory, file } = await write(typeof texts === 'string' ? { config: texts } : texts)
  const config = createSshConfig({ configFile: file, here: { env }, ...options })
  const settings = (address: string, more: Partial<Host> = {}) =>
    config.settings({ address, ...more })
  return { directory, file, config, settings }
}

/** An `ssh` that writes down how it is called; by that name it starts others of itself. */
async function tellingSsh() {
  const directory = await temporaryDirectory()
  const [program, calls] = [join(directory, 'ssh'), join(directory, 'calls')]
  await writeFile(program, `#!/usr/bin/env bash\necho "$*" >>${calls}\nexec -a ssh ${ssh} "$@"\n`)
  await chmod(program, 0o755)
  const started = async () =>
    (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
  return { program, started, count: async () => (await started()).length }
}

interface Case {
  title: string
  config: Texts | string
  host?: string
  inventory?: Partial<Host>
  expected: Partial<SshSettings>
}

/** Without Match and without what ssh alone can: the parser has to say the same of these. */
const plain: readonly Case[] = [
  {
    title: 'an empty file leaves the defaults',
    config: '',
    expected: {
      address: 'web',
      port: 22,
      user: username,
      agent: '/run/agent',
      userKnownHostsFiles: [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2')],
      globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      identitiesOnly: false,
      hashKnownHosts: false,
      methods: ['publickey', 'keyboard-interactive', 'password'],
      jumps: [],
      connectTimeoutMs: undefined,
      aliveIntervalMs: 15_000,
      aliveCountMax: 3,
      needs: [],
    },
  },
  {
    title: 'an alias',
    config: 'Host web\n  HostName 192.0.2.7\n  User ops\n  Port 2222\n',
    expected: { destination: 'web', address: '192.0.2.7', user: 'ops', port: 2222 },
  },
  {
    title: 'the inventory’s values over it',
    config: 'Host web\n  HostName 192.0.2.7\n  User ops\n  Port 2222\n  IdentityFile /a\n',
    inventory: { user: 'me', port: 22, privateKeyFile: '/k', knownHostsFile: '/known' },
    expected: {
      address: '192.0.2.7',
      user: 'me',
      port: 22,
      privateKeyFile: '/k',
      identityFiles: ['/a'],
      userKnownHostsFiles: ['/known'],
      globalKnownHostsFiles: [],
    },
  },
  {
    title: 'the first value counts',
    config: 'User first\nHost web\n  User second\n  Port 7\nHost *\n  Port 8\n',
    expected: { user: 'first', port: 7 },
  },
  {
    title: 'wildcards',
    config:
      'Host we?\n  Port 7\nHost w*b\n  User ops\nHost *.b\n  User other\nHost w.b\n  User no\n',
    expected: { port: 7, user: 'ops' },
  },
  {
    title: 'a negated pattern ends its line',
    config: 'Host * !web\n  Port 7\nHost !web\n  Port 8\nHost other web !db\n  User ops\n',
    expected: { port: 22, user: 'ops' },
  },
  {
    title: 'names are told apart by case, keywords are not',
    config: 'hOST WEB\n  pORT 7\nHOST web\n  USER ops\n',
    expected: { port: 22, user: 'ops' },
  },
  {
    title: 'separators, quotes, comments, carriage returns',
    config:
      '# Host web\nHost = "web"\r\n\tUser="ops"\r\n  Port=7\n  IdentityFile "~/my key" # mine\n  HostName\tw.example.com\n',
    expected: {
      user: 'ops',
      port: 7,
      address: 'w.example.com',
      identityFiles: [join(home, 'my key')],
    },
  },
  {
    title: 'several identity files, in their order, none among them',
    config:
      'IdentityFile ~/b\nHost web\n  IdentityFile none\n  IdentityFile /a\n  IdentitiesOnly yes\n',
    expected: { identityFiles: [join(home, 'b'), '/a'], identitiesOnly: true },
  },
  {
    title: 'tokens',
    config:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh's own syntax
      'Host web\n  HostName %h.%%.example.com\n  User ops\n  Port 7\n  IdentityFile %d/%h_%n_%p_%r_%u_%i_%%\n  IdentityFile ${KEYS}/%L_%l_%k\n',
    expected: {
      address: 'web.%.example.com',
      identityFiles: [
        `${home}/web.%.example.com_web_7_ops_${username}_${userInfo().uid}_%`,
        `/keys/${hostname().replace(/\..*/, '')}_${hostname()}_web`,
      ],
    },
  },
  {
    title: 'Include, by patterns, in and out of blocks',
    config: {
      config:
        'Include DIR/d/*.conf\nHost web\n  Include "DIR/web file"\nHost db\n  Include DIR/db\nHost *\n  Port 9\n',
      'd/10.conf': 'Host web\n  User ten\n',
      'd/20.conf': 'User twenty\n',
      'd/30.other': 'Port 3\n',
      'web file': 'ConnectTimeout 5\nHost other\n  ServerAliveInterval 1\n',
      db: 'Port 5432\nHost web\n  Port 5433\n',
    },
    expected: { user: 'ten', port: 9, connectTimeoutMs: 5000, aliveIntervalMs: 15_000 },
  },
  {
    title: 'known hosts: an alias, several files, hashing',
    config:
      'HostKeyAlias Web.Alias\nHashKnownHosts yes\nUserKnownHostsFile ~/a "DIR/b c"\nGlobalKnownHostsFile /dev/null\n',
    expected: {
      hostKeyAlias: 'web.alias',
      hashKnownHosts: true,
      globalKnownHostsFiles: ['/dev/null'],
    },
  },
  {
    title: 'known hosts by tokens; none',
    config: 'UserKnownHostsFile ~/known_%h_%%\nGlobalKnownHostsFile none\n',
    expected: { userKnownHostsFiles: [join(home, 'known_web_%')], globalKnownHostsFiles: [] },
  },
  {
    title: 'times, in all their units',
    config: 'ConnectTimeout 1m30s\nServerAliveInterval 1m\nServerAliveCountMax 2\n',
    expected: { connectTimeoutMs: 90_000, aliveIntervalMs: 60_000, aliveCountMax: 2 },
  },
  {
    title: 'an agent of its own',
    config: 'IdentityAgent "~/my agent"\n',
    expected: { agent: join(home, 'my agent') },
  },
  { title: 'no agent', config: 'IdentityAgent none\n', expected: { agent: undefined } },
  {
    title: 'the agent of a variable',
    config: 'Host web\n  IdentityAgent $OTHER\n',
    expected: { agent: '/run/other' },
  },
  {
    title: 'the usual agent, by its name',
    config: 'IdentityAgent SSH_AUTH_SOCK\nHost *\n  IdentityAgent none\n',
    expected: { agent: '/run/agent' },
  },
  {
    title: 'jump hosts',
    config: 'Host web\n  ProxyJump ops@gw:2222,[::1]:44,in\n',
    expected: { jumps: ['ops@gw:2222', '[::1]:44', 'in'] },
  },
  {
    title: 'no jump host, for one of all',
    config: 'Host web\n  ProxyJump none\nHost *\n  ProxyJump gw\n',
    expected: { jumps: [] },
  },
  {
    title: 'of ProxyJump and ProxyCommand the first counts: the jump',
    config: 'ProxyJump gw\nProxyCommand nc %h %p\n',
    expected: { jumps: ['gw'], needs: [] },
  },
  {
    title: 'of ProxyJump and ProxyCommand the first counts: the command',
    config: 'ProxyCommand nc %h %p\nProxyJump gw\n',
    expected: { jumps: [], needs: ['ProxyCommand'] },
  },
  {
    title: 'the inventory’s jump over a ProxyCommand',
    config: 'ProxyCommand nc %h %p\n',
    inventory: { proxyJump: 'a,b' },
    expected: { jumps: ['a', 'b'], needs: [] },
  },
  {
    title: 'no jump host leaves room for a ProxyCommand, as with ssh -J none',
    config: 'ProxyJump none\nProxyCommand nc %h %p\n',
    inventory: { proxyJump: 'none' },
    expected: { jumps: [], needs: ['ProxyCommand'] },
  },
  {
    title: 'ways to log in',
    config:
      'PreferredAuthentications password,publickey\nKbdInteractiveAuthentication no\nNumberOfPasswordPrompts 1\n',
    expected: { methods: ['password', 'publickey'], passwordPrompts: 1 },
  },
  {
    title: 'nobody to ask',
    config: 'BatchMode yes\n',
    expected: { methods: ['publickey'], batchMode: true },
  },
  {
    title: 'nobody to ask, and a password in the inventory',
    config: 'BatchMode yes\nPubkeyAuthentication no\n',
    inventory: { password: { from: 'env', name: 'X' } },
    expected: { methods: ['keyboard-interactive', 'password'] },
  },
  {
    title: 'IPv6 only, by an address',
    config: 'AddressFamily inet6\nHost 2001:db8::1\n  Port 7\n',
    host: '2001:db8::1',
    expected: { address: '2001:db8::1', port: 7, addressFamily: 6 },
  },
  {
    title: 'trust is not what it turns off',
    config:
      'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nNoHostAuthenticationForLocalhost yes\nVerifyHostKeyDNS yes\n',
    host: 'localhost',
    expected: { insecureHostKey: false, userKnownHostsFiles: ['/dev/null'], needs: [] },
  },
]

/** What only ssh can read. */
const sshOnly: readonly Case[] = [
  {
    title: 'Match host, by what HostName makes of it',
    config:
      'Host web\n  HostName web.example.com\nMatch host *.example.com\n  User ops\nMatch host web\n  User no\n',
    expected: { user: 'ops' },
  },
  {
    title: 'Match originalhost and negated user',
    config: 'Match originalhost web !user root2\n  Port 7\nMatch user me\n  Port 8\n',
    expected: { port: 7 },
  },
  {
    title: 'Match user, of the inventory',
    config: 'Match user me\n  Port 8\n',
    inventory: { user: 'me' },
    expected: { port: 8, user: 'me' },
  },
  {
    title: 'Match exec',
    config: 'Match exec "test %h = web"\n  Port 7\nMatch exec false\n  User no\n',
    expected: { port: 7, user: username },
  },
  {
    title: 'Match final, after all the rest',
    config: 'Match final host web.example.com\n  Port 7\nHost web\n  HostName web.example.com\n',
    expected: { port: 7 },
  },
  {
    title: 'algorithms, whole and by difference',
    config:
      'Ciphers aes256-ctr,aes128-ctr\nMACs +hmac-md5\nKexAlgorithms -curve25519-sha256@libssh.org\n',
    expected: { needs: [] },
  },
]

const fields = (settings: SshSettings, expected: Partial<SshSettings>) =>
  Object.fromEntries(Object.keys(expected).map(key => [key, settings[key as keyof SshSettings]]))

describe.skipIf(!ssh)('by ssh -G', () => {
  it.each([...plain, ...sshOnly])(
    '$title',
    async ({ config, host = 'web', inventory, expected }) => {
      const { settings } = await configured(config)
      expect(fields(await settings(host, inventory), expected)).toEqual(expected)
    },
  )

  it('finds names of known_hosts files that have spaces in them', async () => {
    const { directory, settings } = await configured({
      config: 'UserKnownHostsFile "DIR/b c" ~/a\n',
      'b c': '',
    })
    const { userKnownHostsFiles } = await settings('web')
    expect(userKnownHostsFiles).toEqual([join(directory, 'b c'), join(home, 'a')])
  })

  it('has the hash that %C is', async () => {
    const { settings } = await configured('IdentityFile /%C\nControlPath /x/%C\n')
    expect((await settings('web')).identityFiles[0]).toMatch(/^\/[0-9a-f]{40}$/)
  })

  it('needs the system’s ssh for algorithms that only it has', async () => {
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

  it('leaves the transport its algorithms, in their order, where nothing is said', async () => {
    const { settings } = await configured('')
    const { algorithms } = await settings('web')
    expect(algorithms?.kex.slice(0, 3)).toEqual([
      'curve25519-sha256@libssh.org',
      'curve25519-sha256',
      'ecdh-sha2-nistp256',
    ])
    expect(algorithms?.cipher[0]).toBe('aes128-gcm@openssh.com')
    expect(algorithms?.hostKey[0]).toBe('ssh-ed25519')
    // Signed by SHA-1: ssh takes it no more.
    expect(algorithms?.hostKey).not.toContain('ssh-rsa')
  })

  it('sees a certificate and an authority', async () => {
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

describe.skipIf(!ssh)('a fault in the configuration', () => {
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
  ])('is told in ssh’s own words: %j', async (text, words) => {
    const { settings } = await configured(text)
    const asked = settings('web')
    await expect(asked).rejects.toMatchObject({ code: 'ssh_config_invalid', exitCode: 2 })
    await expect(asked).rejects.toThrow(words)
  })

  it('is a file that is not there', async () => {
    const config = createSshConfig({ configFile: '/no/such/file' })
    await expect(config.settings({ address: 'web' })).rejects.toThrow(/\/no\/such\/file/)
  })

  it('is a name that would be an option', async () => {
    const { settings } = await configured('')
    await expect(settings('-oProxyCommand=true')).rejects.toThrow('is no host name')
  })

  it('is a program that hangs: it is ended with all it started, and nobody else waits for it', async () => {
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
        reason: { message: 'ssh -G web0 said nothing within 2 s', code: 'ssh_config_invalid' },
      })
    }
    expect(Date.now() - began).toBeLessThan(6000)
    const pid = (await readFile(join(directory, 'pid'), 'utf8')).trim()
    const state = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone')
    await expect.poll(state, { timeout: 5000 }).toMatch(/^gone$|\) Z /)
    config.close()
  })
})

describe.skipIf(!ssh)('how often ssh is asked', () => {
  const names = Array.from({ length: 20 }, (_, index) => `web${index}.example.com`)

  it('is once, where no block tells hosts apart', async () => {
    const { program, count } = await tellingSsh()
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

  it('is once more where the inventory has the port: of it, no answer tells the configuration’s', async () => {
    const { program, count } = await tellingSsh()
    const { settings } = await configured('Port 7\n', { program })
    const ports = [undefined, 1, 2, undefined]
    const all = await Promise.all(ports.map((port, index) => settings(names[index]!, { port })))
    expect(all.map(({ port }) => port)).toEqual([7, 1, 2, 7])
    expect(await count()).toBe(2)
  })

  it('is once for all that the same Host lines mean', async () => {
    const { program, count } = await tellingSsh()
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

  it('is once a host, where a Match block does, also in a file that is included', async () => {
    const { program, count } = await tellingSsh()
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

describe.skipIf(!ssh)('the way over jump hosts', () => {
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
    ['is none without', '', []],
    ['has them in order', 'Host target\n  ProxyJump a,me@b:7\n', ['a:22', 'me@b:7']],
    [
      'gives each the block of its own name, and not the target’s',
      'Host target\n  ProxyJump a,b\n  User t\n  Port 1\nHost a\n  HostName A.example.com\n  Port 2\nHost b\n  User bob\n',
      ['a.example.com:2', 'bob@b:22'],
    ],
    [
      'goes on through the first one’s own jump hosts',
      'Host target\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump c,d\n',
      ['c:22', 'd:22', 'b:22', 'a:22'],
    ],
    [
      'does not heed the later ones’ own',
      'Host target\n  ProxyJump a,b\nHost b\n  ProxyJump x\n',
      ['a:22', 'b:22'],
    ],
    ['ends at none', 'Host a\n  ProxyJump none\nHost *\n  ProxyJump a\n', ['a:22']],
    ['has IPv6 addresses', 'Host target\n  ProxyJump me@[::1]:7\n', ['me@::1:7']],
  ])('%s', async (_, text, hops) => {
    expect(await way(text)).toEqual(hops)
  })

  it.each([
    'Host target\n  ProxyJump a,b,c\n',
    'Host target\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump c,d\n',
    'Host target\n  ProxyJump a,b\nHost b\n  ProxyJump x\nHost a\n  ProxyJump y\n',
    'Host target\n  ProxyJump a\nHost a\n  ProxyJump none\nHost *\n  ProxyJump b\n',
  ])('is the one that ssh takes: %j', async text => {
    // Nothing listens there: all that is seen is which ssh starts which.
    const all = `${text}Host *\n  HostName 127.0.0.1\n  Port 1\n`
    const { config, settings, file } = await configured(all)
    const { program, started } = await tellingSsh()
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

  it('is the inventory’s, where it has one', async () => {
    expect(await way('Host target\n  ProxyJump a\n', { proxyJump: 'b,c' })).toEqual([
      'b:22',
      'c:22',
    ])
    expect(await way('Host target\n  ProxyJump a\n', { proxyJump: 'none' })).toEqual([])
  })

  it('takes a hop that is in the inventory as it is there', async () => {
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

  it('has no need of a later hop’s ProxyCommand, nor of forwarding to a hop', async () => {
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
  ])('is refused where it is a circle: %j', async (text, sentence) => {
    await expect(way(text)).rejects.toThrow(sentence)
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

  it.skipIf(!ssh).each(plain)('says what ssh says: $title', async ({ config, inventory }) => {
    const { file } = await write(typeof config === 'string' ? { config } : config)
    const by = (name?: string) =>
      createSshConfig({ program: name, configFile: file, here: { env } })
    const [ours, theirs] = [by(program), by()]
    for (const address of ['web', 'db', 'other', 'w.b', 'gw.example.com', '192.0.2.1']) {
      const host = { address, ...inventory }
      // Lists of algorithms are ssh's: without it they are the transport's own.
      const { algorithms, ...rest } = await theirs.settings(host)
      expect({ ...(await ours.settings(host)), algorithms }).toEqual({ algorithms, ...rest })
    }
  })

  it('tells once what it passes over', async () => {
    const warnings: string[] = []
    const { settings } = await configured(
      'CanonicalizeHostname yes\nMatch user me\n  Port 7\nHost *\n  Port 9\n',
      { program, warn: each => warnings.push(each) },
    )
    expect(await settings('web')).toMatchObject({ port: 9 })
    await settings('db')
    expect(warnings).toEqual([
      'there is no OpenSSH program `/no/such/ssh` to read ssh’s configuration: without it, CanonicalizeHostname, Match in it is ignored',
    ])
  })

  it('takes another program of that name for none', async () => {
    const directory = await temporaryDirectory()
    const other = join(directory, 'ssh')
    await writeFile(other, '#!/bin/sh\necho "WARNING: Ignoring unknown option -G" >&2\nexit 1\n')
    await chmod(other, 0o755)
    const { settings } = await configured('Port 7\n', { program: other })
    expect(await settings('web')).toMatchObject({ port: 7 })
  })

  it.each([
    ['Host web\n  IdentityFile "a\n', /config: /],
    ['Include DIR/config\n', /too many Includes/],
    ['Host\n', /config: /],
    ['Match host\n  Port 7\n', /config: /],
  ])('tells a fault: %j', async (text, words) => {
    const { settings } = await configured(text, { program })
    await expect(settings('web')).rejects.toThrow(words)
    await expect(settings('web')).rejects.toMatchObject({ code: 'ssh_config_invalid' })
  })
})
