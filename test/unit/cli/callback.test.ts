import { expect, test } from 'vitest'
import { prepareCallback } from '../../../lib/cli/callback.ts'

const url = 'https://example.org/hook'

test('a callback needs a URL from an option, the environment or bootstrap.ini', () => {
  expect(prepareCallback({}, {}, undefined)).toBeUndefined()
  expect(prepareCallback({}, { HOSTWRIGHT_CALLBACK_URL: '' }, undefined)).toBeUndefined()
  expect(prepareCallback({ url }, {}, undefined)).toBeDefined()
  expect(prepareCallback({}, { HOSTWRIGHT_CALLBACK_URL: url }, undefined)).toBeDefined()
  expect(prepareCallback({}, {}, { callbackUrl: url })).toBeDefined()
})

test('the option overrides the environment, which overrides bootstrap.ini', () => {
  const wrong = 'no-url'
  expect(
    prepareCallback({ url }, { HOSTWRIGHT_CALLBACK_URL: wrong }, { callbackUrl: wrong }),
  ).toBeDefined()
  expect(
    prepareCallback({}, { HOSTWRIGHT_CALLBACK_URL: url }, { callbackUrl: wrong }),
  ).toBeDefined()
  expect(() =>
    prepareCallback({ url: wrong }, { HOSTWRIGHT_CALLBACK_URL: url }, { callbackUrl: url }),
  ).toThrow()
})

test.each(['no-url', 'ftp://x/', ''])('an invalid URL is refused: %j', text => {
  if (text === '') return expect(prepareCallback({ url: text }, {}, undefined)).toBeUndefined()
  expect(() => prepareCallback({ url: text }, {}, undefined)).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  )
})

test('an invalid secret is refused before the run', () => {
  const env = { HOSTWRIGHT_CALLBACK_SECRET: 'whsec_%%%' }
  expect(() => prepareCallback({ url }, env, undefined)).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  )
})

test('each of two secrets is hidden and checked', () => {
  const [one, two] = ['YQ==', 'Yg=='].map(each => `whsec_${each}`)
  const env = { HOSTWRIGHT_CALLBACK_SECRET: `${one} ${two}` }
  expect(prepareCallback({ url }, env)?.secrets).toEqual(expect.arrayContaining([one, two]))
  expect(() =>
    prepareCallback({ url }, { HOSTWRIGHT_CALLBACK_SECRET: `${one} whsec_%%%` }),
  ).toThrow(expect.objectContaining({ exitCode: 2 }))
})

test('an unknown event is refused before the run, with the nearest', () => {
  expect(() => prepareCallback({ url }, { HOSTWRIGHT_CALLBACK_EVENTS: 'run.start' })).toThrow(
    /did you mean run\.started/,
  )
})

test('events come from the option, else the environment, and need a URL where they are an option', () => {
  const env = { HOSTWRIGHT_CALLBACK_EVENTS: 'nonsense' }
  expect(prepareCallback({ url, events: 'host.failed, batch.completed' }, env)).toBeDefined()
  expect(() => prepareCallback({ url, events: 'host.fail' }, {})).toThrow(
    /did you mean host\.failed/,
  )
  expect(() => prepareCallback({ events: 'host.failed' }, {})).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining('needs a URL') }),
  )
})

test('nothing is delivered when the run never started', async () => {
  expect(await prepareCallback({ url }, {}, undefined)!.deliver()).toEqual([])
})

test('the signing key and the URL’s password are secrets, also if badly encoded', () => {
  const secretsOf = (address: string, env = {}) =>
    prepareCallback({ url: address }, env, undefined)?.secrets
  expect(secretsOf(url, { HOSTWRIGHT_CALLBACK_SECRET: 'sign-with-this' })).toContain(
    'sign-with-this',
  )
  expect(secretsOf('https://me:a%20b@example.org/')).toEqual(['a%20b', 'a b'])
  expect(secretsOf('https://me:50%@example.org/')).toContain('50%')
})
