/** `--report`: what is asked for, and whether it can be written. */
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readReports, writeReports } from '../../../lib/cli/reports.ts'
import { accountOfEvents } from '../../../lib/ui/reports/account.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { ordinaryRun } from '../ui/reports/awkward-run.ts'

const report = accountOfEvents(ordinaryRun())!

describe('--report', () => {
  it('takes several, joined or repeated, and paths with commas and equals signs', async () => {
    const cwd = await temporaryDirectory()
    const given = ['junit=a,b.xml,html=c=d.html', 'md=e.md']
    expect(readReports({ report: given }, cwd).map(({ kind, file }) => [kind, file])).toEqual([
      ['junit', join(cwd, 'a,b.xml')],
      ['html', join(cwd, 'c=d.html')],
      ['md', join(cwd, 'e.md')],
    ])
    expect(await readdir(cwd)).toEqual([])
  })

  it.each([
    ['report.xml', 'must be kind=file'],
    ['junit=', 'must be kind=file'],
    ['junti=a.xml', 'junit'],
    ['junit=a.xml,html=a.xml', 'named twice'],
    ['junit=nowhere/a.xml', 'can’t write'],
    ['junit=directory', 'can’t write'],
    ['junit=file/a.xml', 'can’t write'],
  ])('refuses %s', async (given, why) => {
    const cwd = await temporaryDirectory()
    await mkdir(join(cwd, 'directory'))
    await writeFile(join(cwd, 'file'), '')
    expect(() => readReports({ report: [given] }, cwd)).toThrow(why)
  })

  it('replaces a file as a whole, keeps its mode, and follows a link', async () => {
    const cwd = await temporaryDirectory()
    const at = (name: string) => join(cwd, name)
    await writeFile(at('real.xml'), 'old', { mode: 0o640 })
    await symlink('real.xml', at('link.xml'))
    const before = await stat(at('real.xml'))
    const wanted = readReports({ report: ['junit=link.xml'] }, cwd)
    expect(await writeReports(wanted, report)).toEqual([])
    const after = await stat(at('real.xml'))
    expect(await readFile(at('link.xml'), 'utf8')).toMatch(/^<\?xml .*<\/testsuites>\n$/s)
    expect(after.mode & 0o777).toBe(0o640)
    expect(after.ino).not.toBe(before.ino)
    expect((await readdir(cwd)).sort()).toEqual(['link.xml', 'real.xml'])
  })

  it('writes the others where one can no longer be written, and says which', async () => {
    const cwd = await temporaryDirectory()
    await mkdir(join(cwd, 'gone'))
    const wanted = readReports({ report: ['junit=gone/a.xml,md=b.md'] }, cwd)
    const { rm } = await import('node:fs/promises')
    await rm(join(cwd, 'gone'), { recursive: true })
    const errors = await writeReports(wanted, report)
    expect(errors.map(({ code, message }) => [code, message.includes('gone/a.xml')])).toEqual([
      ['output_failed', true],
    ])
    expect(await readFile(join(cwd, 'b.md'), 'utf8')).toContain('app on production')
  })
})
