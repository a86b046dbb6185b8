/**
 * Files that are mount points, as /etc/hosts in containers: the kernel lets nobody replace them.
 *
 * @module-tag overlay
 */
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { describeEach, shells } from '../support/shells.ts'

const before = '{"a": 1}\n'
const wanted: [string, (path: string, inPlace?: boolean) => Resource][] = [
  ['file', (path, inPlace) => file(path, { content: 'new\n', mode: 0o640, inPlace, backup: true })],
  ['line', (path, inPlace) => line(path, { line: 'new', inPlace })],
  ['hosts', (path, inPlace) => hosts('192.0.2.1', { names: 'a.example', path, inPlace })],
  ['json', (path, inPlace) => json(path, { set: { a: 2 }, inPlace, validate: 'grep -q 2 %s' })],
]

describe('a file that is a mount point', () => {
  const host = overlayHost()
  const mounted = async () => {
    const at = await host.directory()
    await host.script(
      `printf '${before}' >below; mkdir 'a b'; : >'a b/f'; mount --bind below 'a b/f'`,
      at,
    )
    return { at, path: `${at}/a b/f` }
  }
  const look = (at: string) => host.script('cat below; ls -A . "a b"', at)

  describeEach(shells, 'under $name', shell => {
    test.each(wanted)(
      'fails with the option that helps, and stays as it is: %s',
      async (_, make) => {
        const { at, path } = await mounted()
        await host.script('rm -rf .bootstrap', at)
        const { error } = await bring(host, shell, at, make(path))
        expect(error?.message).toBe(
          `${path} is a mount point, which can't be replaced: inPlace: true writes to it instead`,
        )
        expect(await look(at)).toMatch(new RegExp(`^${before}[^]*a b:\nf(\n.*~)?\n$`))
      },
    )

    test.each(wanted)('is written to with inPlace, and is as wanted then: %s', async (_, make) => {
      const { at, path } = await mounted()
      const checked = await bring(host, shell, at, make(path, true), { check: true })
      const { statuses, notes } = await bring(host, shell, at, make(path, true))
      expect(statuses).toEqual(['changed'])
      expect(notes[0]).toContain(checked.notes[0])
      expect(await host.script('cat below', at)).not.toBe(before)
      expect(await host.script('ls -A "a b" | grep -v "~$"', at)).toBe('f\n')
      expect((await bring(host, shell, at, make(path, true))).statuses).toEqual(['ok'])
    })

    test.each(wanted)(
      'is written to by connections of containers as it is: %s',
      async (_, make) => {
        const { at, path } = await mounted()
        const within = {
          ...host,
          transport: (each: typeof shell) => ({ ...host.transport(each), kind: 'podman' }),
        }
        const { inode } = { inode: await host.script('ls -i below', at) }
        expect((await bring(within, shell, at, make(path))).statuses).toEqual(['changed'])
        expect(await host.script('cat below', at)).not.toBe(before)
        expect(await host.script('ls -i below', at)).toBe(inode)
        // What is no mount point is replaced there as anywhere.
        await host.script('echo >plain; ln plain other', at)
        expect(
          (await bring(within, shell, at, line(`${at}/plain`, { line: 'x' }))).error,
        ).toBeUndefined()
        expect(await host.script('stat -c %h plain', at)).toBe('1\n')
      },
    )
  })

  test('has its old content again where the disk is full', async () => {
    const { at, path } = await mounted()
    await host.script('mkdir small; mount -t tmpfs -o size=64k none small; umount "a b/f"', at)
    await host.script(`printf old >small/f; mount --bind small/f 'a b/f'`, at)
    const content = 'x'.repeat(100_000)
    const { error } = await bring(host, shells[0]!, at, file(path, { content, inPlace: true }))
    expect(error?.message).toBe(`can't write the new content to ${path}: it has the old one again`)
    expect(await host.script('cat small/f; ls -A "a b"', at)).toBe('oldf\n')
    await host.script('umount "a b/f" small', at)
  })
})
