import { describe, expect, it } from 'vitest'
import { liveFrame, type TreeNode, type View } from '../../../lib/ui/frame.ts'
import { createTheme, type Status } from '../../../lib/ui/theme.ts'

const none = { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 }

/** A node that began at 0 and, where it is over, took a second. */
function node(
  title: string,
  status: Status,
  subtasks: TreeNode[] = [],
  detail: Partial<TreeNode['rendererTaskOptions']> = {},
): TreeNode {
  const durationMs = status === 'running' ? undefined : 1000
  return {
    title,
    subtasks,
    rendererTaskOptions: { status, startedAt: 0, durationMs, counts: none, ...detail },
  }
}

const running = (host: string) =>
  node(host, 'running', [
    node('base', 'ok', [node('pkg curl', 'ok')]),
    node('users', 'changed', [node('file /etc/passwd', 'changed')]),
    node('web server', 'running', [
      node('pkg haproxy', 'ok'),
      node('file /etc/haproxy.cfg', 'changed', [], { note: 'content' }),
      node('service haproxy', 'running'),
    ]),
  ])

const failed = (host: string) =>
  node(host, 'failed', [], {
    error: { code: 'step_failed', message: 'no space left', task: 'base', step: 'pkg curl' },
  })

const view = (columns: number, rows: number, changes: Partial<View> = {}): View => ({
  theme: createTheme({ color: false, unicode: true }),
  columns,
  rows,
  now: 1200,
  check: false,
  ...changes,
})

function draw(hosts: TreeNode[], changes?: Partial<View>, columns = 60, rows = 24): string {
  return `\n${liveFrame(node('upgrade on test', 'running', hosts), view(columns, rows, changes)).join('\n')}\n`
}

describe('liveFrame', () => {
  it('expands running hosts down to the running step', () => {
    expect(draw([node('web1', 'ok'), running('web2'), node('web3', 'waiting')])).toBe(`
⠹ upgrade on test  1.2 s
✓ web1  ok  1.0 s
⠹ web2  1.2 s
  ✓ base  1.0 s
  ● users  1.0 s
  ⠹ web server  1.2 s
    ✓ pkg haproxy  1.0 s
    ● file /etc/haproxy.cfg  content  1.0 s
    ⠹ service haproxy  1.2 s
· web3  waiting
3 hosts: 1 ok, 1 running, 1 waiting
`)
  })

  it('drops the oldest finished lines if rows are scarce', () => {
    expect(draw([running('web1'), running('web2')], {}, 60, 11)).toBe(`
⠹ upgrade on test  1.2 s
⠹ web1  1.2 s
  ⠹ web server  1.2 s
    ● file /etc/haproxy.cfg  content  1.0 s
    ⠹ service haproxy  1.2 s
⠹ web2  1.2 s
  ⠹ web server  1.2 s
    ● file /etc/haproxy.cfg  content  1.0 s
    ⠹ service haproxy  1.2 s
2 hosts: 2 running
`)
  })

  it('only counts finished and waiting hosts if not all fit', () => {
    const hosts = [
      node('web1', 'ok'),
      node('web2', 'changed'),
      running('web3'),
      failed('web4'),
      running('web5'),
    ]
    expect(draw([...hosts, node('web6', 'waiting')], {}, 60, 7)).toBe(`
⠹ upgrade on test  1.2 s
⠹ web3 › web server › service haproxy  1.2 s
✗ web4  failed  base › pkg curl: no space left  1.0 s
⠹ web5 › web server › service haproxy  1.2 s
6 hosts: 1 ok, 1 changed, 1 failed, 2 running, 1 waiting
`)
  })

  it('reserves half of the rows for running hosts if many failed', () => {
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f']
    const lines = draw([...hosts.map(failed), ...hosts.map(running)], {}, 60, 9)
      .trim()
      .split('\n')
    expect(lines.map(line => line.slice(0, 3))).toEqual([
      '⠹ u',
      '✗ d',
      '✗ e',
      '✗ f',
      '⠹ a',
      '⠹ b',
      '⠹ c',
      '12 ',
    ])
  })

  it('truncates the least important parts first, and keeps the time', () => {
    const step = node('file /etc/haproxy/conf.d/very-long-name.cfg', 'running', [], {
      tail: 'Unpacking haproxy',
    })
    const host = node('web1', 'running', [node('日本語のとても長いタイトル', 'running', [step])])
    expect(draw([host], {}, 32)).toBe(`
⠹ upgrade on test  1.2 s
⠹ web1  1.2 s
  ⠹ 日本語のとても長いタ…  1.2 s
    ⠹ file /etc/haproxy/…  1.2 s
1 host: 1 running
`)
  })

  it('shows the status without colour and without Unicode', () => {
    const theme = createTheme({ color: false, unicode: false })
    const statuses: Status[] = [
      'ok',
      'changed',
      'failed',
      'unreachable',
      'locked',
      'interrupted',
      'skipped',
      'waiting',
    ]
    const hosts = statuses.map(status =>
      node('web', status, [], { counts: { ...none, changed: 2 } }),
    )
    expect(draw(hosts, { theme, check: true })).toBe(
      `
| upgrade on test  1.2 s
= web  ok  1.0 s
* web  would change: 2 steps  1.0 s
x web  failed  1.0 s
x web  unreachable  1.0 s
x web  locked  1.0 s
x web  interrupted  1.0 s
o web  skipped
. web  waiting
8 hosts: 1 ok, 1 would change, 1 failed, 1 unreachable, 1 lo
`.replace('1 lo\n', '1...\n'),
    )
  })
})
