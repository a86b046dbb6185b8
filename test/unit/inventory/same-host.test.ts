import { expect, test } from 'vitest'
import { refuseSameHost } from '../../../lib/inventory/same-host.ts'
import { parseInventory } from '../../support/inventory.ts'

const check = (text: string) =>
  refuseSameHost(parseInventory(text, { file: 'hosts.ini', environment: 'x' }).hosts)

test.each([
  ['one address', 'a ansible_host=192.0.2.1\nb ansible_host=192.0.2.1\n'],
  ['a name and an address', '192.0.2.1\nb ansible_host=192.0.2.1\n'],
  ['a name with a dot at its end', 'a ansible_host=web.example.\nb ansible_host=web.example\n'],
  ['an IPv6 address in two spellings', 'a host=2001:db8::1\nb host=2001:DB8:0:0::1\n'],
  ['one jump host', 'a host=h proxy_jump=j\nb host=h proxy_jump=j\n'],
  ['one chroot', 'a connection=chroot host=/srv/a/\nb connection=chroot host=/srv/a\n'],
  ['a name in other letters', 'a ansible_host=Web.example\nb ansible_host=web.EXAMPLE\n'],
  [
    'a port that is the default',
    'a ansible_host=192.0.2.1\nb ansible_host=192.0.2.1:22 ansible_port=22 ansible_host=192.0.2.1\n',
  ],
  [
    'other users',
    'a ansible_host=192.0.2.1 ansible_user=x\nb ansible_host=192.0.2.1 ansible_user=y\n',
  ],
  ['this machine', 'a ansible_connection=local\nb ansible_connection=local\n'],
  [
    'one container',
    'a ansible_connection=docker ansible_host=c\nb ansible_connection=docker ansible_host=c\n',
  ],
])('two names of one host are refused: %s', (_, text) => {
  expect(() => check(text)).toThrow(/ are both /)
})

test.each([
  ['other ports', 'a ansible_host=192.0.2.1\nb ansible_host=192.0.2.1 ansible_port=2222\n'],
  [
    'other directories for their locks',
    'a ansible_connection=local bootstrap_dir=/a\nb ansible_connection=local bootstrap_dir=/b\n',
  ],
  // Private addresses are the same in every data centre.
  ['other jump hosts', 'a host=10.0.0.1 proxy_jump=eu\nb host=10.0.0.1 proxy_jump=us\n'],
  ['other ssh configurations', 'a host=h ssh_config_file=/a\nb host=h ssh_config_file=/b\n'],
  ['other roots', 'a ansible_connection=local root=/a\nb ansible_connection=local root=/b\n'],
  [
    'other connections',
    'a ansible_connection=docker ansible_host=c\nb ansible_connection=podman ansible_host=c\n',
  ],
])('hosts are different ones by %s', (_, text) => {
  expect(() => check(text)).not.toThrow()
})
