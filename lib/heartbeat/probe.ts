/** One attempt of a heartbeat: the prelude call that runs it on the host, and the verdict on its answer. */
import type { Probe } from '../bootstrap/definitions.ts'
import type { HostCall, StepResult } from '../session/call.ts'

/** A probe that runs on one host; `stack` is answered by the probes of other products. */
export type HostProbe = Exclude<Probe, { kind: 'stack' }>

/** The result of one attempt. `answer` is for people. */
export interface Verdict {
  up: boolean
  answer: string
}

/** @param timeoutMs timeout for the answer, rounded up because hosts count in whole seconds */
export function probeCall(probe: HostProbe, timeoutMs: number): HostCall {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)))
  switch (probe.kind) {
    case 'http':
      return { name: 'hw_probe_http', args: [probe.url, seconds] }
    case 'tcp':
      return { name: 'hw_probe_tcp', args: [probe.address, seconds] }
    case 'command':
      return { name: 'hw_probe_command', args: [seconds, probe.command] }
    case 'service':
      return { name: 'hw_probe_service', args: [probe.service] }
    case 'haproxy':
      return { name: 'hw_probe_haproxy', args: [probe.socket, seconds] }
  }
}

/** Whether the answer is good, and what it was. */
export function judge(probe: HostProbe, result: StepResult): Verdict {
  const said = (buffer: Buffer) => buffer.toString('utf8').trim()
  if (result.status === 'failed') {
    return {
      up: false,
      answer:
        [said(result.stderr), said(result.stdout)].filter(Boolean).map(shorten).join('; ') ||
        'no answer',
    }
  }
  switch (probe.kind) {
    case 'http':
      return judgeHttp(probe, result.stdout.toString('utf8'))
    case 'haproxy':
      return judgeHaproxy(result.stdout.toString('utf8'))
    case 'command':
      return { up: true, answer: shorten(said(result.stdout)) || 'exit status 0' }
    case 'service':
      return { up: true, answer: `${probe.service} is running` }
    case 'tcp':
      return { up: true, answer: `${probe.address} accepts connections` }
  }
}

function judgeHttp(probe: HostProbe & { kind: 'http' }, text: string): Verdict {
  const end = text.indexOf('\n')
  const status = Number(text.slice(0, end < 0 ? text.length : end))
  const body = end < 0 ? '' : text.slice(end + 1)
  const shown = `status ${status || 'unknown'}: ${shorten(body.trim())}`
  if (status !== probe.status)
    return { up: false, answer: `${shown} (expected status ${probe.status})` }
  if (probe.body !== undefined && !body.includes(probe.body)) {
    return { up: false, answer: `${shown} (expected the text ${JSON.stringify(probe.body)})` }
  }
  if (probe.json) {
    const { path, equals } = probe.json
    const value = valueAt(body, path)
    const good =
      equals === undefined ? Boolean(value) : value !== undefined && String(value) === equals
    if (!good)
      return {
        up: false,
        answer: `${shown} (expected ${path}${equals === undefined ? '' : `=${equals}`})`,
      }
  }
  return { up: true, answer: shown }
}

/**
 * The value at a dotted path of a JSON text: `nodes[0].state`; undefined if there is none, or no valid JSON.
 */
export function valueAt(text: string, path: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = name ?? index!
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  }
  return value
}

/**
 * haproxy’s `show stat`: CSV with a header that begins with `# pxname,svname,…` (haproxy management guide,
 * 9.1). Every server must be UP; a server without a check counts as up. Right after a start or a reload,
 * haproxy reports a server as UP before it has checked it: check_status is then INI.
 */
function judgeHaproxy(csv: string): Verdict {
  const [head, ...rows] = csv
    .replace(/^# /, '')
    .split('\n')
    .filter(line => line.trim() !== '')
  const columns = (head ?? '').split(',')
  const [proxy, server, status, check] = ['pxname', 'svname', 'status', 'check_status'].map(name =>
    columns.indexOf(name),
  )
  if (proxy! < 0 || server! < 0 || status! < 0)
    return { up: false, answer: `not haproxy’s statistics: ${shorten(csv)}` }
  const servers = rows
    .map(row => row.split(','))
    .filter(cells => cells[server!] !== 'FRONTEND' && cells[server!] !== 'BACKEND')
  // It has a star in front while the check is running.
  const unasked = (cells: string[]) => /^(\* )?INI$/.test(cells[check!] ?? '')
  const down = servers.filter(
    cells => !/^(UP|no check)/.test(cells[status!] ?? '') || unasked(cells),
  )
  const names = (list: string[][]) =>
    list
      .map(cells => {
        const state = unasked(cells) ? 'not checked yet' : cells[status!]
        return `${cells[proxy!]}/${cells[server!]} ${state}`
      })
      .join(', ')
  if (down.length > 0) return { up: false, answer: shorten(names(down)) }
  return { up: true, answer: `${servers.length} of ${servers.length} servers up` }
}

/** One line, short enough for a table or a message. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
