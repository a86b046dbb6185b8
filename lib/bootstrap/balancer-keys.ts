/** The keys of a product in bootstrap.ini about the balancers in front of it. */
import { parseDuration } from '../inventory/parse-duration.ts'
import type { BalancerDefinition } from './definitions.ts'
import { invalid, type SectionReader, template } from './section.ts'

/** Those of `[product:NAME]`. */
export const balancerKeys = [
  'balancer',
  'backend',
  'server',
  'balancer_socket',
  'drain_timeout',
  'ready_timeout',
] as const

type Key = (typeof balancerKeys)[number]

/** How long to wait for a server's sessions to end, and for haproxy to say that it is UP, if nothing else is set. */
const defaultMs = 30_000

/** The product’s balancers; undefined if it has none, or a key of theirs is invalid. */
export function readBalancer(keys: SectionReader<Key>): BalancerDefinition | undefined {
  const hosts = keys.value('balancer', pattern)
  const backend = keys.value('backend', name)
  const balancer = {
    server: keys.value('server', name) ?? '{host}',
    socket: keys.value('balancer_socket', socket),
    drainMs: keys.value('drain_timeout', parseDuration) ?? defaultMs,
    readyMs: keys.value('ready_timeout', parseDuration) ?? defaultMs,
  }
  for (const key of balancerKeys)
    if (key !== 'balancer' && keys.has(key) && !keys.has('balancer'))
      keys.fault(key, 'has no effect without the key balancer')
  if (keys.has('balancer') && !keys.has('backend'))
    keys.fault('balancer', 'also needs the key backend')
  if (hosts === undefined || backend === undefined) return undefined
  return { hosts, backend, ...balancer }
}

function pattern(text: string): string {
  if (/\p{Cc}/u.test(text)) throw invalid('has a control character')
  return text
}

/** Of a backend or a server, as haproxy allows them; placeholders may stand for any part of one. */
function name(text: string): string {
  if (!isHaproxyName(template(text).replaceAll(/\{[^{}]+\}/g, 'x')))
    throw invalid(`${JSON.stringify(text)} is not a name in haproxy: letters, digits and - _ . :`)
  return text
}

/** Whether haproxy takes it as the name of a backend or a server (configuration manual, 4). */
export const isHaproxyName = (text: string): boolean => /^[A-Za-z0-9_.:-]+$/.test(text)

function socket(text: string): string {
  if (!/^[/{]/.test(text)) throw invalid('needs the absolute path of the admin socket')
  return template(text)
}
