/** The run’s log: its path, permissions, contents and removal. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEventStream } from '../../../lib/events.ts'
import { createRunLog } from '../../../lib/ui/run-log.ts'
import { runEvents } from './fake-run.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hostwright-log-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const run = '20260131T020000Z-4f3a9c'
const runs = () => join(home, 'hostwright/runs')

/** Logs a run of these events. */
function log(options: { run?: string; wanted?: string; failed?: boolean } = {}) {
  const warnings: string[] = []
  const stream = createEventStream(() => 1)
  const made = createRunLog({
    run,
    cwd: home,
    env: { XDG_STATE_HOME: home },
    warn: message => {
      warnings.push(message)
      stream.emit({ type: 'warning', message })
    },
    ...options,
  })
  stream.subscribe(made.subscriber)
  for (const event of runEvents([
    { host: 'web1', tasks: { t: [{ title: 's', output: ['one\n'] }] } },
  ]))
    stream.emit(event)
  made.end()
  return { warnings, place: made.place(options.failed ?? false), log: made }
}

describe('the log of a run', () => {
  it('contains every event, in a private file and directory', async () => {
    const { warnings, place } = log({ failed: true })
    expect(warnings).toEqual([])
    expect(place).toBe(join(runs(), `${run}.jsonl`))
    const lines = (await readFile(place!, 'utf8')).trimEnd().split('\n')
    const types = lines.map(line => JSON.parse(line).type)
    expect(types).toEqual([
      ...['run.start', 'host.start', 'task.start', 'step.start', 'step.output', 'step.end'],
      ...['task.end', 'host.end', 'run.end'],
    ])
    expect((await stat(place!)).mode & 0o777).toBe(0o600)
    for (const each of [runs(), join(runs(), '..')])
      expect((await stat(each)).mode & 0o777).toBe(0o700)
  })

  it('is named only if there is a reason to read it', () => {
    expect(log().place).toBeUndefined()
    const { log: made } = log({ run: '20260131T020000Z-4f3a9d' })
    made.cut()
    expect(made.place(false)).toContain('4f3a9d')
  })

  it('makes its directory private again if others can read it', async () => {
    await mkdir(runs(), { recursive: true })
    await chmod(runs(), 0o755)
    expect(log().warnings).toEqual([])
    expect((await stat(runs())).mode & 0o777).toBe(0o700)
  })

  it.each([
    [
      'a link in place of its directory',
      async () => {
        await mkdir(join(home, 'elsewhere'))
        await mkdir(join(home, 'hostwright'))
        await symlink(join(home, 'elsewhere'), runs())
      },
    ],
    [
      'a link in place of the file',
      async () => {
        await mkdir(runs(), { recursive: true })
        await symlink(join(home, 'elsewhere'), join(runs(), `${run}.jsonl`))
      },
    ],
    ['a file in place of its directory', () => writeFile(join(home, 'hostwright'), '')],
  ])('is not written through %s: there is one warning, and the run goes on', async (_, lay) => {
    await lay()
    const { warnings, place, log: made } = log({ failed: true })
    expect(warnings).toEqual([expect.stringMatching(/^the run’s log can’t be written: /)])
    expect(place).toBeUndefined()
    expect(made.kept).toBe(false)
    const elsewhere = await readdir(join(home, 'elsewhere')).catch(() => [])
    expect(elsewhere).toEqual([])
  })

  it('is appended to the file of --log, or not written with none', async () => {
    await writeFile(join(home, 'mine'), 'before\n', { mode: 0o644 })
    expect(log({ wanted: 'mine', failed: true }).place).toBe(join(home, 'mine'))
    expect(await readFile(join(home, 'mine'), 'utf8')).toMatch(
      /^before\n\{"at":1,"type":"run.start"/,
    )
    expect((await stat(join(home, 'mine'))).mode & 0o777).toBe(0o600)
    const { place, warnings, log: made } = log({ wanted: 'none', failed: true })
    expect({ place, warnings, kept: made.kept }).toEqual({
      place: undefined,
      warnings: [],
      kept: false,
    })
    expect(await readdir(home)).toEqual(['mine'])
  })

  it('drops output with a warning if it becomes too large, and keeps other events', async () => {
    const text = 'x'.repeat(70_000)
    const warnings: string[] = []
    const made = createRunLog({
      run,
      cwd: home,
      env: { XDG_STATE_HOME: home },
      warn: message => warnings.push(message),
      most: 100_000,
    })
    const output = {
      at: 1,
      type: 'step.output',
      host: 'a',
      task: 't',
      step: 's',
      stream: 'stdout',
    } as const
    for (let count = 0; count < 5; count++) made.subscriber({ ...output, text })
    made.subscriber({ at: 1, type: 'warning', message: 'last' })
    made.end()
    expect(warnings).toEqual([expect.stringContaining('no more output is kept')])
    expect(made.kept).toBe(false)
    const lines = (await readFile(join(runs(), `${run}.jsonl`), 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.at(-1)).toContain('last')
  })
})
