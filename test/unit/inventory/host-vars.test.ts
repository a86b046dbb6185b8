import { describe, expect, test } from 'vitest'
import { hostVars } from '../../../lib/inventory/host-vars.ts'

const plain = { app_port: '8080', empty: '' }
const vars = hostVars('web1', plain)

describe('a variable of a host', () => {
  test('is read by its name, also an empty one', () => {
    expect(vars.app_port).toBe('8080')
    expect(vars.empty).toBe('')
  })

  test('is an error when the host does not have it, with the nearest name', () => {
    const read = () => `port ${vars.app_prot}`
    expect(read).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: 'web1 has no variable app_prot',
        details: { hint: expect.stringMatching(/^Did you mean app_port\? .*maybe\('app_prot'\)/) },
      }),
    )
    expect(() => vars['app-port']).toThrow('web1 has no variable app-port')
  })

  test('may be missing if it is asked for so', () => {
    expect(vars.maybe('app_port')).toBe('8080')
    expect(vars.maybe('app_prot')).toBeUndefined()
    expect(hostVars('web1', { maybe: 'x' }).maybe('maybe')).toBe('x')
    // What every object inherits is no variable.
    expect(vars.maybe('constructor')).toBeUndefined()
  })

  test('is taken apart with a default only if it is optional', () => {
    expect(() => {
      const { role = 'web' } = vars
      return role
    }).toThrow('web1 has no variable role')
  })
})

test('variables are listed, copied, compared and put into JSON as those of any object', async () => {
  expect(Object.keys(vars)).toEqual(['app_port', 'empty'])
  expect('app_prot' in vars).toBe(false)
  expect('app_port' in vars).toBe(true)
  expect({ ...vars }).toEqual(plain)
  expect(vars).toEqual(plain)
  expect(JSON.stringify(vars)).toBe(JSON.stringify(plain))
  // A promise looks for `then`.
  expect(await Promise.resolve(vars)).toBe(vars)
})

test('variables can’t be changed', () => {
  expect(() => {
    ;(vars as Record<string, unknown>).app_port = '1'
  }).toThrow(TypeError)
})
