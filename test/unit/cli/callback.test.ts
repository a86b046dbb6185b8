import { expect, test } from 'vitest'
import { prepareCallback } from '../../../lib/cli/callback.ts'

const url = 'https://example.org/hook'

test('there is none unless a URL is given by option, environment or bootstrap.ini', () => {
  expect(prepareCallback(undefined, {}, undefined)).toBeUndefined()
  expect(prepareCallback(undefined, { HOSTWRIGHT_CALLBACK_URL: '' }, undefined)).toBeUndefined()
  expect(prepareCallback(url, {}, undefined)).toBeDefined()
  expect(prepareCallback(undefined, { HOSTWRIGHT_CALLBACK_URL: url }, undefined)).toBeDefined()
  expect(prepareCallback(undefined, {}, url)).toBeDefined()
})

test('the option counts before the environment, and that before bootstrap.ini', () => {
  const wrong = 'no-url'
  expect(prepareCallback(url, { HOSTWRIGHT_CALLBACK_URL: wrong }, wrong)).toBeDefined()
  expect(prepareCallback(undefined, { HOSTWRIGHT_CALLBACK_URL: url }, wrong)).toBeDefined()
  expect(() => prepareCallback(wrong, { HOSTWRIGHT_CALLBACK_URL: url }, url)).toThrow()
})

test.each(['no-url', 'ftp://x/', ''])('a URL that can’t be is a usage error: %j', text => {
  if (text === '') return expect(prepareCallback(text, {}, undefined)).toBeUndefined()
  expect(() => prepareCallback(text, {}, undefined)).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  )
})

test('a secret that can’t be is found before the run', () => {
  const env = { HOSTWRIGHT_CALLBACK_SECRET: 'whsec_%%%' }
  expect(() => prepareCallback(url, env, undefined)).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  )
})

test('delivers nothing when the run never began', async () => {
  expect(await prepareCallback(url, {}, undefined)!.deliver()).toBeUndefined()
})

test('its signing key and the password in its URL are named as secrets, also a damaged one', () => {
  const secretsOf = (address: string, env = {}) => prepareCallback(address, env, undefined)?.secrets
  expect(secretsOf(url, { HOSTWRIGHT_CALLBACK_SECRET: 'sign-with-this' })).toContain(
    'sign-with-this',
  )
  expect(secretsOf('https://me:a%20b@example.org/')).toEqual(['a%20b', 'a b'])
  expect(secretsOf('https://me:50%@example.org/')).toContain('50%')
})
