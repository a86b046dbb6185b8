/** A headless Chromium, driven over a pipe by the DevTools protocol: no library, no port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

type Message = {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

export interface Page {
  /** The value of an expression in the page, which may be a promise. */
  evaluate<T>(expression: string): Promise<T>
  /** A key, as a person presses it. */
  press(key: string, text?: string): Promise<void>
  /** A PNG of what is visible. */
  screenshot(): Promise<Buffer>
  /** Exceptions, what the page’s policy has refused, and all else that the console has as an error. */
  readonly errors: readonly string[]
  /** The addresses of what was loaded. */
  readonly loaded: readonly string[]
  close(): Promise<void>
}

export interface View {
  width: number
  height?: number
  dark?: boolean
}

export interface Browser {
  open(url: string, view: View): Promise<Page>
  close(): Promise<void>
}

export async function startBrowser(): Promise<Browser> {
  const directory = await mkdtemp(join(tmpdir(), 'hw-chromium-'))
  const child = spawn(
    'chromium',
    [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
      ],
      ...['--disable-background-networking', '--disable-component-update', '--hide-scrollbars'],
      ...['--remote-debugging-pipe', `--user-data-dir=${directory}`, 'about:blank'],
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  )
  const { send, listen } = protocolOf(child)
  return {
    open: (url, view) => openPage(url, view, { send, listen }),
    close: async () => {
      const gone = once(child, 'exit')
      await send('Browser.close').catch(() => child.kill('SIGKILL'))
      await gone
      await rm(directory, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

type Protocol = ReturnType<typeof protocolOf>

function protocolOf(child: ChildProcess) {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<number, (message: Message) => void>()
  const listeners = new Set<(message: Message & { sessionId?: string }) => void>()
  let next = 1
  let held = ''
  output.setEncoding('utf8')
  output.on('data', (text: string) => {
    const messages = (held + text).split('\0')
    held = messages.pop()!
    for (const each of messages) {
      const message = JSON.parse(each) as Message
      if (message.id === undefined) for (const listener of listeners) listener(message)
      else waiting.get(message.id)?.(message)
    }
  })
  // What is asked of a browser that is gone has no answer.
  child.once('exit', () => {
    for (const settle of waiting.values()) settle({ error: { message: 'chromium has ended' } })
  })
  input.on('error', () => {})
  const send = async (method: string, params: object = {}, sessionId?: string) => {
    const id = next++
    const answer = new Promise<Message>(resolve => waiting.set(id, resolve))
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    const { result, error } = await answer
    waiting.delete(id)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as Record<string, never>
  }
  return {
    send,
    listen: (listener: (message: Message & { sessionId?: string }) => void) =>
      listeners.add(listener),
  }
}

async function openPage(url: string, view: View, { send, listen }: Protocol): Promise<Page> {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
  const ask = (method: string, params: object = {}) => send(method, params, sessionId)
  const errors: string[] = []
  const loaded: string[] = []
  let done = () => {}
  const ready = new Promise<void>(resolve => {
    done = resolve
  })
  listen(({ method, params, sessionId: from }) => {
    if (from !== sessionId) return
    if (method === 'Page.loadEventFired') done()
    if (method === 'Runtime.exceptionThrown') errors.push(JSON.stringify(params))
    if (method === 'Log.entryAdded') {
      const { level, text } = params!.entry as { level: string; text: string }
      if (level === 'error') errors.push(text)
    }
    if (method === 'Network.requestWillBeSent')
      loaded.push((params!.request as { url: string }).url)
  })
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await ask(`${domain}.enable`)
  const { width, height = 900, dark = false } = view
  await ask('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: false,
  })
  await ask('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  })
  await ask('Page.navigate', { url })
  await ready
  return {
    errors,
    loaded,
    evaluate: async <T>(expression: string) => {
      const answer = (await ask('Runtime.evaluate', {
        ...{ expression, awaitPromise: true, returnByValue: true },
      })) as unknown as { result: { value: T }; exceptionDetails?: unknown }
      if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails))
      return answer.result.value
    },
    press: async (key, text) => {
      const code = { Enter: 13, Tab: 9, Escape: 27 }[key]
      const how = { key, windowsVirtualKeyCode: code, text: key === 'Enter' ? '\r' : text }
      await ask('Input.dispatchKeyEvent', { type: 'keyDown', ...how })
      await ask('Input.dispatchKeyEvent', { type: 'keyUp', ...how, text: undefined })
    },
    screenshot: async () => {
      const { data } = await ask('Page.captureScreenshot', { format: 'png' })
      return Buffer.from(data as unknown as string, 'base64')
    },
    close: async () => {
      await send('Target.closeTarget', { targetId })
    },
  }
}
