/** A client that asks balancers at a steady rate, never twice, and keeps each request that fails. */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface Failure {
  /** When it was sent, in milliseconds since the epoch. */
  at: number
  url: string
  /** Whether its connection may have been used before. */
  keptAlive: boolean
  /** `status 503`, or the code of the error. */
  kind: string
  /** How long it took, in milliseconds. */
  ms: number
}

export interface SteadyClient {
  readonly sent: number
  /** How many got an answer of the kind that is wanted. */
  readonly good: number
  readonly failures: readonly Failure[]
  /** How many answers each body has been, such as the version that answers. */
  readonly bodies: ReadonlyMap<string, number>
  /** Sends no more. @returns once all have their answers */
  stop(): Promise<void>
}

/** How often what is due is sent, in milliseconds: several at once where this process has been late. */
const tickMs = 5

/**
 * Asks these in turn. Every second request goes over connections that are kept, the others over one each.
 * @param perSecond of all together
 */
export function startClient(
  urls: readonly string[],
  { perSecond = 200, timeoutMs = 20_000 } = {},
): SteadyClient {
  const kept = new Agent({ keepAlive: true })
  const single = new Agent({ keepAlive: false })
  const failures: Failure[] = []
  const bodies = new Map<string, number>()
  const open = new Set<Promise<void>>()
  let [sent, good] = [0, 0]
  const send = () => {
    // Each balancer gets both kinds.
    const url = urls[Math.floor(sent / 2) % urls.length]!
    const keptAlive = sent % 2 === 1
    sent++
    const at = Date.now()
    const asked = ask(url, keptAlive ? kept : single, timeoutMs).then(({ kind, body }) => {
      if (kind === undefined) {
        good++
        bodies.set(body, (bodies.get(body) ?? 0) + 1)
      } else failures.push({ at, url, keptAlive, kind, ms: Date.now() - at })
      open.delete(asked)
    })
    open.add(asked)
  }
  const since = Date.now()
  const ticks = setInterval(() => {
    const due = Math.floor(((Date.now() - since) * perSecond) / 1000)
    while (sent < due) send()
  }, tickMs)
  return {
    get sent() {
      return sent
    },
    get good() {
      return good
    },
    failures,
    bodies,
    stop: async () => {
      clearInterval(ticks)
      while (open.size > 0) await Promise.race([Promise.all(open), delay(100)])
      kept.destroy()
      single.destroy()
    },
  }
}

/** Never rejects. */
function ask(
  url: string,
  agent: Agent,
  timeoutMs: number,
): Promise<{ kind?: string; body: string }> {
  return new Promise(resolve => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ kind: error.code ?? error.message, body: '' })
    const request = get(url, { agent, signal: AbortSignal.timeout(timeoutMs) }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('error', failed)
      response.on('end', () => {
        const { statusCode } = response
        resolve(statusCode === 200 ? { body: body.trim() } : { kind: `status ${statusCode}`, body })
      })
    })
    request.on('error', failed)
  })
}
