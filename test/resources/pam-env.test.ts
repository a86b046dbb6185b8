/**
 * /etc/environment as pam_env reads it, when `su` opens a session. The older tests read such files with sh.
 * @module-tag overlay
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBootstrapError } from '../../lib/errors.ts'
import { type EnvFileOptions, envFile } from '../../lib/resources/editing/env-file.ts'
import { awkwardLine, many, once } from '../support/awkward.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const host = overlayHost()

/** What a session of `nobody` finds in its environment. */
async function session(): Promise<Record<string, string>> {
  const printed = await host.script(
    `env -i PATH="$PATH" su -s /bin/sh nobody -c 'env -0' | base64 -w0`,
    '/',
  )
  const rows = Buffer.from(printed, 'base64').toString().split('\0').filter(Boolean)
  return Object.fromEntries(
    rows.map(row => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]),
  )
}

const write = (text: string) =>
  host.script(
    `printf %s '${Buffer.from(text).toString('base64')}' | base64 -d >/etc/environment`,
    '/',
  )
const edit = (options: EnvFileOptions) => {
  const wanted = envFile('/etc/environment', options)
  return bring(host, anyShell, '/srv', wanted)
}

test.each<[string, string, Record<string, string>]>([
  ['a value in quotes that sh needs', "A='old'\n", { A: "it's $HOME" }],
  ['a comment behind a value', 'A=x # old\nB=1\n', { A: 'new' }],
  ['a value over two lines', 'A=one\\\ntwo\nB=1\n', { A: 'new' }],
  ['export, and blanks', '  export A="x"\n', { A: ' sp ' }],
  ['a value that is a quote', '', { A: '"', B: "''", C: '"q"' }],
])('%s is read as declared', async (_, before, set) => {
  await write(before)
  expect((await edit({ set })).statuses).toEqual(['changed'])
  expect((await edit({ set })).statuses).toEqual(['ok'])
  const { B } = before.includes('B=1') ? { B: '1' } : { B: undefined }
  expect(await session()).toMatchObject(B === undefined ? set : { ...set, B })
})

test('200 generated values are in the environment of a session, or are refused', async () => {
  await fc.assert(
    fc.asyncProperty(many(awkwardLine), many(awkwardLine), async (values, olds) => {
      const set: Record<string, string> = {}
      for (const [index, value] of values.entries()) {
        try {
          envFile('/etc/environment', { set: { X: value } })
          set[`V${index}`] = value
        } catch (error) {
          if (!isBootstrapError(error)) throw error
          expect(value).toMatch(/#|\\$/)
        }
      }
      // Half of the lines are there, with something else in them.
      await write(
        olds
          .map((old, index) => (index % 2 ? `V${index}=${old.replace(/\\+$/, '')}\n` : ''))
          .join(''),
      )
      const { error } = await edit({ set })
      expect(error).toBeUndefined()
      expect((await edit({ set })).statuses).toEqual(['ok'])
      const found = await session()
      expect(Object.fromEntries(Object.keys(set).map(key => [key, found[key]]))).toEqual(set)
    }),
    once,
  )
})

test.each<[string, string, EnvFileOptions, string]>([
  ['a value with #', '/etc/environment', { set: { A: 'a#b' } }, 'takes # for a comment'],
  ['a backslash at the end', '/etc/environment', { set: { A: 'a\\' } }, 'goes on in the next line'],
  ['pam_env.conf', '/etc/security/pam_env.conf', { set: { A: 1 } }, 'NAME DEFAULT=value'],
])('%s is refused when declared', (_, path, options, message) => {
  expect(() => envFile(path, options)).toThrow(message)
})
