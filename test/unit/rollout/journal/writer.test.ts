import { appendFile, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { NewEvent } from '../../../../lib/events.ts'
import { createEventStream } from '../../../../lib/events.ts'
import { decodeRecords } from '../../../../lib/rollout/journal/codec.ts'
import type { AttemptRecord, JournalRecord } from '../../../../lib/rollout/journal/record.ts'
import { openJournal } from '../../../../lib/rollout/journal/writer.ts'
import { temporaryDirectory } from '../../../support/shells.ts'
import { runEvents } from '../../ui/fake-run.ts'

const run = '20260131T020000Z-4f3a9c'
const first = { type: 'attempt', attempt: 1, run } as unknown as AttemptRecord

/** The journal of these events. */
async function written(events: readonly NewEvent[]) {
  const file = join(await temporaryDirectory(), `${run}.apply.journal`)
  const warnings: string[] = []
  const journal = await openJournal({ run, file }, first, message => warnings.push(message))
  const stream = createEventStream(() => 1)
  stream.subscribe(journal.subscriber)
  for (const event of events) stream.emit(event)
  await journal.end()
  return { file, warnings, ...decodeRecords<JournalRecord>(run, await readFile(file)) }
}

test('a journal has hosts, what changed or failed with its task, and the end', async () => {
  const { records, damaged, torn, file, warnings } = await written(
    runEvents([
      {
        host: 'web1',
        tasks: {
          quiet: [{ title: 'a' }],
          web: [{ title: 'b' }, { title: 'c', status: 'changed', diff: '+x', output: ['one\n'] }],
        },
      },
    ]),
  )
  expect({ damaged, torn, warnings }).toEqual({ damaged: [], torn: false, warnings: [] })
  expect(records.map(({ type }) => type)).toEqual([
    ...['attempt', 'host.start', 'task.start', 'step.end', 'host.end', 'run.end'],
  ])
  expect(records[2]).toMatchObject({ title: 'web' })
  expect(records[3]).toMatchObject({ title: 'c', status: 'changed', diff: '+x' })
  expect(records.at(-1)).toEqual({
    at: 1,
    type: 'run.end',
    attempt: 1,
    exitCode: 0,
    durationMs: 4200,
    statuses: { changed: 1 },
  })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('an effect is in the journal when it begins, and when it ends unchanged', async () => {
  const ids = { host: 'a', task: 't', step: 's', title: 'migrate', effect: true }
  const { records } = await written([
    { type: 'task.start', host: 'a', task: 't', title: 'task' },
    { type: 'step.start', ...ids },
    { type: 'step.end', ...ids, status: 'ok', durationMs: 1 },
  ])
  expect(records.map(({ type }) => type)).toEqual([
    'attempt',
    'task.start',
    'step.start',
    'step.end',
  ])
})

test('records are in the file before anything else happens, as a kill may be next', async () => {
  const file = join(await temporaryDirectory(), `${run}.apply.journal`)
  const journal = await openJournal({ run, file }, first, () => {})
  journal.subscriber({ at: 1, type: 'host.start', host: 'web1' })
  expect(decodeRecords(run, await readFile(file)).records).toHaveLength(2)
  await journal.committed()
  await journal.end()
})

test('a further attempt goes on behind the last whole line', async () => {
  const { file, bytes, next } = await written([{ type: 'host.start', host: 'web1' }])
  const torn = '{"n":3,"type":"host.e'
  await appendFile(file, torn)
  const size = bytes + torn.length
  const again = { ...first, attempt: 2 }
  const journal = await openJournal({ run, file, after: { bytes, next, size } }, again, () => {})
  journal.subscriber({ at: 1, type: 'host.start', host: 'web2' })
  // Only one can go on with it.
  const second = openJournal({ run, file, after: { bytes, next, size } }, again, () => {})
  await expect(second).rejects.toThrow('another attempt')
  await journal.end()
  const read = decodeRecords<JournalRecord>(run, await readFile(file))
  expect(read).toMatchObject({ damaged: [], torn: false, next: 5 })
  expect(read.records[2]).toMatchObject({ type: 'attempt', attempt: 2 })
})

test('a journal that is there is not written over', async () => {
  const { file } = await written([])
  const before = await readFile(file)
  await expect(openJournal({ run, file }, first, () => {})).rejects.toThrow(/EEXIST/)
  expect(await readFile(file)).toEqual(before)
})
