/**
 * sysctl against the kernel, with the keys of a network namespace: the integers among them are files of which
 * dash's `read` gets one byte. Before, only a key that holds a string was tested, whose file `read` gets whole.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring, type ResourceCase, resourceTable } from '../support/resource-table.ts'
import { anyShell, shells } from '../support/shells.ts'

const enter = ['nsenter', '--net=/run/hw-net'] as const

/** An overlay host with a network of its own, which has an interface with a dot in its name. */
function networkHost(): ResourceHost {
  const host = overlayHost()
  const script = (text: string, at: string) =>
    host.script(`${enter.join(' ')} sh -ec '${text.replaceAll("'", `'\\''`)}'`, at)
  beforeAll(async () => {
    await host.script('touch /run/hw-net; unshare --net=/run/hw-net true', '/')
    await script('ip link set lo name eth0.100', '/')
  })
  return {
    ...host,
    script,
    transport: shell => host.transport({ ...shell, command: [...enter, ...shell.command] }),
  }
}

const set = (values: Record<string, string | number>) => () => sysctl('60-hw', { set: values })
const cleanup = 'rm /etc/sysctl.d/60-hw.conf'
// What sysctl(8) makes of the file must be what is live already.
const asRead = `for key in $(sed "s/ = .*//" /etc/sysctl.d/60-hw.conf); do sysctl -n "$key"; done >before
sysctl -q -p /etc/sysctl.d/60-hw.conf
for key in $(sed "s/ = .*//" /etc/sysctl.d/60-hw.conf); do sysctl -n "$key"; done | cmp - before`

const cases: ResourceCase[] = [
  {
    name: 'an integer whose first digit is that of another',
    given: 'sysctl -q -w net.core.somaxconn=60',
    wanted: set({ 'net.core.somaxconn': 6 }),
    holds: `${asRead}; [ "$(sysctl -n net.core.somaxconn)" = 6 ]`,
    drift: ['sysctl -q -w net.core.somaxconn=4096', 'sysctl -q -w net.core.somaxconn=61'],
    note: 'created, live net/core/somaxconn',
    cleanup,
  },
  {
    name: 'several integers in one key, and several keys',
    wanted: set({
      'net.ipv4.tcp_rmem': '4096  87380 6291456',
      'net.core.somaxconn': 4096,
      'net.ipv4.tcp_keepalive_time': '600',
    }),
    holds: `${asRead}; [ "$(cat /proc/sys/net/ipv4/tcp_rmem)" = "$(printf "4096\\t87380\\t6291456")" ]`,
    drift: ['echo "4096 87380 6291457" >/proc/sys/net/ipv4/tcp_rmem'],
    cleanup,
  },
  {
    name: 'spellings that the kernel reads otherwise than it writes them',
    wanted: set({
      'net.ipv4.tcp_keepalive_probes': '0x1f',
      'net.ipv4.tcp_retries1': '05',
      'net.ipv4.ip_local_reserved_ports': '9000,8081,8080',
      'net.ipv4.tcp_wmem': 5000,
    }),
    holds: `${asRead}; [ "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)" = 8080-8081,9000 ]
[ "$(cat /proc/sys/net/ipv4/tcp_keepalive_probes)" = 31 ]`,
    drift: ['echo 8080 >/proc/sys/net/ipv4/ip_local_reserved_ports'],
    cleanup,
  },
  {
    name: 'an interface whose name holds a dot',
    wanted: set({
      'net.ipv4.conf.eth0.100.forwarding': 1,
      'net/ipv4/conf/eth0.100/rp_filter': 2,
      'net.ipv4.conf.eth0/100.log_martians': 1,
    }),
    holds: `${asRead}; cat before; [ "$(cat /proc/sys/net/ipv4/conf/eth0.100/forwarding)" = 1 ]
[ "$(cat /proc/sys/net/ipv4/conf/eth0.100/log_martians)" = 1 ]`,
    drift: ['echo 0 >/proc/sys/net/ipv4/conf/eth0.100/rp_filter'],
    cleanup,
  },
]

const anywhere = shells.filter(({ name }) => ['dash', 'bash', 'busybox sh', 'mksh'].includes(name))

describe('keys of the kernel that hold integers', { tags: ['overlay', 'ip'] }, () => {
  resourceTable('sysctl', cases, { host: networkHost, shells: [anyShell] })
  resourceTable(
    'sysctl',
    cases.map(each => ({ ...each, drift: [] })),
    { host: networkHost, shells: anywhere.filter(shell => shell !== anyShell) },
  )
})

describe('a key that is set', { tags: ['overlay', 'ip'] }, () => {
  const host = networkHost()

  test('takes others with it, which are looked at again', async () => {
    const at = await host.directory()
    await host.script('sysctl -q -w net.ipv4.ip_forward=0', at)
    const { notes } = await bring(host, anyShell, at, [
      sysctl('61-hw', { set: { 'net.ipv4.ip_forward': 1 } }),
      sysctl('62-hw', { set: { 'net.ipv4.conf.eth0.100.forwarding': 1 } }),
    ])
    expect(notes).toEqual(['created, live net/ipv4/ip_forward', 'created'])
  })

  test('fails where the kernel makes another number of it', async () => {
    const at = await host.directory()
    const { error } = await bring(host, anyShell, at, set({ 'net.core.somaxconn': -1 })())
    expect(`${error?.output} ${error?.message}`).toMatch(/-1 for net\/core\/somaxconn/)
  })
})
