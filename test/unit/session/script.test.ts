import { describe, expect, test } from 'vitest'
import type { HostCall } from '../../../lib/session/call.ts'
import type { Condition } from '../../../lib/session/condition.ts'
import { againScript, segmentScript, stepScript } from '../../../lib/session/script.ts'

const mode = { check: false, diff: false }
const content = (text: string) => ({ sha256: 'f'.repeat(64), bytes: Buffer.from(text) })
const fileCall = (path: string): HostCall => ({
  name: 'hw_file',
  args: [path, 'f'.repeat(64)],
  content: content('x'),
  gather: [
    { by: 'hw_gather_stat', of: [path] },
    { by: 'hw_gather_sum', of: ['f'.repeat(64), path] },
  ],
})
const segment = (calls: readonly HostCall[]) =>
  segmentScript(
    calls.map((call, index) => ({ id: index + 1, call })),
    mode,
    'hwnonce',
  ).toString()

describe('the script of a step', () => {
  test('quotes every argument', () => {
    const call = { name: 'hw_file', args: ["it's", '', '$x', 'a\nb'] }
    expect(stepScript({ id: 7, call }).toString()).toBe(
      "hw_step 7 hw_file 'it'\\''s' '' '$x' 'a\nb'\n",
    )
  })

  test('contains content only if it must be sent, and removes it afterwards', () => {
    const step = { id: 7, call: fileCall('/f') }
    expect(stepScript(step).toString()).not.toContain('hw_content_7')
    expect(stepScript(step, { content: step.call.content!.bytes }).toString()).toBe(
      `hw_content_7() {\nhw_put x\n}\nhw_step 7 hw_file /f ${'f'.repeat(64)} 'content=hw_content_7'\nunset -f hw_content_7\n`,
    )
  })

  test('always contains a command’s input', () => {
    const call = { name: 'hw_run', args: ['sh'], input: Buffer.from('in') }
    expect(stepScript({ id: 7, call }).toString()).toBe(
      'hw_input_7() {\nhw_put in\n}\nhw_step 7 hw_run sh\nunset -f hw_input_7\n',
    )
  })

  test('puts the handler, the condition and the notified handlers before the function', () => {
    const call = { name: 'hw_service', args: ['x'] }
    const when: Condition<number> = {
      kind: 'any',
      of: [
        { kind: 'changed', of: 3 },
        { kind: 'not', of: { kind: 'exists', path: '/a b' } },
      ],
    }
    const notify = [{ key: 'k2', record: '{"it":"\'"}' }]
    expect(stepScript({ id: 7, call, handler: 'k1', when, notify }).toString()).toBe(
      "hw_step 7 hw_handler k1 hw_when false changed 3 or exists '/a b' not or -- " +
        `hw_notify k2 '{"it":"'\\''"}' -- hw_service x\n`,
    )
  })

  test('fails with the controller’s error instead of calling the function', () => {
    const call = { name: 'hw_edit', args: ['/f'] }
    const failure = { message: "it's no JSON", code: 'invalid_value' }
    expect(stepScript({ id: 7, call }, { failure }).toString()).toBe(
      "hw_step 7 hw_fail 'it'\\''s no JSON' invalid_value\n",
    )
  })
})

describe('the script of a segment', () => {
  test('gathers for all its steps at once, then runs them', () => {
    const editor = {
      by: 'hw_gather_editors',
      of: ['ini', '/i'],
      input: ['F ini /i', "K it's", 'V $x'],
    }
    const iniCall: HostCall = { name: 'hw_ini', args: ['/i'], gather: [editor] }
    expect(segment([fileCall('/a b'), iniCall, fileCall('/c')]).split('\n')).toEqual([
      "hw_segment '' '' ''",
      "hw_gather_stat '1 3' '/a b' /c",
      `hw_gather_sum '1 3' ${'f'.repeat(64)} '/a b' ${'f'.repeat(64)} /c`,
      "hw_gather_editors 2 ini /i <<'hwnonce'",
      'F ini /i',
      "K it's",
      'V $x',
      'hwnonce',
      `hw_step 1 hw_file '/a b' ${'f'.repeat(64)}`,
      'hw_step 2 hw_ini /i',
      `hw_step 3 hw_file /c ${'f'.repeat(64)}`,
      '',
    ])
  })

  test('gathers nothing if no step asks', () => {
    expect(segment([{ name: 'hw_run', args: ['sh'] }])).toBe(
      "hw_segment '' '' ''\nhw_step 1 hw_run sh\n",
    )
  })

  test('calls each gathering function once, whichever functions the steps call', () => {
    const call = (by: string, of: string): HostCall => ({
      name: 'hw_x',
      args: [],
      gather: [{ by, of: [of] }],
    })
    const script = segment([
      call('hw_gather_apt', 'a'),
      call('hw_gather_dnf', 'b'),
      call('hw_gather_apt', 'c'),
    ])
    expect(script.split('\n').slice(1, 3)).toEqual(["hw_gather_apt '1 3' a c", 'hw_gather_dnf 2 b'])
  })

  test('gathers nothing `certain` for a step that may be skipped', () => {
    const call: HostCall = {
      name: 'hw_x',
      args: [],
      gather: [{ by: 'hw_gather_unit_files', of: [], certain: true }],
    }
    const steps = [
      { id: 1, call },
      { id: 2, call, when: { kind: 'exists' as const, path: '/x' } },
      { id: 3, call, handler: 'k' },
    ]
    expect(segmentScript(steps, mode, 'n').toString()).toContain(
      '\nhw_gather_unit_files 1\nhw_step 1',
    )
    expect(segmentScript(steps.slice(1), mode, 'n').toString()).not.toContain('hw_gather')
  })

  test('begins with its mode', () => {
    expect(segmentScript([], { check: true, diff: true }, 'n').toString()).toBe(
      "hw_segment 1 1 ''\n",
    )
    const again = againScript([], { check: false, diff: true }, new Map()).toString()
    expect(again).toBe("hw_segment '' 1 '' again\n")
  })

  test('sends only the requested contents when the host asks', () => {
    const steps = [3, 4].map(id => ({ id, call: fileCall(`/${id}`) }))
    const again = againScript(steps, mode, new Map([[4, { content: Buffer.from('x') }]])).toString()
    expect(again).not.toContain('hw_content_3')
    expect(again).toContain('hw_content_4() {')
  })
})
