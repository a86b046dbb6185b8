/** A host without a program that a resource needs: the step says which, and what package has it. */
import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { timezone } from '../../lib/resources/system/timezone.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { anyShell, temporaryDirectory, testHost } from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

const present =
  'dash cat stat mv rm cp chmod chown mkdir ls id sort awk tar dd cksum find readlink sha256sum'

const cases: [string, string, (at: (name: string) => string) => Resource][] = [
  ['find', 'findutils', at => directory(at('tree'), { recurse: true, mode: 0o700 })],
  ['find', 'findutils', at => copyTree(at('tree'), { source: at('tree'), delete: true })],
  ['readlink', 'coreutils', at => file(at('link'), { content: 'x' })],
  ['readlink', 'coreutils', at => link(at('link'), { target: 'other' })],
  ['readlink', 'coreutils', () => timezone('Etc/UTC')],
  ['sha256sum', 'coreutils', at => archive(at('new'), { source: at('a.tar') })],
]

test.each(cases)('without %s, of %s', async (missing, from, make) => {
  const path = await temporaryDirectory()
  for (const name of present.split(' ').filter(each => each !== missing))
    await symlink(whereIs(name)!, `${path}/${name}`)
  const host = await testHost({
    shell: { name: 'dash', command: ['env', `PATH=${path}`, whereIs(anyShell.command[0])!] },
  })
  await mkdir(host.at('tree'))
  await writeFile(host.at('tree/f'), 'f')
  await symlink('tree/f', host.at('link'))
  execFileSync('tar', ['-cf', host.at('a.tar'), '-C', host.at('tree'), 'f'])
  const result = await host.run(make(host.at).call, { check: missing === 'readlink' })
  expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
  expect(String(result.stderr)).toBe(
    `${missing} is not on this host; the package that has it is ${from}\n`,
  )
})
