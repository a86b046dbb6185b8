/** Files from and to hosts over SSH: streamed, in little memory, whole or not at all. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import { json } from '../../lib/resources/data/json.ts'
import type { Resource, TemplateHost } from '../../lib/resources/resource.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { fetch } from '../../lib/resources/transfer/fetch.ts'
import type { Session } from '../../lib/session/session.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { labFor } from '../support/lab.ts'

const lab = labFor({ hosts: 1 })
const mebi = 1_048_576

async function open(): Promise<{ session: Session; host: TemplateHost }> {
  const host = (await lab.hosts())[0]!
  const { session } = await connectHost(
    host,
    { timeoutMs: 20_000, connector: createConnector({ acceptNew: false }) },
    [],
  )
  onTestFinished(() => session.close())
  const { name } = host
  return { session, host: { name, groups: [], vars: {}, facts: session.facts } }
}

const apply = async (session: Session, host: TemplateHost, ...resources: Resource[]) => {
  const calls = resources.map(each => ({ call: (each.forHost?.(host) ?? each).call }))
  return session.segment(calls, { check: false, diff: false })
}

test('a file of 96 MiB comes whole, and takes little memory', async () => {
  const { session, host } = await open()
  const path = await lab.path('lab1', '/srv/big file')
  await lab.read(
    'lab1',
    `mkdir -p "$(dirname '${path}')" && head -c ${96 * mebi} /dev/urandom >'${path}'`,
  )
  const wanted = fetch(path, { to: join(lab.scratch, '%h/big') })
  const reported: number[] = []
  const before = process.memoryUsage.rss()
  let peak = before
  const [result] = await session.segment(
    [
      {
        call: wanted.forHost!(host).call,
        listener: {
          progress: done => {
            reported.push(done)
            peak = Math.max(peak, process.memoryUsage.rss())
          },
        },
      },
    ],
    { check: false, diff: false },
  )
  expect(result!.status, String(result!.stderr)).toBe('changed')
  const sum = createHash('sha256')
    .update(await readFile(join(lab.scratch, 'lab1/big')))
    .digest('hex')
  expect(await lab.read('lab1', `sha256sum <'${path}'`)).toContain(sum)
  expect(reported.at(-1)).toBe(96 * mebi)
  expect((peak - before) / mebi).toBeLessThan(72)
  expect((await apply(session, host, wanted))[0]!.status).toBe('ok')
  expect(await readdir(join(lab.scratch, 'lab1'))).toEqual(['big'])
})

test('an archive of many pieces is sent beside the session, and a file edited with it', async () => {
  const { session, host } = await open()
  const at = (name: string) => lab.path('lab1', `/srv/${name}`)
  await lab.read(
    'lab1',
    `cd "$(dirname '${await at('x')}')" && head -c ${5 * mebi} /dev/urandom >big && tar -cf made.tar big`,
  )
  const tarball = fetch(await at('made.tar'), { to: join(lab.scratch, '%h.tar') })
  const [fetched] = await apply(session, host, tarball)
  expect(fetched!.status, String(fetched!.stderr)).toBe('changed')
  const wanted = [
    archive(await at('app'), { source: join(lab.scratch, 'lab1.tar') }),
    json(await at('app/conf.json'), { set: { 'a.b': [1] } }),
  ]
  for (const status of ['changed', 'ok']) {
    const results = await apply(session, host, ...wanted)
    expect(results.map(each => each.status)).toEqual([status, status])
  }
  expect(await lab.read('lab1', `cd '${await at('app')}' && cmp big ../big && cat conf.json`)).toBe(
    '{\n  "a": {\n    "b": [\n      1\n    ]\n  }\n}\n',
  )
})
