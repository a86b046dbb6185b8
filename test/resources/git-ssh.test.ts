/** git over ssh, from this machine to a lab host that has the repository. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../../lib/resources/transfer/git.ts'
import { labFor } from '../support/lab.ts'
import { fakePrograms, temporaryDirectory, testHost } from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

const lab = labFor({ hosts: 1 })

test('a key opens the way, and an unknown server is only taken if that is said', {
  tags: ['git', 'openssh-client'],
}, async () => {
  const work = await lab.path('lab1', '/srv/git')
  await lab.read(
    'lab1',
    `mkdir -p '${work}' && cd '${work}' && git init -q -b main app && cd app && echo one >file && git add file &&
     git -c user.name=a -c user.email=a@example.org commit -q -m one`,
  )
  const known = await lab.variables('lab1')
  const directory = await temporaryDirectory()
  // Of this machine's own list of servers nothing is to change.
  const own = join(directory, 'known hosts')
  const path = await fakePrograms(directory, {
    ssh: `exec ${whereIs('ssh')} -F none -o 'UserKnownHostsFile="${own}"' -o GlobalKnownHostsFile=none "$@"`,
  })
  const host = await testHost({ path: [path], env: { SSH_AUTH_SOCK: '' } })
  const { ansible_user: user, ansible_host: address, ansible_port: port } = known
  const remote = `ssh://${user}@${address}:${port}${work}/app`
  const key = known.ansible_ssh_private_key_file!
  const unknown = await host.run(git(host.at('app'), { remote, key }).call)
  expect(unknown.status).toBe('failed')
  expect(String(unknown.stderr)).toContain('Host key verification failed')
  const wanted = git(host.at('app'), { remote, key, acceptNewHostKey: true }).call
  const result = await host.run(wanted)
  expect(result.status, String(result.stderr)).toBe('changed')
  expect(String(await host.read('app/file'))).toBe('one\n')
  expect((await host.run(wanted)).status).toBe('ok')
})
