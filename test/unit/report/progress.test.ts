import { describe, expect, test } from 'vitest'
import { StepError } from '../../../lib/errors.ts'
import { createProgress } from '../../../lib/report/progress.ts'
import { brief, expectComplete, ofType, recordEvents } from '../../support/run-events.ts'

function start() {
  const { events, seen } = recordEvents()
  return { progress: createProgress('web1', 'site', events), seen }
}

const text = (value: string) => Buffer.from(value)

describe('tasks and steps', () => {
  test('a task begins with its first step and ends with its last', () => {
    const { progress, seen } = start()
    const task = progress.task('web')
    const [first, second] = [task.step('a'), task.step('b')]
    task.end()
    expect(seen).toEqual([])
    first.start()
    first.end('changed', { note: 'content' })
    second.end('ok')
    expect(brief(seen)).toEqual([
      'task.start web',
      'step.start a',
      'step.end a changed',
      'step.start b',
      'step.end b ok',
      'task.end web changed',
    ])
    expectComplete(seen)
    expect(progress.counts).toEqual({ ok: 1, changed: 1, failed: 0, unknown: 0, skipped: 0 })
  })

  test('a task without a started step is not reported', () => {
    const { progress, seen } = start()
    const task = progress.task('web')
    task.step('a').drop()
    task.end()
    progress.own()
    progress.end()
    expect(seen).toEqual([])
  })

  test.each([
    [['ok', 'skipped'], 'ok'],
    [['ok', 'changed', 'ok'], 'changed'],
    [['changed', 'failed', 'skipped'], 'failed'],
    [['failed', 'changed'], 'failed'],
  ] as const)('a task of %j is %s', (statuses, expected) => {
    const { progress, seen } = start()
    const task = progress.task('t')
    for (const status of statuses) task.step('s').end(status)
    task.end()
    expect(ofType(seen, 'task.end')[0]!.status).toBe(expected)
  })

  test('a dropped step that has begun fails with the reason', () => {
    const { progress, seen } = start()
    const task = progress.task('t')
    const [running, waiting] = [task.step('running'), task.step('waiting')]
    task.end()
    running.start()
    for (const step of [running, waiting]) step.drop(new StepError('the connection was lost'))
    expect(brief(seen)).toEqual([
      'task.start t',
      'step.start running',
      'step.end running failed',
      'task.end t failed',
    ])
    expectComplete(seen)
  })

  test('only the first end of a step counts', () => {
    const { progress, seen } = start()
    const step = progress.own().step('a')
    step.end('ok')
    step.end('failed')
    step.drop()
    progress.end()
    expect(brief(seen)).toEqual([
      'task.start site',
      'step.start a',
      'step.end a ok',
      'task.end site ok',
    ])
    expect(progress.counts).toMatchObject({ ok: 1, failed: 0 })
  })

  test('steps outside of tasks are reported in the order in which they happen', () => {
    const { progress, seen } = start()
    progress.own().step('before').end('ok')
    const task = progress.task('between')
    task.step('x').end('ok')
    task.end()
    progress.own().step('after').end('ok')
    progress.end()
    expect(ofType(seen, 'task.start').map(({ title }) => title)).toEqual([
      'site',
      'between',
      'site',
    ])
    expect(new Set(ofType(seen, 'task.start').map(({ task }) => task)).size).toBe(3)
    expectComplete(seen)
  })

  test('an error names its task and step', () => {
    const { progress, seen } = start()
    const error = new StepError('no')
    progress.task('web').step('file /x').end('failed', { error })
    expect(ofType(seen, 'step.end')[0]!.error).toMatchObject({ task: 'web', step: 'file /x' })
    expect(error.details).toMatchObject({ task: 'web', step: 'file /x' })
  })
})

describe('secrets', () => {
  test('are in no event', () => {
    const { progress, seen } = start()
    progress.hide(['hunter2', 'correct horse'])
    const task = progress.task('task hunter2')
    const step = task.step('step hunter2')
    step.output('stdout', text('a hunter2 b\n'))
    step.output('stderr', text('correct horse'))
    step.end('failed', {
      note: 'note hunter2',
      diff: '+hunter2\n',
      error: new StepError('message hunter2', {
        command: 'echo hunter2',
        output: 'hunter2',
        hint: 'hunter2',
      }),
    })
    task.end()
    progress.warn('warning hunter2')
    const shown = JSON.stringify(seen)
    expect(shown).not.toContain('hunter2')
    expect(shown).not.toContain('horse')
    expect(ofType(seen, 'step.output')[0]!.text).toBe('a ******** b\n')
    expect(progress.redact('x hunter2')).toBe('x ********')
  })

  test('are found in output that is cut into any pieces', () => {
    const whole = 'a hunter2 ü\nb hunter2hunter2 日本\nno newline hunter2'
    const bytes = text(whole)
    for (let size = 1; size < 12; size++) {
      const { progress, seen } = start()
      progress.hide(['hunter2'])
      const step = progress.own().step('s')
      for (let at = 0; at < bytes.length; at += size)
        step.output('stdout', bytes.subarray(at, at + size))
      step.end('ok')
      const shown = ofType(seen, 'step.output').map(event => event.text)
      expect(shown.join('')).toBe(whole.replaceAll('hunter2', '********'))
    }
  })

  test('that contain others, or have several lines, are hidden completely', () => {
    const { progress, seen } = start()
    progress.hide(['hunter2', 'hunter2-longer', 'first line\nsecond line\n'])
    const step = progress.own().step('s')
    step.output('stdout', text('hunter2-longer\nfirst line\n'))
    step.output('stdout', text('second line\n'))
    step.end('ok')
    // The second secret is one text: its first line waits for the rest.
    expect(ofType(seen, 'step.output').map(event => event.text)).toEqual([
      '********\n',
      '********\n',
    ])
  })

  test('and characters are never cut when an endless line is passed on in parts', () => {
    const secret = 'hunter2-日本'
    for (let shift = 0; shift < 30; shift++) {
      const { progress, seen } = start()
      progress.hide([secret])
      const line = `${'x'.repeat(65_530 + shift)}${secret}üü${secret}${'日'.repeat(30_000)}`
      const bytes = text(line)
      const step = progress.own().step('s')
      for (let at = 0; at < bytes.length; at += 65_541)
        step.output('stdout', bytes.subarray(at, at + 65_541))
      step.end('ok')
      const parts = ofType(seen, 'step.output').map(event => event.text)
      expect(parts.length).toBeGreaterThan(1)
      expect(parts.join('') === line.replaceAll(secret, '********')).toBe(true)
    }
  })
})

test('output that is not UTF-8 is reported as text and as bytes', () => {
  const { progress, seen } = start()
  const step = progress.own().step('s')
  step.output('stdout', Buffer.from([0x61, 0xff, 0xfe, 0x0a]))
  step.end('ok')
  expect(ofType(seen, 'step.output')[0]!.text).toBe('a\ufffd\ufffd\n')
})
