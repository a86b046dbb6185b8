import { words } from '../../session/words.ts'
import { httpRequest, httpWords } from '../../shell/http-request.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { checkSeconds, wholeSeconds } from '../seconds.ts'

/** What is waited for. */
export type Awaited =
  /** A TCP port that accepts connections; `address` is 127.0.0.1 unless you say otherwise. */
  | { port: number; address?: string }
  /** Something at a path. */
  | { path: string }
  /** An answer with this status (default 200) whose body holds a text. */
  | { http: string; status?: number | readonly number[]; body?: string }
  /** A command that succeeds, by sh. It runs with --check too: it is to look, and to change nothing. */
  | { command: string }

export interface WaitOptions extends CommonOptions {
  /** Until it is there no more: the port closed, the path gone, the answer or command failing. */
  absent?: boolean
  /** After that the step fails; default `5m`. */
  timeout?: string
  /** Between two looks; default `1s`. */
  interval?: string
}

const optionKinds: OptionKinds<Awaited & WaitOptions> = {
  port: 'number',
  address: 'text',
  absent: 'flag',
  timeout: 'text',
  interval: 'text',
  path: 'text',
  http: 'text',
  status: 'other',
  body: 'text',
  command: 'text',
}

/**
 * Waits on the host until something is so. The host looks for itself, so that a wait of any length is
 * one step and no round trip. It is never a change. With --check it looks once, and says what it would
 * wait for.
 * @throws {UsageError} recipe_invalid, when declared
 * @example waitFor({ port: 5432, timeout: '1m' })
 * @example waitFor({ http: 'http://localhost:8080/health', body: '"up"' })
 * @example waitFor({ path: '/run/app.lock', absent: true })
 */
export function waitFor(what: Awaited & WaitOptions): Resource {
  checkOptions('waitFor', what, optionKinds)
  const { absent = false, timeout = '5m', interval = '1s' } = what
  const kinds = ['port', 'path', 'http', 'command'].filter(
    kind => (what as unknown as Record<string, unknown>)[kind] !== undefined,
  )
  if (kinds.length !== 1)
    throw invalidOption('waitFor', 'needs exactly one of port, path, http and command')
  const { kind, said, target, more } = awaited(what)
  const whole = absent ? `${said} to be gone` : said
  const title = `wait for ${whole}`
  return declare({
    title,
    options: what,
    call: {
      name: 'hw_wait_for',
      args: [
        kind,
        target,
        ...words({
          what: whole,
          gone: absent,
          seconds: wholeSeconds(title, 'the timeout', timeout),
          interval: checkSeconds(title, 'the interval', interval),
          ...more,
        }),
      ],
    },
  })
}

/** What hw_wait_for looks for, and what people read. */
function awaited(what: Awaited): {
  kind: string
  said: string
  target: string
  more?: Parameters<typeof words>[0]
} {
  const title = 'waitFor'
  if ('path' in what) {
    const path = checkPath(title, what.path)
    return { kind: 'path', said: path, target: path }
  }
  if ('command' in what) {
    if (what.command.trim() === '' || what.command.includes('\0'))
      throw invalidOption(title, 'the command is empty or contains a NUL character')
    const said = what.command.trim().split('\n', 1)[0]!.slice(0, 60)
    return { kind: 'command', said, target: what.command }
  }
  if ('port' in what) {
    const { port, address = '127.0.0.1' } = what
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw invalidOption(title, `the port ${JSON.stringify(port)} is not one`)
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(address))
      throw invalidOption(title, `the address ${JSON.stringify(address)} is not one`)
    const full = `${address.includes(':') ? `[${address}]` : address}:${port}`
    return { kind: 'port', said: `port ${full}`, target: full }
  }
  return awaitedAnswer(title, what)
}

function awaitedAnswer(
  title: string,
  { http, status = 200, body }: Extract<Awaited, { http: string }>,
) {
  const request = /[\0-\x20\x7f]/.test(http) ? undefined : httpRequest(http)
  if (!request)
    throw invalidOption(title, `${JSON.stringify(http)} is not the URL of an HTTP server`)
  if (new URL(http).password !== '')
    throw invalidOption(title, 'a password in the URL would show in the host’s process list')
  const statuses = [status].flat()
  for (const each of statuses) {
    if (!Number.isInteger(each) || each < 100 || each > 599)
      throw invalidOption(title, `${JSON.stringify(each)} is not an HTTP status`)
  }
  if (body?.includes('\0')) throw invalidOption(title, 'the body contains a NUL character')
  const { socket: _socket, ca: _ca, ...asked } = httpWords(request)
  return {
    kind: 'http',
    said: http,
    target: request.url.href,
    more: { status: statuses.join(' '), body, ...asked },
  }
}
