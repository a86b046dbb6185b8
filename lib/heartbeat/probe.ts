/** One attempt of a heartbeat: the prelude call that runs it on the host, and the verdict on its answer. */
import type { Probe } from '../bootstrap/definitions.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { words } from '../session/words.ts'
import {
  type HttpRequest,
  headerFault,
  httpRequest,
  httpWords,
  redirected,
} from '../shell/http-request.ts'

/** A probe that runs on one host; `stack` is answered by the probes of other products. */
export type HostProbe = Exclude<Probe, { kind: 'stack' }>

/** The result of one attempt. `answer` is for people. */
export interface Verdict {
  up: boolean
  answer: string
}

type HttpProbe = HostProbe & { kind: 'http' }

/** How many redirects are followed. */
const mostRedirects = 10

/**
 * Asks once, following redirects if the probe says so.
 * @param timeoutMs timeout for each answer, rounded up because hosts count in whole seconds
 */
export async function askProbe(
  probe: HostProbe,
  timeoutMs: number,
  ask: (call: HostCall) => Promise<StepResult>,
): Promise<Verdict> {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)))
  if (probe.kind !== 'http') return judge(probe, await ask(probeCall(probe, seconds)))
  let request = requestOf(probe)
  if (typeof request === 'string') return { up: false, answer: request }
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const result = await ask(httpCall(request, seconds))
    const target = probe.redirect ? redirection(result) : undefined
    if (target === undefined) return judge(probe, result)
    const next = redirected(request, target)
    if (!next) return { up: false, answer: `a redirect that can’t be followed: ${shorten(target)}` }
    request = next
  }
  return { up: false, answer: `more than ${mostRedirects} redirects` }
}

/** The request, or what is wrong with the values that its templates have on this host. */
function requestOf({ url, headers, socket, ca }: HttpProbe): HttpRequest | string {
  const fault = headers.map(headerFault).find(each => each !== undefined)
  if (fault !== undefined) return fault
  return httpRequest(url, { headers, socket, ca }) ?? `${JSON.stringify(url)} is not a URL`
}

const httpCall = (request: HttpRequest, seconds: string): HostCall => ({
  name: 'hw_probe_http',
  args: [request.url.href, seconds, ...words(httpWords(request))],
})

/** Where an answer sends us (RFC 9110, 15.4); other statuses of 3xx have no such target. */
function redirection({ status, stdout }: StepResult): string | undefined {
  if (status === 'failed') return undefined
  const [line = ''] = stdout.toString('utf8').split('\n', 1)
  return /^30[12378] (.+)$/.exec(line)?.[1]
}

function probeCall(probe: Exclude<HostProbe, HttpProbe>, seconds: string): HostCall {
  switch (probe.kind) {
    case 'unix':
      return { name: 'hw_probe_unix', args: [probe.socket, seconds] }
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
    case 'unix':
      return { up: true, answer: `${probe.socket} accepts connections` }
  }
}

/** @param text the status, and the target of a redirect behind it; then the body, which is all that is compared */
function judgeHttp(probe: HttpProbe, text: string): Verdict {
  const end = text.indexOf('\n')
  const [code, target] = text.slice(0, end < 0 ? text.length : end).split(' ')
  const status = Number(code)
  const body = end < 0 ? '' : text.slice(end + 1)
  const to = target ? ` to ${target}` : ''
  const shown = shorten(`status ${status || 'unknown'}${to}: ${body.trim()}`)
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
 * 9.1). No server may be down. One that somebody took out of service on purpose (MAINT, DRAIN, and NOLB, which
 * its own check asks for) is not down: it is named. MAINT (resolution) is haproxy’s own, when a name has no
 * address. Right after a start or a reload, haproxy reports a server as UP before it has checked it:
 * check_status is then INI.
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
    .map(cells => {
      // It has a star in front while the check is running.
      const unasked = /^(\* )?INI$/.test(cells[check!] ?? '')
      const state = stateOf(cells[status!] ?? '', unasked)
      const shown = state === 'unasked' ? 'not checked yet' : cells[status!]
      return { state, name: `${cells[proxy!]}/${cells[server!]} ${shown}` }
    })
  const named = (wanted: (state: ServerState) => boolean) =>
    servers.filter(({ state }) => wanted(state)).map(({ name }) => name)
  const down = named(state => state === 'down' || state === 'unasked')
  if (down.length > 0) return { up: false, answer: shorten(down.join(', ')) }
  const out = named(state => state === 'out')
  const up = `${servers.length - out.length} of ${servers.length} servers up`
  return { up: true, answer: shorten([up, ...out].join(', ')) }
}

type ServerState = 'up' | 'down' | 'out' | 'unasked'

function stateOf(status: string, unasked: boolean): ServerState {
  if (/^(MAINT(?! \(resolution\))|DRAIN|NOLB)/.test(status)) return 'out'
  if (!/^(UP|no check)/.test(status)) return 'down'
  return unasked ? 'unasked' : 'up'
}

/** One line, short enough for a table or a message. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
