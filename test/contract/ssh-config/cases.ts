/** Configurations, and the resulting settings of a host. */
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../../lib/inventory/inventory.ts'
import type { SshSettings } from '../../../lib/transport/config/settings.ts'
import { home, type Texts, username } from './configured.ts'

export interface Case {
  title: string
  config: Texts | string
  host?: string
  inventory?: Partial<Host>
  expected: Partial<SshSettings>
  /**
   * `ProxyJump none` before a ProxyCommand. Whether ssh runs that command then has changed from one patch
   * of a distribution to the next, so ssh is asked: see `noneLeavesCommand`.
   */
  noneThenCommand?: boolean
}

/** Without Match and settings that need ssh: the parser must agree on these. */
export const plain: readonly Case[] = [
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
    title: 'the inventory’s values take precedence',
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
    title: 'names are case-sensitive, keywords are not',
    config: 'hOST WEB\n  pORT 7\nHOST web\n  USER ops\n',
    expected: { port: 22, user: 'ops' },
  },
  {
    title: 'separators, quotes, comments, carriage returns',
    config:
      '# Host web\nHost = "web"\r\n\tUser="ops"\r\n  Port=7\n  IdentityFile "~/my key"\n  HostName\tw.example.com\n',
    expected: {
      user: 'ops',
      port: 7,
      address: 'w.example.com',
      identityFiles: [join(home, 'my key')],
    },
  },
  {
    title: 'several identity files in order, with none among them',
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
    title: 'known hosts with tokens; none',
    config: 'UserKnownHostsFile ~/known_%h_%%\nGlobalKnownHostsFile none\n',
    expected: { userKnownHostsFiles: [join(home, 'known_web_%')], globalKnownHostsFiles: [] },
  },
  {
    title: 'times in all units',
    config: 'ConnectTimeout 1m30s\nServerAliveInterval 1m\nServerAliveCountMax 2\n',
    expected: { connectTimeoutMs: 90_000, aliveIntervalMs: 60_000, aliveCountMax: 2 },
  },
  {
    title: 'its own agent',
    config: 'IdentityAgent "~/my agent"\n',
    expected: { agent: join(home, 'my agent') },
  },
  { title: 'no agent', config: 'IdentityAgent none\n', expected: { agent: undefined } },
  {
    title: 'the agent from a variable',
    config: 'Host web\n  IdentityAgent $OTHER\n',
    expected: { agent: '/run/other' },
  },
  {
    title: 'the usual agent by its name',
    config: 'IdentityAgent SSH_AUTH_SOCK\nHost *\n  IdentityAgent none\n',
    expected: { agent: '/run/agent' },
  },
  {
    title: 'jump hosts',
    config: 'Host web\n  ProxyJump ops@gw:2222,[::1]:44,in\n',
    expected: { jumps: ['ops@gw:2222', '[::1]:44', 'in'] },
  },
  {
    title: 'no jump host for one host',
    config: 'Host web\n  ProxyJump none\nHost *\n  ProxyJump gw\n',
    expected: { jumps: [] },
  },
  {
    title: 'the first of ProxyJump and ProxyCommand counts: the jump',
    config: 'ProxyJump gw\nProxyCommand nc %h %p\n',
    expected: { jumps: ['gw'], needs: [] },
  },
  {
    title: 'the first of ProxyJump and ProxyCommand counts: the command',
    config: 'ProxyCommand nc %h %p\nProxyJump gw\n',
    expected: { jumps: [], needs: ['ProxyCommand'] },
  },
  {
    title: 'the inventory’s jump host takes precedence over a ProxyCommand',
    config: 'ProxyCommand nc %h %p\n',
    inventory: { proxyJump: 'a,b' },
    expected: { jumps: ['a', 'b'], needs: [] },
  },
  {
    title: 'without a jump host a ProxyCommand applies, as with ssh -J none',
    noneThenCommand: true,
    config: 'ProxyJump none\nProxyCommand nc %h %p\n',
    inventory: { proxyJump: 'none' },
    expected: { jumps: [], needs: ['ProxyCommand'] },
  },
  {
    title: 'the first of several ProxyJump counts, even if it is none',
    noneThenCommand: true,
    config: 'ProxyJump none\nProxyJump gw\nProxyCommand nc %h %p\n',
    inventory: { proxyJump: 'none' },
    expected: { jumps: [], needs: ['ProxyCommand'] },
  },
  {
    title: 'login methods',
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
    title: 'IPv6 only, with an address',
    config: 'AddressFamily inet6\nHost 2001:db8::1\n  Port 7\n',
    host: '2001:db8::1',
    expected: { address: '2001:db8::1', port: 7, addressFamily: 6 },
  },
  {
    title: 'host key checking can’t be turned off',
    config:
      'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nNoHostAuthenticationForLocalhost yes\nVerifyHostKeyDNS yes\n',
    host: 'localhost',
    expected: { insecureHostKey: false, userKnownHostsFiles: ['/dev/null'], needs: [] },
  },
]

/** Configurations that only ssh can evaluate. */
export const sshOnly: readonly Case[] = [
  {
    title: 'Match host, after HostName',
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
    title: 'Match user from the inventory',
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
    title: 'Match final, after everything else',
    config: 'Match final host web.example.com\n  Port 7\nHost web\n  HostName web.example.com\n',
    expected: { port: 7 },
  },
  {
    title: 'algorithms as full lists and as differences',
    config:
      'Ciphers aes256-ctr,aes128-ctr\nMACs +hmac-md5\nKexAlgorithms -curve25519-sha256@libssh.org\n',
    expected: { needs: [] },
  },
]

/** The expected settings. */
export const fields = (settings: SshSettings, expected: Partial<SshSettings>) =>
  Object.fromEntries(Object.keys(expected).map(key => [key, settings[key as keyof SshSettings]]))
