import { createHash } from 'node:crypto'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { describe, expect, test, vi } from 'vitest'
import { file } from '../../../lib/resources/files/file.ts'
import type { HostCall } from '../../../lib/session/call.ts'
import { bytesSource, fileSource, type Source } from '../../../lib/session/content-source.ts'
import { sendContent } from '../../../lib/session/upload.ts'
import { connectLocal } from '../../../lib/transport/local.ts'
import {
  describeEach,
  fakePrograms,
  shells,
  type TestHost,
  temporaryDirectory,
  testHost,
  words,
} from '../../support/shells.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const mebi = 1_048_576
const content = Buffer.alloc(5 * mebi, 'some content \0\xff')
const sha256 = createHash('sha256').update(content).digest('hex')

/** A source that pauses after its first piece until `goOn` is called. */
function halting() {
  let goOn = () => {}
  let begun = () => {}
  const halt = new Promise<void>(resolve => {
    goOn = resolve
  })
  const started = new Promise<void>(resolve => {
    begun = resolve
  })
  const source: Source = {
    name: 'image',
    size: content.length,
    sha256: async () => sha256,
    read: async function* (from = 0) {
      yield content.subarray(from, from + mebi)
      begun()
      await halt
      for (let at = from + mebi; at < content.length; at += mebi)
        yield content.subarray(at, at + mebi)
    },
  }
  return { source, goOn, started }
}

const sending = (host: TestHost, source: Source): HostCall => ({
  name: 'hw_file',
  args: [host.at('f'), `sum=${sha256}`, 'large=yes'],
  content: { sha256 },
  answer: async asked => ({ args: [`content=${await sendContent(asked, source)}`] }),
})

const incoming = (host: TestHost) => `${host.bootstrapDir}/incoming`
const open = (host: TestHost) => ({
  bootstrapDir: host.bootstrapDir,
  open: () => connectLocal().open(),
  progress: () => {},
})

describeEach(shells, 'a transfer under $name', shell => {
  test('stops at Ctrl-C: the step is skipped, and what came is kept for the next run', async () => {
    const host = await testHost({ shell })
    const { source, goOn, started } = halting()
    const running = host.segment([sending(host, source)])
    await started
    await host.session.interrupt()
    goOn()
    expect((await running)[0]).toMatchObject({ status: 'skipped' })
    expect(await readdir(incoming(host))).toEqual([sha256])
    expect((await stat(`${incoming(host)}/${sha256}`)).size).toBe(mebi)
    await expect(stat(host.at('f'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('stops with everything that the session runs, and the session continues', async () => {
    const host = await testHost({ shell })
    const { source, goOn, started } = halting()
    const running = host.segment([sending(host, source)])
    await started
    await host.session.kill()
    goOn()
    const [ended] = await running
    expect(ended).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${ended!.stderr}`).toContain(`only ${mebi} of ${content.length} bytes came`)
    const again = await host.run(sending(host, bytesSource('image', content)))
    expect(again).toMatchObject({ status: 'changed', note: words(shell, 'created') })
    expect((await readFile(host.at('f'))).equals(content)).toBe(true)
  })

  test('of the same content as another one succeeds beside it', async () => {
    const host = await testHost({ shell })
    const { source, goOn, started } = halting()
    const first = sendContent(open(host), source)
    await started
    const path = await sendContent(open(host), bytesSource('image', content))
    expect((await readFile(path)).equals(content)).toBe(true)
    goOn()
    expect(await first).toBe(path)
    expect((await readFile(path)).equals(content)).toBe(true)
    expect(await readdir(incoming(host))).toEqual([sha256])
  })

  test('fails if its source has changed, and keeps nothing', async () => {
    const host = await testHost({ shell })
    const other = { ...bytesSource('image', content), sha256: async () => 'f'.repeat(64) }
    const result = await host.run({ ...sending(host, other), content: { sha256: 'f'.repeat(64) } })
    expect(result).toMatchObject({ status: 'failed', code: 'checksum_mismatch' })
    expect(await readdir(incoming(host))).toEqual([])
  })

  test('that fails because the disk is full leaves nothing on the disk', async () => {
    const directory = await temporaryDirectory()
    const cat = 'head -c 1000; echo "No space left on device" >&2; exit 1'
    const host = await testHost({ shell, path: [await fakePrograms(directory, { cat })] })
    const result = await host.run(sending(host, bytesSource('image', content)))
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${result.stderr}`).toMatch(/No space left on device\n.*can't write /)
    expect(await readdir(incoming(host))).toEqual([])
  })

  test('to an unwritable directory fails with the reason', async () => {
    const host = await testHost({ shell })
    await writeFile(host.bootstrapDir, 'no directory')
    const result = await host.run(sending(host, bytesSource('image', content)))
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${result.stderr}`).toMatch(/image could not be sent: can't make the directory/)
  })
})

describe('a source', () => {
  test('is hashed once for all hosts, and again when it has changed', async () => {
    const host = await testHost()
    const path = await host.write('source', content)
    const first = fileSource(path).sha256()
    expect(fileSource(path).sha256()).toBe(first)
    expect(await first).toBe(sha256)
    await host.write('source', Buffer.concat([content.subarray(1), Buffer.from('x')]))
    expect(await fileSource(path).sha256()).not.toBe(sha256)
  })

  test('that has disappeared when its turn comes fails its own step only', async () => {
    const host = await testHost()
    const path = await host.write('source', content)
    const calls = [
      file(host.at('before'), { content: 'x' }).call,
      file(host.at('f'), { source: path }).call,
    ]
    await rm(path)
    const results = await host.segment(calls)
    expect(results.map(({ status }) => status)).toEqual(['changed', 'failed'])
    expect(`${results[1]!.stderr}`).toMatch(/ENOENT.*source/)
  })
})
