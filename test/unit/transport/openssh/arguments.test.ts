import { describe, expect, test } from 'vitest'
import type { SshSettings } from '../../../../lib/transport/config/settings.ts'
import {
  jumpConfig,
  jumpsOf,
  type OpensshCall,
  opensshArguments,
} from '../../../../lib/transport/openssh/arguments.ts'

const target: SshSettings = {
  destination: 'web1',
  address: '10.0.0.1',
  port: 2222,
  user: '-v',
  privateKeyFile: '/keys/100%',
  identityFiles: [],
  identitiesOnly: false,
  userKnownHostsFiles: ['/my known/"hosts"', '/two'],
  globalKnownHostsFiles: [],
  hashKnownHosts: false,
  insecureHostKey: false,
  jumps: [],
  methods: ['publickey'],
  aliveIntervalMs: 15_000,
  aliveCountMax: 3,
  needs: [],
  ignored: [],
}

const call: OpensshCall = {
  socket: '/run/m',
  acceptNew: false,
  hash: false,
  asks: false,
  connectSeconds: 26,
}

const words = (changes: Partial<SshSettings> = {}, more: Partial<OpensshCall> = {}) =>
  opensshArguments({ ...target, ...changes }, { ...call, ...more })

describe('the command line of ssh', () => {
  test('ends with the destination, which can’t be an option', () => {
    expect(words().slice(-7)).toEqual(['/keys/100%%', '-l', '-v', '-p', '2222', '--', 'web1'])
  })

  test('quotes file names', () => {
    expect(words()).toContain('-oUserKnownHostsFile="/my known/\\"hosts\\"" "/two"')
    expect(words()).toContain('-oGlobalKnownHostsFile=none')
  })

  test.each([
    [{}, {}, 'yes'],
    [{}, { acceptNew: true }, 'accept-new'],
    [{ insecureHostKey: true }, { acceptNew: true }, 'no'],
  ])('checks host keys: %o %o', (changes, more, checking) => {
    expect(words(changes, more)).toContain(`-oStrictHostKeyChecking=${checking}`)
  })

  test('saves no keys if keys are not checked', () => {
    const known = words({ insecureHostKey: true }).find(word => word.startsWith('-oUserKnown'))
    expect(known).toMatch(/^-oUserKnownHostsFile="\/dev\/null" /)
  })

  test('disables prompts if nobody can answer', () => {
    expect(words()).toContain('-oBatchMode=yes')
    expect(words({}, { asks: true })).toContain('-oBatchMode=no')
  })

  test('includes another configuration file and the jump hosts', () => {
    const found = words({ jumps: ['a', 'b'] }, { configFile: 'none' })
    expect(found.slice(0, 2)).toEqual(['-F', 'none'])
    expect(found).toContain('-oProxyJump=a,b')
    expect(words({ jumps: ['a'] }, { jumps: ['x'] })).toContain('-oProxyJump=x')
  })
})

describe('the configuration for jump hosts', () => {
  test('puts the inventory’s settings for each host first', () => {
    const hop = { ...target, destination: 'jump', user: 'ada', userKnownHostsFiles: ['/known'] }
    expect(jumpsOf([hop])).toEqual(['ada@jump'])
    const text = jumpConfig([hop], { acceptNew: false, configFile: '/my config' })
    expect(text).toBe(`Host jump
  HostName 10.0.0.1
  Port 2222
  IdentityFile "/keys/100%%"
  UserKnownHostsFile "/known"
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  NoHostAuthenticationForLocalhost no
  VerifyHostKeyDNS no
Host *
  StrictHostKeyChecking yes
  NoHostAuthenticationForLocalhost no
  VerifyHostKeyDNS no
  LogLevel ERROR
  PermitLocalCommand no
  UpdateHostKeys no
Include "/my config"
`)
  })

  test('continues with ssh’s own files, or with none', () => {
    expect(jumpConfig([], { acceptNew: false })).toMatch(
      /Include ~\/\.ssh\/config\nInclude \/etc\/ssh\/ssh_config\n$/,
    )
    expect(jumpConfig([], { acceptNew: false, configFile: 'none' })).not.toContain('Include')
  })
})
