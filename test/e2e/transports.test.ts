/** Which SSH a run takes, as the command line and ssh's configuration have it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'

// The system's ssh comes with sshd on all systems that we know.
describe('the system’s ssh', { tags: ['sshd'] }, () => {
  const lab = labFor({ hosts: 3, server: 'openssh' })
  const hello = (...options: string[]) =>
    lab.run(['exec', '--on', 'lab', ...options, '--', 'echo', 'hello'])
  const said = ['lab1 | hello', 'lab2 | hello', 'lab3 | hello']
  const sorted = (text: string) => text.trim().split('\n').sort()

  test('runs a command if requested, without a message', async () => {
    const { status, stdout, stderr } = await hello('--transport', 'openssh')
    expect([status, stderr, sorted(stdout)]).toEqual([0, '', said])
  })

  describe('with a ProxyCommand', () => {
    const proxied = async () => {
      const file = join(lab.scratch, 'ssh_config')
      const relay = `process.stdin.pipe(require('net').connect(%p,'%h')).pipe(process.stdout)`
      await writeFile(file, `Host *\n  ProxyCommand ${process.execPath} -e "${relay}"\n`)
      return file
    }

    test('is chosen automatically, with one line that says why, however many hosts there are', async () => {
      const { status, stdout, stderr } = await hello('--ssh-config', await proxied())
      expect([status, sorted(stdout)]).toEqual([0, said])
      expect(stderr.match(/ProxyCommand/g)).toHaveLength(1)
      expect(stderr).toMatch(
        /lab\d and hosts like it are reached by the system’s ssh: it needs ProxyCommand/,
      )
    })

    test('is required: hostwright’s own SSH refuses the host', async () => {
      const { status, stdout, stderr } = await hello(
        ...['--ssh-config', await proxied(), '--transport', 'ssh'],
      )
      expect([status, stdout]).toEqual([3, ''])
      expect(stderr).toContain('needs ProxyCommand, which only the system’s ssh supports')
    })
  })
})
