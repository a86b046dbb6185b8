import { expect, test } from 'vitest'
import { judge } from '../../../lib/heartbeat/probe.ts'
import type { StepResult } from '../../../lib/session/call.ts'

const result = (wanted: Partial<StepResult>): StepResult => ({
  status: 'ok',
  exitStatus: 0,
  code: '-',
  note: '',
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
  ...wanted,
})

const haproxy = { kind: 'haproxy', socket: '/run/haproxy/admin.sock' } as const
const statistics = (...servers: string[]) =>
  result({
    stdout: Buffer.from(
      [
        '# pxname,svname,status,check_status,',
        'stack,FRONTEND,OPEN,,',
        ...servers.map(server => `stack,${server},`),
        'stack,BACKEND,UP,,',
        '',
      ].join('\n'),
    ),
  })

test('considers haproxy up if every server is up or has no check', () => {
  expect(judge(haproxy, statistics('a,UP,L7OK', 'b,no check,', 'c,UP 1/2,* L4OK'))).toEqual({
    up: true,
    answer: '3 of 3 servers up',
  })
})

test('names the servers that are down', () => {
  expect(judge(haproxy, statistics('a,UP,L7OK', 'b,DOWN,L4CON'))).toEqual({
    up: false,
    answer: 'stack/b DOWN',
  })
})

test.each(['INI', '* INI'])(
  'does not consider a server up before haproxy has checked it: %s',
  check => {
    expect(judge(haproxy, statistics(`a,UP,${check}`))).toEqual({
      up: false,
      answer: 'stack/a not checked yet',
    })
  },
)

test('names the servers that were taken out of service, which are not down', () => {
  const out = [
    'b,DRAIN,L7OK',
    'c,MAINT,',
    'd,MAINT (via x/y),INI',
    'e,NOLB,L7OKC',
    'f,DRAIN (agent),L7OK',
  ]
  expect(judge(haproxy, statistics('a,UP,L7OK', ...out))).toEqual({
    up: true,
    answer:
      '1 of 6 servers up, stack/b DRAIN, stack/c MAINT, stack/d MAINT (via x/y), stack/e NOLB, stack/f DRAIN (agent)',
  })
})

test.each(['DOWN', 'DOWN 1/2', 'DOWN (agent)', 'MAINT (resolution)', ''])(
  'considers a server down whose status is %j',
  status => {
    expect(judge(haproxy, statistics('a,UP,L7OK', `b,${status},L4CON`)).up).toBe(false)
  },
)

test('reports a failed probe in one line', () => {
  const stderr = Buffer.from('connection refused\nno answer from the socket\n')
  expect(judge(haproxy, result({ status: 'failed', stderr }))).toEqual({
    up: false,
    answer: 'connection refused no answer from the socket',
  })
})
