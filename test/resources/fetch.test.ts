import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TemplateHost } from '../../lib/resources/resource.ts'
import { type FetchOptions, fetch } from '../../lib/resources/transfer/fetch.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import {
  describeEach,
  shells,
  type TestHost,
  testHost,
  unprivileged,
  words,
} from '../support/shells.ts'

resourceTable(
  'fetch',
  [
    {
      name: 'a text, with directories for it',
      given: 'echo one >"my file"',
      wanted: at => fetch(at('my file'), { to: relative(process.cwd(), at('kept/%h/my file')) }),
      holds: 'cmp "my file" "kept/host/my file" && [ "$(stat -c %a "kept/host/my file")" = 600 ]',
      drift: ['echo two >"my file"', 'echo mine >"kept/host/my file"', 'rm -r kept'],
      note: 'fetched',
    },
    {
      name: 'bytes, where a function says, if there are any',
      given: 'head -c 3000000 /dev/urandom >bytes; ln -s bytes link',
      wanted: at => [
        fetch(at('link'), { to: host => at(`${host.name}.copy`), mode: 0o644 }),
        fetch(at('none'), { to: at('%h.none'), optional: true }),
      ],
      holds: 'cmp bytes host.copy && [ "$(stat -c %a host.copy)" = 644 ] && [ ! -e host.none ]',
      drift: ['echo >>bytes', ': >host.copy'],
    },
  ],
  { host: directoryHost },
)

const forHost = (host: TestHost, path: string, options: FetchOptions) =>
  fetch(path, options).forHost!({
    name: 'web1',
    groups: [],
    vars: {},
    facts: host.session.facts,
  } as TemplateHost).call

describeEach(shells, 'fetch under $name', shell => {
  test('what is the same does not travel', async () => {
    const host = await testHost({ shell })
    const path = await host.write("it's a file", 'text')
    await host.write('web1', 'text')
    const before = host.session.roundTrips
    const result = await host.run(forHost(host, path, { to: host.at('%h') }))
    expect(result.status, String(result.stderr)).toBe('ok')
    expect(host.session.roundTrips - before).toBe(1)
  })

  test('a file that replaces another keeps its mode; nothing else is left', async () => {
    const host = await testHost({ shell })
    const path = await host.write('-a', Buffer.from([0, 1, 255, 10, 0]))
    await host.write('web1', 'old', 0o640)
    const result = await host.run(forHost(host, path, { to: host.at('%h') }))
    expect(result).toMatchObject({ status: 'changed', note: words(shell, 'fetched') })
    expect(await host.read('web1')).toEqual(Buffer.from([0, 1, 255, 10, 0]))
    expect((await stat(host.at('web1'))).mode & 0o777).toBe(0o640)
    expect((await readdir(host.directory)).sort()).toEqual(['-a', 'web1'])
  })

  test('a file that is not there is a failure', async () => {
    const host = await testHost({ shell })
    const result = await host.run(forHost(host, host.at('none'), { to: host.at('%h') }))
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(String(result.stderr)).toBe(`${host.at('none')} does not exist\n`)
  })

  test('one that changes on the way is not kept', async () => {
    const host = await testHost({ shell })
    const path = await host.write('a', 'one')
    const call = await forHost(host, path, { to: host.at('%h') }).prepare!()
    const result = await host.run({
      ...call,
      answer: async asked => {
        await writeFile(path, 'two')
        return call.answer!(asked)
      },
    })
    expect(result).toMatchObject({ status: 'failed', code: 'checksum_mismatch' })
    expect(String(result.stderr)).toContain(`${path} changed while it was fetched`)
    expect(await readdir(host.directory)).toEqual(['a'])
  })
})

describe('fetch', () => {
  test('64 MiB take little memory', async () => {
    const host = await testHost()
    const piece = Buffer.alloc(1 << 20, 'x')
    const hash = createHash('sha256')
    const path = host.at('big')
    for (let count = 0; count < 64; count++) {
      await writeFile(path, piece, { flag: 'a' })
      hash.update(piece)
    }
    const before = process.memoryUsage.rss()
    let peak = 0
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, 5)
    const result = await host.run(forHost(host, path, { to: host.at('%h') }))
    clearInterval(timer)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect((peak - before) / (1 << 20)).toBeLessThan(48)
    const copy = createHash('sha256').update(await readFile(host.at('web1')))
    expect(copy.digest('hex')).toBe(hash.digest('hex'))
  })

  test('Ctrl-C ends it, and nothing is left of it', async () => {
    const host = await testHost()
    const path = await host.write('big', Buffer.alloc(64 << 20, 'x'))
    let most = 0
    let interrupted: Promise<void> | undefined
    const progress = (done: number) => {
      most = done
      interrupted ??= host.session.interrupt()
    }
    const call = forHost(host, path, { to: host.at('%h') })
    const [result] = await host.segment([{ call, listener: { progress } }])
    await interrupted
    expect(result!.status).toBe('skipped')
    expect(most).toBeLessThan(64 << 20)
    expect(await readdir(host.directory)).toEqual(['big'])
  })

  test('two hosts have two files', () => {
    const wanted = fetch('/etc/x', { to: 'kept/%h/x' })
    const paths = ['a', 'b'].map(name => wanted.forHost!({ name } as TemplateHost).path)
    expect(paths).toEqual(['a', 'b'].map(name => join(process.cwd(), `kept/${name}/x`)))
  })

  test('what the user may not read fails, and so does a place that is a directory', {
    tags: ['root'],
  }, async () => {
    const host = await testHost({ as: unprivileged })
    await chmod(host.directory, 0o755)
    const secret = await host.write('secret', 'x', 0o600)
    const refused = await host.run(forHost(host, secret, { to: host.at('%h') }))
    expect(refused.status).toBe('failed')
    expect(String(refused.stderr)).toContain(`can't read ${secret}`)
    const open = await host.write('open', 'x')
    await mkdir(host.at('web1'))
    const directory = await host.run(forHost(host, open, { to: host.at('%h') }))
    expect(String(directory.stderr)).toContain(`can’t read ${host.at('web1')}: it is not a file`)
    await symlink('/nowhere', host.at('link'))
    const link = await host.run(forHost(host, host.at('link'), { to: host.at('%h.x') }))
    expect(link.status).toBe('failed')
  })

  test.each<[string, FetchOptions, string]>([
    ['a place for all hosts', { to: 'kept/x' }, '`to` names the host by %h'],
    ['an odd mode', { to: '%h', mode: 0o1777 }, 'is not one: write 0o600'],
  ])('refuses %s, with the line of the recipe', (_, options, message) => {
    expect(() => fetch('/a', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/fetch\.test\.ts:\d+$/) }),
      }),
    )
  })
})
