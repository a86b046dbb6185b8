/**
 * Whether bootstrap_dir is trusted. The tests of what is due passed while anybody's handlers ran: each made its
 * directory itself.
 */
import { chmod, lchown, link, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { stateFilesOf } from '../../lib/session/session.ts'
import { describeEach, shells, type TestHost, testHost } from '../support/shells.ts'

const readState = { name: 'hw_read_state', args: [] }

/** A host with a server.ini, a product and a due handler. */
async function written(shell: (typeof shells)[number]) {
  const host = await testHost({ shell })
  const dir = host.bootstrapDir
  await mkdir(`${dir}/products`, { recursive: true, mode: 0o700 })
  for (const name of ['server.ini', 'products/app.ini', 'handlers'])
    await writeFile(`${dir}/${name}`, `${name}\n`, { mode: 0o600 })
  return { host, dir }
}

const ask = async ({ session }: TestHost) => session.call(readState)

describeEach(shells, 'bootstrap_dir under', shell => {
  test('is trusted if only its user may write to it', async () => {
    const { host, dir } = await written(shell)
    await writeFile(`${dir}/ a b `, '')
    expect([...stateFilesOf(await ask(host)).keys()]).toEqual([
      'server.ini',
      'products/app.ini',
      'handlers',
    ])
  })

  test.each(['.', 'products', 'server.ini', 'products/app.ini', 'handlers'])(
    'is refused if others may write to %s',
    async name => {
      const { host, dir } = await written(shell)
      for (const mode of [0o720, 0o702, 0o1777]) {
        await chmod(`${dir}/${name}`, mode)
        const result = await ask(host)
        expect(result).toMatchObject({ status: 'failed', code: 'state_unreadable' })
        expect(`${result.stderr}`).toContain(': chmod go-w')
      }
    },
  )

  test('is refused if others may write above it, unless that is a place like /tmp', async () => {
    const { host } = await written(shell)
    await chmod(host.directory, 0o1777)
    expect(await ask(host)).toMatchObject({ status: 'ok' })
    await chmod(host.directory, 0o777)
    expect(await ask(host)).toMatchObject({ status: 'failed', code: 'state_unreadable' })
  })

  test.each(['handlers', 'server.ini', 'products/app.ini', 'bootstrap.pid'])(
    'is refused with a link in place of %s, dangling or not',
    async name => {
      const { host, dir } = await written(shell)
      for (const target of ['/etc/passwd', '/nowhere']) {
        await symlink(target, `${dir}/link`)
        await rename(`${dir}/link`, `${dir}/${name}`)
        const result = await ask(host)
        expect(result).toMatchObject({ status: 'failed', code: 'state_unreadable' })
        expect(`${result.stderr}`).toContain('neither a file nor a directory')
      }
    },
  )

  test('is refused with a file that has another name elsewhere', async () => {
    const { host, dir } = await written(shell)
    await link(`${dir}/handlers`, host.at('elsewhere'))
    const result = await ask(host)
    expect(result).toMatchObject({ status: 'failed', code: 'state_unreadable' })
    expect(`${result.stderr}`).toContain(`${dir}/handlers has other names`)
  })

  test('may be a link, whose target is looked at', async () => {
    const { host, dir } = await written(shell)
    await mkdir(host.at('other'))
    await symlink(dir, host.at('other/bootstrap'))
    const linked = await testHost({ shell, directory: host.at('other') })
    expect(await ask(linked)).toMatchObject({ status: 'ok' })
    await chmod(`${dir}/handlers`, 0o622)
    expect(await ask(linked)).toMatchObject({ status: 'failed', code: 'state_unreadable' })
  })

  test('is refused if it, or anything in it or above it, is another user’s', {
    tags: ['root'],
  }, async () => {
    const { host, dir } = await written(shell)
    for (const path of [host.directory, dir, `${dir}/products`, `${dir}/handlers`]) {
      await lchown(path, 4242, 0)
      const result = await ask(host)
      expect(result).toMatchObject({ status: 'failed', code: 'state_unreadable' })
      expect(`${result.stderr}`).toContain(`${path} belongs to another user (4242)`)
      await lchown(path, 0, 0)
    }
    expect(await readFile(`${dir}/handlers`, 'utf8')).toBe('handlers\n')
    expect(await ask(host)).toMatchObject({ status: 'ok' })
  })
})
