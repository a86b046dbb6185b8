/** What an interrupted run still waits for, said to the person. */
import type { Subscriber } from '../events.ts'

export interface Waiting {
  subscriber: Subscriber
  /** Says what is waited for, now and again after a while, until `end`. */
  begin(): void
  end(): void
}

/** How often it is said. */
const againMs = 30_000

/** With more hosts than this, the rest are counted. */
const mostHosts = 5

/** @param say shows a line to the person */
export function createWaiting(say: (line: string) => void): Waiting {
  /** Hosts that are at work, with the steps that run on them. */
  const hosts = new Map<string, Map<string, string>>()
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    if (hosts.size === 0) return
    const named = [...hosts].slice(0, mostHosts).map(([host, steps]) => {
      const last = [...steps.values()].at(-1)
      return last === undefined ? host : `${host} (${last})`
    })
    const more = hosts.size > mostHosts ? ` and ${hosts.size - mostHosts} more` : ''
    say(`Waiting for ${named.join(', ')}${more}.`)
  }
  return {
    subscriber: event => {
      if (event.type === 'host.start') hosts.set(event.host, new Map())
      if (event.type === 'host.end') hosts.delete(event.host)
      if (event.type === 'step.start') hosts.get(event.host)?.set(event.step, event.title)
      if (event.type === 'step.end') hosts.get(event.host)?.delete(event.step)
    },
    begin: () => {
      tell()
      timer ??= setInterval(tell, againMs).unref()
    },
    end: () => clearInterval(timer),
  }
}
