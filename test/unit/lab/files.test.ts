import { expect, test } from 'vitest'
import { bootstrapIni, hostsIni, knownHosts } from '../../../lib/lab/inventory-files.ts'
import { createKeyPair, keyData } from '../../../lib/lab/keys.ts'
import { breakHeartbeat } from '../../../lib/lab/releases.ts'
import { parseVersion, sshdConfig } from '../../../lib/lab/sshd.ts'

const place = { address: '127.77.1.1', port: 2222, deepfilerPort: 8700 }

test('writes a host line with everything recipes need, quoted as in a shell', () => {
  const text = hostsIni({
    hosts: [{ ...place, name: 'lab1', root: "/tmp/it's a lab/lab1/root" }],
    user: 'root',
    privateKey: '/tmp/key',
    knownHosts: '/tmp/known_hosts',
    node: '/usr/bin/node',
  })
  const [, group, line] = text.split('\n')
  expect(group).toBe('[lab]')
  expect(line).toBe(
    'lab1 ansible_host=127.77.1.1 ansible_port=2222 ansible_user=root ' +
      'ansible_ssh_private_key_file=/tmp/key known_hosts_file=/tmp/known_hosts ' +
      'node=/usr/bin/node deepfiler_address=127.77.1.1 deepfiler_port=8700 ' +
      `root='/tmp/it'"'"'s a lab/lab1/root' bootstrap_dir='/tmp/it'"'"'s a lab/lab1/root/var/bootstrap'`,
  )
})

test('leaves out root if a host has its own view of the file system', () => {
  const files = { privateKey: '/k', knownHosts: '/h', node: '/n' }
  const text = hostsIni({ hosts: [{ ...place, name: 'lab1' }], user: 'root', ...files })
  expect(text).not.toMatch(/ root=|bootstrap_dir=/)
  expect(text).toContain(' haproxy_bind=127.77.1.1:8000 haproxy_backends=127.77.1.1:8700\n')
})

test('lists hosts in known_hosts by address, with the port only if it is not 22', () => {
  const key = 'ssh-ed25519 AAAA lab1'
  expect(knownHosts([place, { ...place, port: 22 }], [key, key])).toBe(
    '[127.77.1.1]:2222 ssh-ed25519 AAAA\n127.77.1.1 ssh-ed25519 AAAA\n',
  )
})

test('offers haproxy only if installing packages does not affect the machine', () => {
  expect(bootstrapIni('overlay')).toMatch(/\[role:web\]\nproducts = haproxy, deepfiler, appstack/)
  expect(bootstrapIni('directory')).not.toContain('haproxy')
})

test('generates key pairs that all work', () => {
  // ssh2 alone spoils one pair in 256.
  for (let count = 0; count < 600; count++) {
    const data = Buffer.from(keyData(createKeyPair('x').public), 'base64')
    expect(data.length).toBe(51)
  }
})

test('breaks the heartbeat, or reports that there is nothing to break', () => {
  expect(breakHeartbeat("const health = { status: 'ok', code: 200 }")).toBe(
    "const health = { status: 'failing', code: 503 }",
  )
  expect(() => breakHeartbeat('')).toThrow('to break')
})

const options = {
  address: '127.77.1.1',
  port: 2222,
  user: 'root',
  hostKey: '/a lab/host_key',
  authorizedKeys: '/a lab/100%/keys',
  mark: '/a lab/lab1',
}

test('writes an sshd config with spaces and percent signs', () => {
  const lines = sshdConfig({ ...options, version: 902 }).split('\n')
  expect(lines).toContain('HostKey "/a lab/host_key"')
  expect(lines).toContain('AuthorizedKeysFile "/a lab/100%%/keys"')
  expect(lines).toContain('SetEnv "HOSTWRIGHT_LAB_HOST=/a lab/lab1" SHLVL=1')
})

test('switches penalties off in the versions of sshd that have them', () => {
  expect(sshdConfig({ ...options, version: 907 })).not.toContain('PerSourcePenalties')
  expect(sshdConfig({ ...options, version: 1000 })).toContain('PerSourcePenalties no')
})

test('reads the version of sshd, even from an error message', () => {
  expect(parseVersion('OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19')).toBe(902)
  expect(parseVersion('unknown option -- V\nOpenSSH_8.9p1 Ubuntu-3, OpenSSL')).toBe(809)
  expect(parseVersion('OpenSSH_10.0p2, OpenSSL')).toBe(1000)
  expect(parseVersion('')).toBe(0)
})
