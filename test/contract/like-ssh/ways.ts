/** Rows about where a host is: names, configuration blocks, jump hosts, and routes that lead nowhere. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { makeKey } from '../../support/ssh-keys.ts'
import { freePort, hostBlock, type Sshd } from '../../support/sshd.ts'
import { authorize } from './logins.ts'
import { type Attempt, type Row, refused, type Servers, works } from './row.ts'

/** A target and its jump hosts, which are separate servers. */
const behind =
  (
    jump: (jumps: { first: Sshd; second: Sshd; target: Sshd }) =>
      | {
          config: string
          through?: Sshd[]
        }
      | Promise<{ config: string; through?: Sshd[] }>,
    changes: { allowsTcp?: boolean } = {},
  ) =>
  async (servers: Servers): Promise<Attempt> => {
    const lines = [
      'MaxSessions 20',
      `AllowTcpForwarding ${changes.allowsTcp === false ? 'no' : 'yes'}`,
    ]
    const first = await servers.sshd({ config: lines })
    const second = await servers.sshd({ config: ['MaxSessions 21'] })
    return jump({ first, second, target: await servers.sshd() })
  }

/** The configuration of a plain server, changed. */
const plain =
  (change: (sshd: Sshd, servers: Servers) => string | Promise<string>) =>
  async (servers: Servers): Promise<Attempt> => ({
    config: await change(await servers.sshd(), servers),
  })

/** A block without name, user and port: the rest of one. */
const trust = (sshd: Sshd, pattern: string) =>
  hostBlock(pattern, [`IdentityFile ${sshd.key.file}`], sshd.knownHosts)

/** A port that does something with connections, for one test. */
async function listen(taken: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    taken(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const at = (port: number, lines: readonly string[] = []) =>
  hostBlock('target', ['HostName 127.0.0.1', `Port ${port}`, ...lines], 'none')

export const ways: readonly Row[] = [
  works(
    'an alias with HostName, User and Port',
    plain(sshd => sshd.sshConfig('target')),
  ),
  works(
    'the same through Include',
    plain(async (sshd, { file }) => {
      const included = await file('included', sshd.sshConfig('target'))
      return `Include ${included}\n`
    }),
  ),
  works(
    'through Include within a block',
    plain(async (sshd, { file }) => {
      const lines = ['HostName', 'Port', 'User'].map(
        (word, index) => `${word} ${[sshd.address, sshd.port, sshd.user][index]}\n`,
      )
      const included = await file('included', lines.join(''))
      return `Host other\n  User nobody-of-us\nHost tar*\n  Include ${included}\n${trust(sshd, '*')}`
    }),
  ),
  works(
    'through Match host',
    plain(
      sshd =>
        `Match host target\n  HostName ${sshd.address}\n  Port ${sshd.port}\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'through Match originalhost and user',
    plain(
      sshd =>
        `Match originalhost target user ${sshd.user}\n  HostName ${sshd.address}\n  Port ${sshd.port}\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'through Match exec',
    plain(
      sshd =>
        `Match host target exec "test %n = target"\n  HostName ${sshd.address}\n  Port ${sshd.port}\n${trust(sshd, '*')}`,
    ),
  ),
  refused(
    'through Match exec that fails',
    'connect_failed',
    plain(
      async sshd =>
        `Match host target exec false\n  Port ${sshd.port}\nHost target\n  HostName ${sshd.address}\n  Port ${await freePort(sshd.address)}\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'through Match final',
    plain(
      sshd =>
        `Match final host ${sshd.address}\n  Port ${sshd.port}\nHost target\n  HostName ${sshd.address}\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'wildcards; the first value of a keyword counts',
    plain(
      sshd =>
        `Host tar???\n  HostName ${sshd.address}\nHost t*\n  Port ${sshd.port}\nHost *\n  Port 1\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'a pattern that excludes the host',
    plain(sshd => `Host * !target\n  Port 1\n${sshd.sshConfig('target')}`),
  ),
  works('HostName with a token', async servers => {
    const sshd = await servers.sshd()
    const name = sshd.address.split('.').at(-1)!
    const front = sshd.address.slice(0, -name.length)
    const lines = [`HostName ${front}%h`, `Port ${sshd.port}`, `IdentityFile ${sshd.key.file}`]
    return { alias: name, config: hostBlock(name, lines, sshd.knownHosts) }
  }),
  works(
    'values with =, quotes and different case',
    plain(
      sshd =>
        `HOST=target\n  hostname = "${sshd.address}"\n  PORT=${sshd.port}\n  user "${sshd.user}"\n  identityfile="${sshd.key.file}"\n${trust(sshd, '*')}`,
    ),
  ),
  works(
    'tokens in IdentityFile and UserKnownHostsFile',
    plain(async (sshd, { file }) => {
      const known = await file('known-target', sshd.knownHostsText)
      const key = await file(`key-${sshd.user}`, await readFile(sshd.key.file, 'utf8'))
      return sshd.sshConfig('target', [
        `IdentityFile ${key.slice(0, -sshd.user.length)}%r`,
        `UserKnownHostsFile ${known.replace(/target$/, '')}%n`,
      ])
    }),
  ),
  works(
    'Compression',
    plain(sshd => sshd.sshConfig('target', ['Compression yes'])),
  ),
  works(
    'BindAddress',
    plain(sshd => sshd.sshConfig('target', ['BindAddress 127.0.0.1'])),
  ),
  works(
    'ServerAliveInterval',
    plain(sshd => sshd.sshConfig('target', ['ServerAliveInterval 1'])),
  ),
  works(
    'RemoteCommand none, RequestTTY no',
    plain(sshd => sshd.sshConfig('target', ['RemoteCommand none', 'RequestTTY no'])),
  ),
  works(
    'SendEnv and SetEnv',
    plain(sshd => sshd.sshConfig('target', ['SendEnv LANG', 'SetEnv HW_ANY=thing'])),
  ),
  works(
    'a keyword listed in IgnoreUnknown',
    plain(sshd => `IgnoreUnknown UseKeychain\nUseKeychain yes\n${sshd.sshConfig('target')}`),
  ),
  refused(
    'an unknown keyword',
    'ssh_config_invalid',
    plain(sshd => `UseKeychain yes\n${sshd.sshConfig('target')}`),
  ),

  works(
    'a jump host',
    behind(({ first, target }) => ({
      config: first.sshConfig('first') + target.sshConfig('target', ['ProxyJump first']),
      through: [first],
    })),
  ),
  works(
    'two jump hosts',
    behind(({ first, second, target }) => ({
      config:
        first.sshConfig('first') +
        second.sshConfig('second') +
        target.sshConfig('target', ['ProxyJump first,second']),
      through: [first, second],
    })),
  ),
  works(
    'a jump host behind a jump host',
    behind(({ first, second, target }) => ({
      config:
        first.sshConfig('first') +
        second.sshConfig('second', ['ProxyJump first']) +
        target.sshConfig('target', ['ProxyJump second']),
      through: [first, second],
    })),
  ),
  works(
    'a jump host by user, address and port',
    behind(({ first, target }) => ({
      config:
        target.sshConfig('target', [`ProxyJump ${first.user}@${first.address}:${first.port}`]) +
        trust(first, first.address),
      through: [first],
    })),
  ),
  works(
    'a jump host as a URL',
    behind(({ first, target }) => ({
      config:
        target.sshConfig('target', [
          `ProxyJump ssh://${first.user}@${first.address}:${first.port}`,
        ]) + trust(first, first.address),
      through: [first],
    })),
  ),
  works(
    'a jump host with its own key',
    behind(async ({ first, target }) => {
      const key = await authorize(first, await makeKey())
      return {
        config:
          first.sshConfig('first', [`IdentityFile ${key.file}`]) +
          target.sshConfig('target', ['ProxyJump first']),
        through: [first],
      }
    }),
  ),
  works(
    'ProxyJump none before the general one',
    behind(({ target }) => ({
      config: `${target.sshConfig('target', ['ProxyJump none'])}Host *\n  ProxyJump nowhere.invalid\n`,
    })),
  ),
  works(
    'a jump host for all hosts but itself',
    behind(({ first, target }) => ({
      config: `Host * !first\n  ProxyJump first\n${first.sshConfig('first')}${target.sshConfig('target')}`,
      through: [first],
    })),
  ),
  works(
    'ProxyCommand',
    behind(async ({ first, target }) => {
      const config = await first.writeConfig(first.sshConfig('first'))
      return {
        config: target.sshConfig('target', [`ProxyCommand ssh -F ${config} -W %h:%p first`]),
        through: [first],
      }
    }),
  ),
  works(
    'ProxyCommand none before the general one',
    behind(({ target }) => ({
      config: `${target.sshConfig('target', ['ProxyCommand none'])}Host *\n  ProxyCommand false\n`,
    })),
  ),
  refused(
    'ProxyCommand that fails',
    'connect_failed',
    plain(sshd => sshd.sshConfig('target', ['ProxyCommand false'])),
  ),
  refused(
    'an unreachable jump host',
    'connect_failed',
    behind(async ({ first, target }) => ({
      config:
        first.sshConfig('first', [`Port ${await freePort(first.address)}`]) +
        target.sshConfig('target', ['ProxyJump first']),
    })),
  ),
  refused(
    'a jump host that accepts none of our keys',
    'auth_failed',
    behind(async ({ first, target }) => ({
      config:
        first.sshConfig('first', [`IdentityFile ${(await makeKey()).file}`]) +
        target.sshConfig('target', ['ProxyJump first']),
    })),
  ),
  refused(
    'a jump host whose key is not known',
    'host_key_unknown',
    behind(({ first, target }) => ({
      config:
        first.sshConfig('first', ['UserKnownHostsFile none']) +
        target.sshConfig('target', ['ProxyJump first']),
    })),
  ),
  refused(
    'a jump host that forbids forwarding',
    'connect_failed',
    behind(
      ({ first, target }) => ({
        config: first.sshConfig('first') + target.sshConfig('target', ['ProxyJump first']),
      }),
      { allowsTcp: false },
    ),
  ),
  refused(
    'a closed port behind a jump host',
    'connect_failed',
    behind(async ({ first, target }) => ({
      config:
        first.sshConfig('first') +
        target.sshConfig('target', ['ProxyJump first', `Port ${await freePort(target.address)}`]),
    })),
  ),
  refused(
    'a host whose key is not known behind a jump host',
    'host_key_unknown',
    behind(({ first, target }) => ({
      config:
        first.sshConfig('first') +
        target.sshConfig('target', ['ProxyJump first', 'UserKnownHostsFile none']),
    })),
  ),

  refused('a closed port', 'connect_failed', async () => ({
    config: at(1),
  })),
  refused('a name that does not resolve', 'connect_failed', async () => ({
    config: hostBlock('target', ['HostName nowhere.invalid'], 'none'),
  })),
  refused('a server that never speaks, ConnectTimeout', 'handshake_timeout', async () => ({
    config: at(await listen(socket => socket.resume()), ['ConnectTimeout 1']),
  })),
  refused('something else than SSH', 'connect_failed', async () => ({
    config: at(await listen(socket => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
  })),
]
