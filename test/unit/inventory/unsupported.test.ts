import { describe, expect, test } from 'vitest'
import { byName, withJumps } from '../../../lib/inventory/jumps.ts'
import { refuseUnsupported, selectHosts } from '../../../lib/inventory/pattern.ts'
import { readInventory } from '../../support/inventory.ts'

const read = (text: string) => readInventory(text, { file: 'hosts.ini', environment: 'x' })

/** Selects hosts as commands do. */
function select(text: string, pattern: string) {
  const inventory = read(text)
  const hosts = selectHosts(inventory, pattern)
  refuseUnsupported(inventory, withJumps(hosts, byName(inventory)))
  return hosts.map(({ name }) => name)
}

// Each was read as a fault of the whole file.
describe.each([
  ['a connection', 'ansible_connection=winrm', /winrm/],
  ['a network connection', 'ansible_connection=network_cli ansible_network_os=ios', /network_cli/],
  ['a way to become another user', 'ansible_become=yes ansible_become_method=enable', /enable/],
  ['a templated password', 'ansible_password="{{ vault_win }}"', /ansible_password/],
  ['a templated address', 'ansible_host="{{ ip }}"', /ansible_host/],
  ['a templated user', 'ansible_user="{{ u }}"', /ansible_user/],
  ['a port that is none', 'ansible_port=winrm', /port/],
  ['a passphrase in the inventory', 'ansible_ssh_private_key_passphrase=x', /passphrase/],
  [
    'a templated connection',
    'ansible_connection="{{ how }}"',
    /connection of odd1: 'how' is undefined/,
  ],
  [
    'a templated method',
    'ansible_become_method="{{ m }}"',
    /become_method of odd1: 'm' is undefined/,
  ],
  ['a templated become', 'ansible_become="{{ b }}"', /become of odd1: 'b' is undefined/],
  ['a templated port', 'ansible_port="{{ p }}"', /port of odd1: 'p' is undefined/],
  ['a templated timeout', 'ansible_timeout="{{ t }}"', /timeout of odd1: 't' is undefined/],
  [
    'a templated key',
    'ansible_ssh_private_key_file="{{ d }}/id"',
    /key_file of odd1: 'd' is undefined/,
  ],
  [
    'a statement as its address',
    'ansible_host="{% if a %}b{% endif %}"',
    /host of odd1: 'a' is undefined/,
  ],
  ['the shell of Windows', 'ansible_shell_type=powershell', /powershell/],
  ['containers of another machine', 'ansible_docker_host=tcp://10.0.0.1:2376', /docker_host/],
  ['a home of another user', 'ansible_ssh_private_key_file=~bob/k', /private_key_file|~bob/],
])('a host with %s that is not supported', (_, setting, reason) => {
  const text = `[web]\nweb1\n\n[odd]\nodd1 ${setting}\nodd2 ${setting}\n`

  test('leaves the others as they are', () => {
    expect(select(text, 'web')).toEqual(['web1'])
    expect(select(text, 'all:!odd')).toEqual(['web1'])
  })

  test('is refused when it is selected', () => {
    expect(() => select(text, 'odd1')).toThrow(reason)
    expect(() => select(text, 'all')).toThrow(/one more host/)
  })

  test('is listed with its groups', () => {
    expect(selectHosts(read(text), 'odd2')).toMatchObject([{ name: 'odd2', groups: ['odd'] }])
  })
})

test('a setting of a group that is not supported spares the hosts that override it', () => {
  const text = '[win]\nw1\nw2 ansible_connection=ssh\n[win:vars]\nansible_connection=winrm\n'
  expect(select(text, 'w2')).toEqual(['w2'])
  expect(() => select(text, 'w1')).toThrow('winrm')
})

test('a setting of all hosts that is not supported is refused for the implicit localhost only when it is meant', () => {
  const text = 'web1 ansible_become_method=sudo\n[all:vars]\nansible_become_method=enable\n'
  expect(select(text, 'web1')).toEqual(['web1'])
  expect(() => select(text, 'localhost')).toThrow('enable')
  expect(() => select(text, '127.0.0.1')).toThrow('enable')
})

test('a jump host that is not supported is refused with the host behind it', () => {
  const text = 'web1 proxy_jump=bastion\nbastion ansible_connection=winrm\n'
  expect(() => select(text, 'web1')).toThrow('winrm')
})

test('a template that nothing uses does no harm', () => {
  const passwords = 'ansible_password="{{ p }}" ansible_become_password="{{ q }}"'
  const { hosts } = read(`box ansible_connection=local ${passwords}\nweb ansible_become_pass={{q}}`)
  expect(hosts[0]).toMatchObject({ connection: 'local', become: undefined, password: undefined })
  expect(select(`box ansible_connection=local ${passwords}`, 'box')).toEqual(['box'])
  expect(select('web ansible_become_pass={{q}}', 'web')).toEqual(['web'])
})

test('how the hosts are reached is nothing to the implicit localhost, which has their variables', () => {
  const text =
    'w\n[all:vars]\nansible_connection=winrm\nansible_port=x\nansible_host="{{ h }}"\nansible_password="{{ p }}"\n'
  expect(select(text, 'localhost')).toEqual(['localhost'])
  expect(selectHosts(read(text), 'localhost')).toMatchObject([
    { connection: 'local', address: '127.0.0.1', vars: { ansible_connection: 'winrm' } },
  ])
})
