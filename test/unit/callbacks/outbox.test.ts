import { readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../../lib/callbacks/document.ts'
import { newCallback, openOutbox, targetOf } from '../../../lib/callbacks/outbox.ts'
import { sendWaiting } from '../../../lib/callbacks/send.ts'
import { receiveCallbacks } from '../../support/receiver.ts'
import { temporaryDirectory } from '../../support/shells.ts'

const url = 'https://ops.example.org/hook?token=t0p'
const quick = { retries: 1, minDelayMs: 1 }

const message = (id: string): Message => ({
  id: `msg_${id}`,
  type: 'run.completed',
  run: id,
  body: JSON.stringify({ id }),
})

const outboxIn = async () => {
  const directory = join(await temporaryDirectory(), 'hostwright', 'callbacks')
  const outbox = openOutbox(directory)
  const put = (id: string, to = url, more: { login?: boolean; signed?: boolean } = {}) =>
    outbox.put(newCallback(message(id), { url: to, login: false, signed: false, ...more }))
  const send = (to: string, secret?: string) =>
    sendWaiting(outbox, targetOf(bare(to)), { url: new URL(to), secret, env: {} }, quick)
  return { directory, outbox, put, send, ids: () => outbox.list().map(({ id }) => id) }
}

const bare = (text: string) => {
  const found = new URL(text)
  found.username = ''
  found.password = ''
  return found.href
}

describe('the outbox', () => {
  test('keeps callbacks in the order in which they were written, for their user alone', async () => {
    const { directory, outbox, put, ids } = await outboxIn()
    expect(ids()).toEqual([])
    // As fast as the clock or faster.
    for (let number = 10; number < 60; number++) put(`r${number}`)
    expect(ids()).toEqual(Array.from({ length: 50 }, (_, index) => `msg_r${index + 10}`))
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    const [first] = await readdir(directory)
    expect((await stat(join(directory, first!))).mode & 0o777).toBe(0o600)
    expect(outbox.read(outbox.list()[0]!)).toMatchObject({ ...message('r10'), url, tries: 0 })
  })

  test('keeps the order also where the clock was set back', async () => {
    const { directory, put, ids } = await outboxIn()
    put('r1')
    const [name] = await readdir(directory)
    const later = `${Number(name!.slice(0, 13)) + 86_400_000}${name!.slice(13).replace('r1', 'r2')}`
    const text = await readFile(join(directory, name!), 'utf8')
    await writeFile(join(directory, later), text.replaceAll('msg_r1', 'msg_r2'))
    put('r3')
    expect(ids()).toEqual(['msg_r1', 'msg_r2', 'msg_r3'])
  })

  test('gives a callback to one of those who claim it, until that one is gone or gives it back', async () => {
    const { directory, outbox, put } = await outboxIn()
    put('r1')
    const another = openOutbox(directory)
    const [name] = outbox.list()
    const claimed = outbox.claim(name!)
    expect(claimed).toMatchObject({ id: 'msg_r1' })
    expect(another.claim(name!)).toBe('gone')
    expect(another.claim(another.list()[0]!)).toBe('held')
    outbox.release(claimed as never)
    expect(another.claim(another.list()[0]!)).toMatchObject({ id: 'msg_r1' })
  })

  test('does not trust what is damaged, a link, or not what its name says', async () => {
    const { directory, outbox, put } = await outboxIn()
    for (const id of ['r1', 'r2', 'r3', 'r4']) put(id)
    const files = (await readdir(directory)).map(file => join(directory, file))
    await writeFile(files[0]!, '{"format":1')
    await writeFile(files[1]!, await readFile(files[3]!))
    const linked = join(directory, '..', 'linked')
    await symlink(files[3]!, linked)
    await rename(linked, files[2]!)
    expect(outbox.list().map(name => outbox.read(name)?.id)).toEqual([
      undefined,
      undefined,
      undefined,
      'msg_r4',
    ])
  })

  test('gives up the oldest of too many and what waits too long, and what was half written', async () => {
    const { directory, outbox, put, ids } = await outboxIn()
    for (const id of ['r1', 'r2', 'r3', 'r4']) put(id)
    const [name] = await readdir(directory)
    const old = name!.replace(/^\d+/, '1000000000000').replace('r1', 'r0')
    await writeFile(join(directory, old), '')
    // By a process of an earlier boot.
    await writeFile(join(directory, `${name}.new-k3-${'0'.repeat(8)}-a-b-1-1-c`), '')
    await writeFile(join(directory, 'other'), '')
    expect(outbox.tidy({ number: 3, days: 30 })).toBe(2)
    expect(ids()).toEqual(['msg_r2', 'msg_r3', 'msg_r4'])
    // Of a process that can't be looked for, only when it is long ago: k3 is 1970.
    expect((await readdir(directory)).filter(file => /new|other/.test(file))).toEqual(['other'])
  })

  test('says so when it can’t be written, and has nothing where there is no directory', async () => {
    const within = join(await temporaryDirectory(), 'hostwright')
    await writeFile(within, '')
    const outbox = openOutbox(join(within, 'callbacks'))
    const callback = newCallback(message('r1'), { url, login: false, signed: false })
    expect(() => outbox.put(callback)).toThrow('is not a directory')
    expect(outbox.list()).toEqual([])
  })
})

describe('sending what waits', () => {
  test('goes in order, and ends at what fails for now', async () => {
    const { put, send, ids, outbox } = await outboxIn()
    const { url: there, received } = await receiveCallbacks([204, 503, 503])
    for (const id of ['r1', 'r2', 'r3']) put(id, there)
    put('other')
    expect(await send(there)).toMatchObject({ stopped: expect.stringContaining('answered 503') })
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([
      ...['msg_r1', 'msg_r2', 'msg_r2'],
    ])
    expect(ids()).toEqual(['msg_r2', 'msg_r3', 'msg_other'])
    expect(outbox.read(outbox.list()[0]!)).toMatchObject({
      tries: 1,
      last: expect.stringContaining('answered 503'),
    })
    expect(await send(there)).toEqual({ passed: new Map() })
    expect(received.slice(3).map(({ body }) => JSON.parse(body).id)).toEqual(['r2', 'r3'])
    expect(ids()).toEqual(['msg_other'])
  })

  test('passes by what the receiver refuses, which goes only when it is asked for', async () => {
    const { put, send, ids, outbox } = await outboxIn()
    const { url: there, received } = await receiveCallbacks([410])
    for (const id of ['r1', 'r2']) put(id, there)
    const { stopped, passed } = await send(there)
    expect(stopped).toBeUndefined()
    expect(passed.get('msg_r1')).toContain('answered 410')
    await send(there)
    expect(received).toHaveLength(2)
    expect(ids()).toEqual(['msg_r1'])
    const receiver = { url: new URL(there), env: {} }
    await sendWaiting(outbox, targetOf(there), receiver, { ...quick, only: new Set(['msg_r1']) })
    expect(ids()).toEqual([])
  })

  test('never sends unsigned what was to be signed, nor without its login, and keeps neither', async () => {
    const { directory, put, send, ids } = await outboxIn()
    const { url: there, received } = await receiveCallbacks()
    put('r1', there, { signed: true })
    put('r2', there, { login: true })
    put('r3', there)
    await send(there)
    expect(received.map(({ body }) => JSON.parse(body).id)).toEqual(['r3'])
    await send(there, 'sign-with-this')
    await send(there.replace('//', '//me:p4ss@'))
    expect(received.map(({ body }) => JSON.parse(body).id)).toEqual(['r3', 'r1', 'r2'])
    expect(received[1]!.headers['webhook-signature']).toMatch(/^v1,/)
    expect(received[2]!.headers.authorization).toMatch(/^Basic /)
    expect(ids()).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('ends at what earlier runs have left, when that takes too long, and waits no longer for others', async () => {
    const { outbox, put, ids } = await outboxIn()
    const { url: there } = await receiveCallbacks(Array(99).fill(503))
    for (const id of ['r1', 'r2']) put(id, there)
    const receiver = { url: new URL(there), env: {} }
    const foreign = () => ({ own: new Set(['msg_r2']), signal: AbortSignal.timeout(30) })
    const slow = { retries: 9, minDelayMs: 10 }
    const late = await sendWaiting(outbox, targetOf(there), receiver, {
      ...slow,
      foreign: foreign(),
    })
    expect(late.stopped).toContain('took too long')
    outbox.claim(outbox.list()[0]!)
    const held = await sendWaiting(outbox, targetOf(there), receiver, {
      ...slow,
      foreign: foreign(),
    })
    expect(held.stopped).toContain('another process')
    expect(ids()).toEqual(['msg_r1', 'msg_r2'])
  })

  test('is done by one of several at a time, so that nothing is sent twice', async () => {
    const { directory, put, ids } = await outboxIn()
    const { url: there, received } = await receiveCallbacks()
    for (let number = 0; number < 60; number++) put(`r${number}`, there)
    const receiver = { url: new URL(there), env: {} }
    const senders = Array.from({ length: 4 }, () =>
      sendWaiting(openOutbox(directory), targetOf(there), receiver, quick),
    )
    await Promise.all(senders)
    expect(received.map(({ body }) => JSON.parse(body).id)).toEqual(
      Array.from({ length: 60 }, (_, number) => `r${number}`),
    )
    expect(ids()).toEqual([])
  })
})
