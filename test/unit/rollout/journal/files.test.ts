import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  type Keeping,
  keeping,
  listJournals,
  removeOldRuns,
  startOfRun,
} from '../../../../lib/rollout/journal/files.ts'
import { temporaryDirectory } from '../../../support/shells.ts'

const run = (day: number) => `202601${String(day).padStart(2, '0')}T000000Z-0000${day + 10}`

/** A directory with these files; what is left after the limits were kept. */
async function left(files: string[], keep: Partial<Keeping>, current = 'none') {
  const directory = join(await temporaryDirectory(), 'runs')
  await mkdir(directory)
  for (const name of files) await writeFile(join(directory, name), 'x'.repeat(1000))
  removeOldRuns(directory, current, { ...keeping, days: 100_000, ...keep })
  return (await readdir(directory)).sort()
}

test('a run’s id says when it began', () => {
  expect(startOfRun('20260131T020304Z-4f3a9c')).toBe(Date.UTC(2026, 0, 31, 2, 3, 4))
})

test('the oldest journals are removed by number, those of each kind apart', async () => {
  const applies = [1, 2, 3].map(day => `${run(day)}.apply.journal`)
  const commands = [4, 5, 6, 7].map(day => `${run(day)}.exec.journal`)
  const looks = [8, 9].map(day => `${run(day)}.look.journal`)
  const journals = { apply: 2, exec: 3, look: 1 }
  expect(await left([...applies, ...commands, ...looks], { journals })).toEqual([
    ...applies.slice(1),
    ...commands.slice(1),
    ...looks.slice(1),
  ])
})

test('the oldest logs are removed by number and by size, and never other files', async () => {
  const logs = [1, 2, 3, 4].map(day => `${run(day)}.jsonl`)
  const others = ['20240101T000000Z-zzzzzz.jsonl', 'notes.jsonl']
  expect(await left([...logs, ...others], { logs: 2 })).toEqual([
    ...others.slice(0, 1),
    ...logs.slice(2),
    ...others.slice(1),
  ])
  // That of the run that has just ended stays, whatever its size.
  expect(await left(logs, { total: 10 }, run(4))).toEqual(logs.slice(3))
})

test('logs of commands do not push out those of recipes', async () => {
  const files = [
    `${run(1)}.jsonl`,
    `${run(1)}.apply.journal`,
    ...[2, 3].flatMap(day => [`${run(day)}.jsonl`, `${run(day)}.exec.journal`]),
  ]
  expect(await left(files, { logs: 1 })).toEqual(
    files.filter(name => name !== `${run(2)}.jsonl`).sort(),
  )
})

test('what is too old is removed, however little there is', async () => {
  const old = ['20200101T000000Z-000001.apply.journal', '20200101T000000Z-000001.jsonl']
  expect(await left(old, { days: 400 })).toEqual([])
})

test('journals are listed with the newest first, and none where there is no directory', async () => {
  const directory = await temporaryDirectory()
  for (const name of [`${run(1)}.exec.journal`, `${run(2)}.apply.journal`, 'notes'])
    await writeFile(join(directory, name), '')
  expect(listJournals(directory).map(({ run: id, kind }) => [id, kind])).toEqual([
    [run(2), 'apply'],
    [run(1), 'exec'],
  ])
  expect(listJournals(join(directory, 'none'))).toEqual([])
})
