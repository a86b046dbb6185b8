/** The machine loses its power: what is left of a journal, cut at any byte, is reported as it is. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resume } from '../../../lib/cli/again.ts'
import type { Place } from '../../../lib/cli/command.ts'
import { runs } from '../../../lib/cli/runs.ts'
import { thisController } from '../../../lib/controller.ts'
import { createEventStream, type HostOutcome, type NewEvent } from '../../../lib/events.ts'
import type { AttemptRecord } from '../../../lib/rollout/journal/record.ts'
import { openJournal } from '../../../lib/rollout/journal/writer.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput } from '../ui/fake-output.ts'

const run = '20260131T020000Z-4f3a9c'
const outcome = (host: string): HostOutcome => ({
  host,
  status: 'changed',
  counts: { ok: 1, changed: 1, failed: 0, unknown: 0, skipped: 0 },
  durationMs: 5,
  roundTrips: 2,
})
const step = { task: 't', step: 's', title: 'migrate', effect: true }

/** What happened, in its order. */
const events: NewEvent[] = [
  { type: 'batch.start', number: 1, of: 2, hosts: ['a'] },
  { type: 'host.start', host: 'a' },
  { type: 'task.start', host: 'a', task: 't', title: 'work' },
  { type: 'step.start', host: 'a', ...step },
  { type: 'step.end', host: 'a', ...step, status: 'changed', durationMs: 1 },
  { type: 'host.end', ...outcome('a') },
  { type: 'batch.end', number: 1, of: 2, statuses: { changed: 1 } },
  { type: 'batch.start', number: 2, of: 2, hosts: ['b'] },
  { type: 'host.start', host: 'b' },
  { type: 'host.end', ...outcome('b') },
  { type: 'batch.end', number: 2, of: 2, statuses: { changed: 1 } },
  {
    type: 'run.end',
    run,
    ok: true,
    exitCode: 0,
    durationMs: 9,
    hosts: [outcome('a'), outcome('b')],
  },
]

/** By a process of another boot of this machine. */
const first: AttemptRecord = {
  at: Date.now(),
  type: 'attempt',
  attempt: 1,
  run,
  kind: 'apply',
  recipe: 'site',
  environment: 'x',
  owner: 'me',
  version: '1',
  controller: { ...thisController(), boot: 'an-earlier-one' },
  args: {},
  // Where a resume that goes on fails: it is gone.
  asked: { command: 'site', words: [], options: { on: 'all' }, cwd: '/nonexistent/hostwright' },
  code: {},
  batches: [['a'], ['b']],
}

/** The journal, and where its lines end. */
async function journaled() {
  const file = join(await temporaryDirectory(), 'journal')
  const journal = await openJournal({ run, file }, first, () => {})
  const stream = createEventStream(() => Date.now())
  stream.subscribe(journal.subscriber)
  for (const event of events) stream.emit(event)
  await journal.end()
  const whole = await readFile(file)
  return {
    whole,
    ends: [...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : [])),
  }
}

/** A machine on which so much of the journal is left. */
async function machine() {
  const directory = join(await temporaryDirectory(), 'hostwright', 'runs')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const place = (): Place & ReturnType<typeof fakeOutput> => ({
    ...fakeOutput(undefined, { XDG_STATE_HOME: join(directory, '..', '..') }),
    cwd: '/',
    project: {},
    passwords: {},
  })
  const answer = async (command: Promise<unknown>) =>
    command.then(
      () => 'done',
      (error: Error) => error.message,
    )
  return {
    leave: (bytes: Buffer) =>
      writeFile(join(directory, `${run}.apply.journal`), bytes, { mode: 0o600 }),
    list: async () => {
      const there = place()
      await runs([], { output: 'json' }, there)
      return JSON.parse(there.stdout.text())
    },
    show: async () => {
      const there = place()
      const said = await answer(runs(['show', run], { output: 'json' }, there))
      return { said, records: there.stdout.text().split('\n').length - 1 }
    },
    /** As it is drawn for people. */
    draw: async () => {
      const there = place()
      await runs(['show', run], {}, there)
      return there.stdout.text()
    },
    resume: () => answer(resume([run], {}, place())),
  }
}

describe('after a loss of power', () => {
  test('runs, runs show and resume are true of a journal that was cut at any byte', {
    timeout: 60_000,
  }, async () => {
    const { leave, list, show, resume: goOn } = await machine()
    const { whole, ends } = await journaled()
    // Each byte of the last three records, and the ends of all.
    const cuts = Array.from({ length: whole.length + 1 }, (_, bytes) => bytes).filter(
      bytes => bytes > ends.at(-4)! || [0, 1, ...ends].some(end => Math.abs(end - bytes) < 2),
    )
    for (const bytes of cuts) {
      await leave(whole.subarray(0, bytes))
      const records = ends.filter(end => end <= bytes).length
      const happened = events.slice(0, Math.max(0, records - 1))
      const ended = happened.filter(({ type }) => type === 'host.end').length
      const what = `${bytes} bytes`
      const result = records === 0 ? 'damaged' : records === ends.length ? 'ok' : 'lost'
      const { result: said, statuses } = await list()
      expect({ said, statuses }, what).toEqual({
        said: result,
        statuses: ended > 0 ? { changed: ended } : {},
      })
      const shown = await show()
      expect(shown, what).toEqual({ said: 'done', records })
      // This said that nothing was left as soon as all hosts had ended: the run never ended, and its callback never came.
      const resumed =
        records === 0 ? 'is damaged' : result === 'ok' ? 'nothing left to do' : 'which is gone'
      expect(await goOn(), what).toContain(resumed)
    }
  })

  // A journal keeps no end of a task: all were drawn as interrupted, and as long as the time since.
  test('a task of a host that ended is drawn as its steps ended', async () => {
    const { leave, draw } = await machine()
    const { whole } = await journaled()
    await leave(whole)
    expect(await draw()).toMatch(/^ {2}\* work {2}[\d.]+ s$/m)
  })

  test('what never came to the disk before what did is damage, and is named', async () => {
    const { leave, list, resume: goOn } = await machine()
    const { whole, ends } = await journaled()
    // The system writes blocks in any order: a record is zeros, and later ones are there.
    for (let at = 1; at < ends.length - 1; at++) {
      const bytes = Buffer.from(whole)
      bytes.fill(0, ends[at - 1]!, ends[at]! - 1)
      await leave(bytes)
      expect(await goOn()).toContain(`:${at + 1}: it is not a record with a checksum`)
      expect(await list()).toMatchObject({ run, result: 'ok' })
    }
  })
})
