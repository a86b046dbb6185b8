import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import {
  belongsTo,
  endLabProcesses,
  identify,
  isRunning,
  labProcesses,
  marker,
  parsePs,
  parseStat,
} from '../../../lib/lab/processes.ts'

const entry = (pid: number, parent: number, marked = false) => ({
  pid,
  parent,
  started: `${pid}0`,
  marked,
})

test('parses a process whose name contains spaces and parentheses', () => {
  const rest = Array.from({ length: 30 }, (_, index) => index + 5).join(' ')
  const stat = parseStat(`7 (a) b (c) S 1 ${rest}`)
  expect(stat).toEqual({ state: 'S', parent: 1, ticks: '22' })
})

test('parses ps output and ignores zombies', () => {
  const text = [
    '    1     0 Ss   Thu Nov 20 22:43:01 2026 /sbin/launchd',
    '  700     1 S    Thu Nov  5 09:03:01 2026 node server.mjs A=1 HOSTWRIGHT_LAB_HOST=/l/lab1',
    '  701   700 Z    Thu Nov  5 09:03:01 2026 (sh)',
  ].join('\n')
  const found = parsePs(text, rest => rest.includes('/l/'))
  expect(found).toEqual([
    { pid: 1, parent: 0, started: 'Thu Nov 20 22:43:01 2026', marked: false },
    { pid: 700, parent: 1, started: 'Thu Nov  5 09:03:01 2026', marked: true },
  ])
})

test('recognises lab processes by their environment, and sshd, which overwrites its environment, by its config', () => {
  const belongs = belongsTo('/tmp/lab')
  expect(belongs('A=1\0HOSTWRIGHT_LAB_HOST=/tmp/lab/lab1\0')).toBe(true)
  expect(belongs('sshd: /usr/sbin/sshd -D -e -f /tmp/lab/lab1/config [listener] 0 of 9')).toBe(true)
  expect(belongs('/usr/sbin/sshd\0-D\0-e\0-f\0/tmp/lab/lab1/config\0')).toBe(true)
  expect(belongs('HOSTWRIGHT_LAB_HOST=/tmp/lab-2/lab1')).toBe(false)
  expect(belongs('tail -f /tmp/lab/lab1/log')).toBe(false)
  expect(belongs('vi /tmp/lab/lab1/config')).toBe(false)
})

test('finds known and marked processes and all their descendants', () => {
  const table = [entry(10, 1), entry(11, 10), entry(12, 11), entry(20, 1, true), entry(30, 1)]
  const found = labProcesses(table, [{ pid: 10, started: '100' }], 99)
  expect(found.map(each => each.pid)).toEqual([10, 11, 12, 20])
})

test('ignores a process that has reused the pid of a known one', () => {
  expect(labProcesses([entry(10, 1)], [{ pid: 10, started: 'earlier' }], 99)).toEqual([])
})

test('excludes itself and its ancestors, even if they are marked', () => {
  const table = [entry(1, 0), entry(10, 1, true), entry(11, 10, true), entry(12, 10, true)]
  expect(labProcesses(table, [], 11).map(each => each.pid)).toEqual([12])
})

test('ends a stray process of a lab, and no other', async () => {
  const directory = `/nowhere/lab-${process.pid}`
  const start = (lab: string) =>
    spawn('sleep', ['600'], { env: { ...process.env, [marker]: `${lab}/lab1` } })
  const [ours, other] = [start(directory), start(`${directory}-2`)]
  try {
    const ended = once(ours, 'exit')
    const id = (await identify(ours.pid!))!
    expect(await isRunning(id)).toBe(true)
    expect(await endLabProcesses(directory, [])).toEqual([])
    expect((await ended)[1]).toBe('SIGKILL')
    expect(await isRunning(id)).toBe(false)
    expect(await identify(other.pid!)).toBeDefined()
  } finally {
    ours.kill('SIGKILL')
    other.kill('SIGKILL')
  }
})
