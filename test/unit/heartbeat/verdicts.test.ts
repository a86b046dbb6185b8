import { describe, expect, test } from 'vitest'
import { askProbe, type HostProbe, judge, valueAt } from '../../../lib/heartbeat/probe.ts'
import type { HostCall, StepResult } from '../../../lib/session/call.ts'

const answered = (stdout: string): StepResult => ({
  status: 'ok',
  exitStatus: 0,
  code: '-',
  note: '',
  stdout: Buffer.from(stdout),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
})

const web: HostProbe & { kind: 'http' } = {
  kind: 'http',
  url: 'http://x/',
  status: 200,
  headers: [],
  redirect: false,
}

describe('the probe’s call', () => {
  const callOf = async (probe: HostProbe, timeoutMs: number) => {
    const calls: HostCall[] = []
    await askProbe(probe, timeoutMs, async call => {
      calls.push(call)
      return answered('')
    })
    expect(calls).toHaveLength(1)
    return calls[0]!
  }

  test.each<[HostProbe, string, string[]]>([
    [web, 'hw_probe_http', ['http://x/', '2', 'address=x:80', 'path=/']],
    [{ kind: 'tcp', address: 'x:80' }, 'hw_probe_tcp', ['x:80', '2']],
    [{ kind: 'unix', socket: '/s' }, 'hw_probe_unix', ['/s', '2']],
    [{ kind: 'command', command: 'a b' }, 'hw_probe_command', ['2', 'a b']],
    [{ kind: 'service', service: 'cron' }, 'hw_probe_service', ['cron']],
    [{ kind: 'haproxy', socket: '/s' }, 'hw_probe_haproxy', ['/s', '2']],
  ])('%o', async (probe, name, args) => {
    const call = await callOf(probe, 1001)
    expect({ name: call.name, args: call.args.slice(0, args.length) }).toEqual({ name, args })
  })

  test('has a timeout of at least one second', async () => {
    expect((await callOf({ kind: 'tcp', address: 'x:1' }, 1)).args).toEqual(['x:1', '1'])
  })

  test('is not made for values that are no URL or no header on this host', async () => {
    const never = () => Promise.reject(new Error('asked'))
    expect(await askProbe({ ...web, url: 'http://x:70000/' }, 1000, never)).toEqual({
      up: false,
      answer: '"http://x:70000/" is not a URL',
    })
    const broken = await askProbe({ ...web, headers: ['X: a\nY: b'] }, 1000, never)
    expect(broken).toMatchObject({
      up: false,
      answer: expect.stringContaining('control character'),
    })
  })
})

describe('an HTTP response', () => {
  const http = (more: object = {}): HostProbe => ({ ...web, ...more })
  const json = (path: string, equals?: string) => http({ json: { path, equals } })

  test.each<[HostProbe, string, boolean]>([
    [http(), '200\nfine', true],
    [http(), '200 /there\nfine', true],
    [http(), '302 /there\nfine', false],
    [http({ status: 302 }), '302 /there\nfine', true],
    [http({ body: 'OK' }), '200\n', false],
    [http(), '200', true],
    [http(), '503\nfine', false],
    [http(), '', false],
    [http(), 'nonsense\n200', false],
    [http({ status: 204 }), '204\n', true],
    [http({ body: 'ready' }), '200\nall ready now', true],
    [http({ body: 'ready' }), '200\nnot yet', false],
    [http({ body: '200' }), '200\n', false],
    [json('ok'), '200\n{"ok":true}', true],
    [json('ok'), '200\n{"ok":false}', false],
    [json('ok'), '200\n{"ok":0}', false],
    [json('ok'), '200\n{}', false],
    [json('ok'), '200\nnot json', false],
    [json('ok', 'false'), '200\n{"ok":false}', true],
    [json('nodes[1].state', 'up'), '200\n{"nodes":[{},{"state":"up"}]}', true],
    [json('nodes[2].state', 'up'), '200\n{"nodes":[{},{"state":"up"}]}', false],
    [json('a', 'null'), '200\n{"a":null}', true],
    [json('a', 'undefined'), '200\n{}', false],
    [http({ body: 'x', json: { path: 'ok' } }), '200\n{"ok":1}', false],
  ])('%o answered %j', (probe, text, up) => {
    expect(judge(probe, answered(text)).up).toBe(up)
  })

  test('reports what was expected, in one short line', () => {
    expect(judge(json('a.b', 'up'), answered('200\n{"a":\n  {"b":"down"}}')).answer).toBe(
      'status 200: {"a": {"b":"down"}} (expected a.b=up)',
    )
    expect(judge(http(), answered('')).answer).toContain('status unknown')
    const long = judge(http(), answered(`500\n${'x'.repeat(5000)}`)).answer
    expect(long.length).toBeLessThan(300)
    expect(long).toContain('(expected status 200)')
  })
})

test.each([
  ['{"a":{"b":[10,{"c":1}]}}', 'a.b[1].c', 1],
  ['{"a":{"b":[10]}}', 'a.b[0]', 10],
  ['[[1,2]]', '[0][1]', 2],
  ['{"a":1}', 'a.b', undefined],
  ['{"a":"text"}', 'a.length', undefined],
  ['{"a":[1]}', 'a.length', 1],
  ['{}', 'toString', undefined],
  ['{}', '__proto__.x', undefined],
  ['null', 'a', undefined],
  ['', 'a', undefined],
])('in %s the value at %s is %j', (text, path, expected) => {
  expect(valueAt(text, path)).toBe(expected)
})

describe('other answers', () => {
  test('are good if the probe succeeded', () => {
    expect(judge({ kind: 'tcp', address: 'x:1' }, answered(''))).toEqual({
      up: true,
      answer: 'x:1 accepts connections',
    })
    expect(judge({ kind: 'service', service: 'cron' }, answered(''))).toEqual({
      up: true,
      answer: 'cron is running',
    })
    expect(judge({ kind: 'command', command: 'x' }, answered('')).answer).toBe('exit status 0')
    expect(judge({ kind: 'command', command: 'x' }, answered(' 3\n ok ')).answer).toBe('3 ok')
  })

  test.each(['', 'not CSV at all', '# a,b,c\n1,2,3\n'])(
    'are bad if they are not haproxy’s statistics: %j',
    text => {
      expect(judge({ kind: 'haproxy', socket: '/s' }, answered(text))).toMatchObject({ up: false })
    },
  )

  test('are “no answer” if a probe failed without output', () => {
    const failed = { ...answered(''), status: 'failed' as const }
    expect(judge({ kind: 'tcp', address: 'x:1' }, failed)).toEqual({
      up: false,
      answer: 'no answer',
    })
  })
})
