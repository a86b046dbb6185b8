import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import { checkCallbackUrl, type Delivery, deliverCallback } from '../../../lib/callbacks/deliver.ts'
import { messageOf } from '../../../lib/callbacks/document.ts'
import { document } from './fake-document.ts'

const message = messageOf(document)

type Answer = (response: ServerResponse) => void

interface Receiver {
  url: string
  requests: {
    headers: IncomingHttpHeaders
    body: string
    method?: string
    path?: string
    at: number
  }[]
}

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(closers.splice(0).map(close => close()))
})

/** A receiver with these answers in turn, repeating the last one. */
async function receive(...answers: Answer[]): Promise<Receiver> {
  const requests: Receiver['requests'] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { headers, method, url: path } = request
    const answer = answers[Math.min(requests.length, answers.length - 1)]!
    requests.push({ headers, body, method, path, at: performance.now() })
    answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/secret-path?token=t0p`,
    requests,
  }
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  response =>
    response.writeHead(code, headers).end('a body')
const silence: Answer = () => {}
const hangUp: Answer = response => response.destroy()

async function deliver(url: string, options: Partial<Delivery> = {}) {
  const reasons: string[] = []
  const onRetry = ({ attempt, reason }: { attempt: number; reason: string }) => {
    reasons.push(`${attempt}: ${reason.replace(/:\d+/, '')}`)
  }
  const result = await deliverCallback({
    url,
    message,
    minDelayMs: 1,
    retries: 3,
    onRetry,
    ...options,
  })
  return { result, reasons }
}

const reasonOf = (result: Awaited<ReturnType<typeof deliverCallback>>) =>
  result.delivered ? 'delivered' : result.reason.replace(/:\d+/, '')

describe('deliverCallback', () => {
  it('posts the document once if the receiver accepts it', async () => {
    const { url, requests } = await receive(status(204))
    const { result, reasons } = await deliver(url)
    expect(result).toEqual({ delivered: true })
    expect(reasons).toEqual([])
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ method: 'POST', path: '/hooks/secret-path?token=t0p' })
    expect(requests[0]!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(requests[0]!.body)).toEqual(document)
    expect(requests[0]!.headers['webhook-signature']).toBeUndefined()
  })

  it('retries until it is accepted, with the same id and a valid signature each time', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const { url, requests } = await receive(status(500), hangUp, status(200))
    const { result, reasons } = await deliver(url, { secret })
    expect(result).toEqual({ delivered: true })
    expect(reasons).toEqual([
      '2: http://127.0.0.1 answered 500 Internal Server Error',
      '3: http://127.0.0.1: connection closed without an answer',
    ])
    expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(3).fill(`msg_${document.run}`),
    )
    for (const { body, headers } of requests) {
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(document)
    }
  })

  it('has another id for a further end of the run, which is no duplicate of the first', async () => {
    const { url, requests } = await receive(status(204))
    await deliverCallback({ url, message: messageOf({ ...document, attempt: 2 }, { time: 2 }) })
    expect(requests[0]!.headers['webhook-id']).toBe(`msg_${document.run}-2`)
  })

  it.each([408, 429, 502, 503])('retries after %i', async code => {
    const { url, requests } = await receive(status(code), status(200))
    expect((await deliver(url)).result).toEqual({ delivered: true })
    expect(requests).toHaveLength(2)
  })

  it('waits as long as Retry-After says', async () => {
    const { url, requests } = await receive(status(429, { 'retry-after': '1' }), status(200))
    expect((await deliver(url)).result).toEqual({ delivered: true })
    expect(requests[1]!.at - requests[0]!.at).toBeGreaterThanOrEqual(990)
  })

  it('ignores a Retry-After that has passed or is not a date', async () => {
    const past = status(503, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' })
    const { url } = await receive(past, status(503, { 'retry-after': 'soon' }), status(200))
    expect((await deliver(url)).result).toEqual({ delivered: true })
  })

  it.each([400, 401, 404, 410])('does not retry after %i', async code => {
    const { url, requests } = await receive(status(code), status(200))
    expect(reasonOf((await deliver(url)).result)).toMatch(`http://127.0.0.1 answered ${code}`)
    expect(requests).toHaveLength(1)
  })

  it('gives up after the last attempt and reports its reason', async () => {
    const { url, requests } = await receive(status(500), status(503))
    const { result } = await deliver(url)
    expect(reasonOf(result)).toBe('http://127.0.0.1 answered 503 Service Unavailable')
    expect(requests).toHaveLength(4)
  })

  it('does not follow a redirect and reports its target', async () => {
    const target = 'https://user:pass@elsewhere.example/hook?token=t0p'
    const { url, requests } = await receive(status(307, { location: target }))
    expect(reasonOf((await deliver(url)).result)).toBe(
      'http://127.0.0.1 answered 307 Temporary Redirect, pointing to https://elsewhere.example/hook; redirects are not followed',
    )
    expect(requests).toHaveLength(1)
  })

  it('times out each attempt', async () => {
    const { url, requests } = await receive(silence, status(200))
    const { result, reasons } = await deliver(url, { timeoutMs: 200 })
    expect(result).toEqual({ delivered: true })
    expect(reasons).toEqual(['2: http://127.0.0.1: no answer in 200 ms'])
    expect(requests).toHaveLength(2)
  })

  it('reports a refused connection', async () => {
    const { url } = await receive(status(200))
    await closers.pop()!()
    expect(reasonOf((await deliver(url, { retries: 1 })).result)).toBe(
      'http://127.0.0.1: connection refused',
    )
  })

  it('sends credentials in the URL as basic authentication and never reports them', async () => {
    const { url, requests } = await receive(status(500))
    const { result, reasons } = await deliver(url.replace('//', '//us%40er:p%C3%A4ss@'))
    const expected = `Basic ${Buffer.from('us@er:päss').toString('base64')}`
    expect(requests[0]!.headers.authorization).toBe(expected)
    expect([reasonOf(result), ...reasons].join()).not.toMatch(/us|p%C3|päss|secret-path|t0p/)
  })

  it('never throws, whatever it is given', async () => {
    expect(await deliverCallback({ url: 'nonsense', message })).toEqual({
      delivered: false,
      reason: 'the callback URL is not a URL',
    })
    const { url, requests } = await receive(status(200))
    // A retry would not help.
    const { result, reasons } = await deliver(url, { secret: 'whsec_!' })
    expect(reasonOf(result)).toBe('the callback secret is empty, or not base64 after whsec_')
    expect(reasons).toEqual([])
    expect(requests).toHaveLength(0)
    const env = { http_proxy: 'socks5://127.0.0.1:1' }
    expect(reasonOf((await deliver(url, { env })).result)).toContain('can’t use the socks5 proxy')
  })
})

describe('a delivery that waits', () => {
  it('says for how long before it does, and ends at once when it is stopped', async () => {
    const { url, requests } = await receive(status(503, { 'retry-after': '50' }))
    const stop = new AbortController()
    const waits: number[] = []
    const onRetry: Delivery['onRetry'] = ({ waitMs, of }) => {
      waits.push(waitMs, of)
      stop.abort()
    }
    const result = await deliverCallback({ url, message, onRetry, signal: stop.signal })
    expect(result).toEqual({ delivered: false, reason: 'interrupted' })
    expect(waits).toEqual([50_000, 5])
    expect(requests).toHaveLength(1)
  })

  it('ends in the middle of an attempt, too', async () => {
    const { url } = await receive(silence)
    const signal = AbortSignal.timeout(50)
    const result = await deliverCallback({ url, message, signal })
    expect(result).toEqual({ delivered: false, reason: 'interrupted' })
  })
})

describe('checkCallbackUrl', () => {
  it('accepts http and https', () => {
    expect(checkCallbackUrl('https://ops.example.com/hook').host).toBe('ops.example.com')
    expect(checkCallbackUrl('http://localhost:8080').port).toBe('8080')
  })

  it.each([
    ['ops.example.com:pw', 'the callback URL is neither http nor https but ops.example.com'],
    ['file:///etc/passwd', 'the callback URL is neither http nor https but file'],
    ['//user:pw@host', 'the callback URL is not a URL'],
    ['', 'the callback URL is not a URL'],
  ])('refuses %j', (text, message) => {
    expect(() => checkCallbackUrl(text)).toThrowError(
      expect.objectContaining({ code: 'invalid_value', exitCode: 2, message }),
    )
  })
})
