import { expect, test } from 'vitest'
import { isUnder, mountsToLayer } from '../../../lib/lab/mounts.ts'
import { viewScript } from '../../../lib/lab/overlay.ts'

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /run rw - tmpfs tmpfs rw
25 22 254:1 / /home/a\\040b rw shared:2 master:3 - xfs /dev/vdb rw
26 22 254:0 /x/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw
27 22 0:30 / /tmp/other rw - tmpfs tmpfs rw
28 22 0:31 / /srv/lab/lab1/mount rw - tmpfs tmpfs rw
29 22 0:32 / /srv/cgroup rw - cgroup2 cgroup2 rw
30 22 254:2 / /home rw - ext4 /dev/vdc rw
`

test('overlays every file system of the machine, parents first, and copies single files', () => {
  const mounts = mountsToLayer(mountinfo, path => path !== '/etc/resolv.conf', '/srv/lab')
  expect(mounts).toEqual([
    { path: '/', type: 'layer' },
    { path: '/etc/resolv.conf', type: 'file' },
    { path: '/home', type: 'layer' },
    { path: '/home/a b', type: 'layer' },
  ])
})

test('distinguishes a path below another from one with the same prefix', () => {
  expect(isUnder('/run/x', '/run')).toBe(true)
  expect(isUnder('/run', '/run')).toBe(true)
  expect(isUnder('/runner', '/run')).toBe(false)
  expect(isUnder('/x', '/')).toBe(true)
})

test('shows only the necessary paths in a fresh /tmp', () => {
  const view = { name: 'lab1', mountPoint: '/lab/mount', files: [], hosts: [] }
  const script = viewScript({ ...view, keep: ['/tmp/node 24/bin/node', '/usr/bin/node'] }, [])
  expect(script).toContain("\nbind '/tmp/node 24/bin/node'\n")
  expect(script).not.toContain('bind /usr/bin/node')
})
