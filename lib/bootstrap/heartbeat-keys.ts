/** The `heartbeat…` keys of a product in bootstrap.ini. */

import { parseDuration } from '../inventory/parse-duration.ts'
import { headerFault, httpRequest } from '../shell/http-request.ts'
import type { Heartbeat, Probe } from './definitions.ts'
import { invalid, type SectionReader, template } from './section.ts'

/** Those about an HTTP probe. */
const httpKeys = [
  'heartbeat_status',
  'heartbeat_body',
  'heartbeat_json',
  'heartbeat_header',
  'heartbeat_ca',
  'heartbeat_redirect',
] as const

/** The heartbeat keys in `[product:NAME]`. */
export const heartbeatKeys = [
  'heartbeat',
  ...httpKeys,
  'heartbeat_interval',
  'heartbeat_timeout',
  'heartbeat_attempts',
  'heartbeat_successes',
] as const

type Key = (typeof heartbeatKeys)[number]

/** The product’s heartbeat; undefined if it has none or its probe is invalid. */
export function readHeartbeat(keys: SectionReader<Key>): Heartbeat | undefined {
  const probe = keys.value('heartbeat', parseProbe)
  const json = keys.value('heartbeat_json', parseJsonCheck)
  const http = {
    status: keys.value('heartbeat_status', text => whole(text, 100, 599)) ?? 200,
    body: keys.template('heartbeat_body'),
    ...(json && { json }),
    headers: keys.value('heartbeat_header', parseHeaders) ?? [],
    ca: keys.value('heartbeat_ca', hostPath),
    redirect: keys.value('heartbeat_redirect', parseRedirect) ?? false,
  }
  const heartbeat = {
    intervalMs: keys.value('heartbeat_interval', parseDuration) ?? 1000,
    timeoutMs: keys.value('heartbeat_timeout', positiveDuration) ?? 5000,
    attempts: keys.value('heartbeat_attempts', text => whole(text, 1, 100_000)) ?? 30,
    successes: keys.value('heartbeat_successes', text => whole(text, 1, 100_000)) ?? 1,
  }
  if (heartbeat.successes > heartbeat.attempts)
    keys.fault('heartbeat_successes', `more than heartbeat_attempts (${heartbeat.attempts})`)
  reportUseless(keys, probe)
  if (!probe) return undefined
  return { probe: probe.kind === 'http' ? { ...probe, ...http } : probe, ...heartbeat }
}

function reportUseless(keys: SectionReader<Key>, probe: Probe | undefined): void {
  for (const key of heartbeatKeys) {
    if (!keys.has(key)) continue
    if (!keys.has('heartbeat')) keys.fault(key, 'has no effect without the key heartbeat')
    else if (probe && probe.kind !== 'http' && (httpKeys as readonly Key[]).includes(key))
      keys.fault(
        key,
        probe.kind === 'unix'
          ? 'only applies to HTTP; write unix:SOCKET:/path for HTTP at a unix socket'
          : 'only applies to a heartbeat by HTTP',
      )
  }
  const plain = probe?.kind === 'http' && !probe.url.startsWith('https:')
  if (plain && keys.has('heartbeat_ca') && !keys.has('heartbeat_redirect'))
    keys.fault('heartbeat_ca', 'only applies to an https:// heartbeat')
}

function parseProbe(text: string): Probe {
  template(text)
  if (text === 'stack') return { kind: 'stack' }
  const http = { kind: 'http', status: 200, headers: [], redirect: false } as const
  const [, unix] = /^(?:http:\/\/)?unix:\s*(.+)$/s.exec(text) ?? []
  if (unix !== undefined) {
    const [, socket = '', path] = /^([^:]+)(?::(\/\S*))?$/.exec(unix) ?? []
    if (!/^[/{]/.test(socket) || (path === undefined && text.startsWith('http')))
      throw invalid(
        'a unix socket needs its absolute path: unix:SOCKET, or for HTTP unix:SOCKET:/path',
      )
    return path === undefined
      ? { kind: 'unix', socket }
      : { ...http, headers: [], url: `http://localhost${path}`, socket }
  }
  if (/^https?:\/\/[^\s/]+\S*$/.test(text)) {
    // Whatever stands for a placeholder may be a part of any name, or a port.
    if (!httpRequest(text.replaceAll(/\{[^{}]+\}/g, '1')))
      throw invalid(`${JSON.stringify(text)} is not a URL`)
    return { ...http, headers: [], url: text }
  }
  const [, scheme, rest = ''] = /^(tcp:\/\/|command:|service:|haproxy:)\s*(.+)$/s.exec(text) ?? []
  switch (scheme) {
    case 'tcp://':
      if (!/^(\[[^\]\s]+\]|[^\s:/]+):[^\s:/]+$/.test(rest)) throw invalid('tcp:// needs host:port')
      return { kind: 'tcp', address: rest }
    case 'command:':
      return { kind: 'command', command: rest }
    case 'service:':
      return { kind: 'service', service: rest }
    case 'haproxy:':
      if (!/^[/{]/.test(rest)) throw invalid('haproxy: needs the absolute path of the admin socket')
      return { kind: 'haproxy', socket: rest }
    default:
      throw invalid(
        'must be http://…, https://…, unix:SOCKET, tcp://host:port, command:…, service:…, haproxy:SOCKET or stack',
      )
  }
}

/** A line for each, which only a value in double quotes can have: `"A: 1\\nB: 2"`. */
function parseHeaders(text: string): string[] {
  return text.split('\n').map(line => {
    const fault = headerFault(line.replaceAll(/\{[^{}]+\}/g, '1'))
    if (fault !== undefined) throw invalid(fault)
    return template(line)
  })
}

function parseRedirect(text: string): boolean {
  if (text !== 'follow' && text !== 'refuse')
    throw invalid(`${JSON.stringify(text)} is neither follow nor refuse`)
  return text === 'follow'
}

function hostPath(text: string): string {
  if (!/^[/{]/.test(text))
    throw invalid(`${JSON.stringify(text)} is not an absolute path on the host`)
  return template(text)
}

function parseJsonCheck(text: string): { path: string; equals?: string } {
  const [, path, equals] = /^([^=]*?)\s*(?:=\s*(.*))?$/s.exec(template(text)) ?? []
  if (path === undefined || !/^([^\s.[\]]+|\[\d+\])(\.[^\s.[\]]+|\[\d+\])*$/.test(path))
    throw invalid('must be path or path=value, as in nodes[0].state=up')
  return { path, ...(equals === undefined ? {} : { equals }) }
}

function whole(text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw invalid(`${JSON.stringify(text)} is not an integer in ${min}..${max}`)
  return value
}

function positiveDuration(text: string): number {
  const ms = parseDuration(text)
  if (ms === 0) throw invalid('must be longer than 0')
  return ms
}
