import { describe, expect, test } from 'vitest'
import type { Catalogue } from '../../../lib/bootstrap/definitions.ts'
import { UsageError } from '../../../lib/errors.ts'
import { createFaults } from '../../../lib/faults.ts'
import {
  type ArgumentTypes,
  assignment,
  integer,
  mode,
  oneOf,
  optional,
  parseArguments,
  product,
  readValues,
  rest,
  role,
  string,
  usage,
} from '../../../lib/recipe/arguments.ts'

const catalogue = () =>
  ({
    modes: ['active', 'maintenance'],
    roles: new Map([['web', { name: 'web', products: [] }]]),
    products: new Map([['haproxy', { name: 'haproxy' }]]),
  }) as unknown as Catalogue

const parse = (types: ArgumentTypes, ...words: string[]) =>
  parseArguments(types, words, { catalogue })
const refused = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) })

test('each word is the value of the argument at its position', () => {
  const types = { name: string(), count: integer(), color: oneOf(['red', 'green']) }
  expect(parse(types, '1.10', '-7', 'green')).toEqual({ name: '1.10', count: -7, color: 'green' })
})

describe('argument values', () => {
  test.each(['1.5', '', 'x', '0x10', '1e3', ' 1', '9'.repeat(20), '--1'])(
    '%j is not accepted as a whole number',
    text =>
      expect(() => parse({ n: integer() }, text)).toThrow(refused('invalid_value', 'whole number')),
  )

  test.each([
    ['product', product(), 'haprox', 'did you mean haproxy?'],
    ['role', role(), 'wbe', 'did you mean web?'],
    ['mode', mode(), 'activ', 'did you mean active?'],
    ['value', oneOf(['red', 'green']), 'gren', 'did you mean green?'],
  ])('an unknown %s is refused, with the nearest one', (kind, type, text, message) => {
    expect(() => parse({ x: type }, text)).toThrow(refused('unknown_name', message))
    expect(() => parse({ x: type }, text)).toThrow(kind)
  })

  test('bootstrap.ini is read only for values that are checked against it', () => {
    const none = {
      catalogue: () => {
        throw new Error('there is no bootstrap.ini')
      },
    }
    expect(parseArguments({ s: string(), r: optional(role()) }, ['x'], none)).toEqual({ s: 'x' })
    expect(() => parseArguments({ r: role() }, ['x'], none)).toThrow('there is no bootstrap.ini')
  })
})

test('all invalid arguments are reported at once, with the code of the first', () => {
  const types = { n: integer(), role: role(), more: optional(integer()) }
  const message = [
    'the argument n: "x" is not a whole number',
    "unknown role 'wbe': did you mean web?",
    'the argument more: "y" is not a whole number',
    '"z" is one argument too many',
  ].join('\n')
  expect(() => parse(types, 'x', 'wbe', 'y', 'z')).toThrow(
    expect.objectContaining({ code: 'invalid_value', message }),
  )
})

describe('the number of arguments', () => {
  test('a missing argument is named, a surplus word is shown', () => {
    expect(() => parse({ a: string(), b: string() }, 'x')).toThrow(
      refused('usage', '<b> is missing'),
    )
    expect(() => parse({ a: string() }, 'x', 'y z')).toThrow(
      refused('usage', '"y z" is one argument too many'),
    )
    expect(() => parse({}, 'x')).toThrow(
      expect.objectContaining({ details: { hint: 'usage: no arguments' } }),
    )
  })

  test('an optional argument may be left out', () => {
    expect(parse({ a: string(), b: optional(integer()) }, 'x')).toEqual({ a: 'x', b: undefined })
    expect(parse({ a: string(), b: optional(integer()) }, 'x', '3')).toEqual({ a: 'x', b: 3 })
  })

  test('a rest argument is a list with at least one value unless it is optional', () => {
    const types = { a: string(), more: rest(integer()) }
    expect(parse(types, 'x', '1', '2')).toEqual({ a: 'x', more: [1, 2] })
    expect(() => parse(types, 'x')).toThrow(refused('usage', '<more> is missing'))
    expect(parse({ more: optional(rest(string())) })).toEqual({ more: [] })
    expect(() => parse(types, 'x', '1', 'y')).toThrow(refused('invalid_value', '"y"'))
  })
})

test('the usage line shows which arguments are optional and which are lists', () => {
  expect(usage({ product: product(), version: optional(string()) })).toBe('<product> [version]')
  expect(usage({ product: product(), settings: rest(string()) })).toBe('<product> <...settings>')
  expect(usage({ names: optional(rest(string())) })).toBe('[...names]')
  expect(usage({})).toBe('')
})

describe('values that are not on the command line', () => {
  const types = { name: string(), settings: rest(assignment()) }
  const sources = {
    file: async (path: string) => {
      if (path.startsWith('none'))
        throw new UsageError('secret_missing', `can’t read the file ${path}`)
      return `content of ${path}`
    },
    input: async (key: string) => `typed for ${key}`,
  }
  const read = async (...words: string[]) => {
    const faults = createFaults()
    const values = await readValues(types, words, sources, faults)
    faults.throwAny()
    return values
  }

  test.each([
    ['a=@secrets/a b', 'a=content of secrets/a b'],
    ['a=-', 'a=typed for a'],
    ['a=@@literal', 'a=@literal'],
    ['a=@@', 'a=@'],
    ['a=x@y', 'a=x@y'],
    ['a=--', 'a=--'],
    ['a=', 'a='],
    ['a=b=@c', 'a=b=@c'],
    ['no assignment', 'no assignment'],
    ['=@x', '=@x'],
  ])('%j is read as %j', async (word, expected) => {
    expect(await read('n', 'x=1', word)).toEqual(['n', 'x=1', expected])
  })

  test('are read only for arguments that assign', async () => {
    expect(await read('n=@x', 'a=@x')).toEqual(['n=@x', 'a=content of x'])
    const words = ['n=-', 'more=-']
    expect(await readValues({ n: string() }, words, {} as never, createFaults())).toEqual(words)
  })

  test('are refused with their key if they can’t be read', async () => {
    await expect(read('n', 'a=@none')).rejects.toEqual(
      refused('invalid_value', 'a: can’t read the file none'),
    )
  })

  test('that can’t be read are all reported, and leave the others to be checked', async () => {
    await expect(read('n', 'a=@none', 'b=1', 'c=@none2')).rejects.toThrow(
      'a: can’t read the file none\nc: can’t read the file none2',
    )
    const faults = createFaults()
    const words = await readValues(types, ['n', 'a=@none', 'b=1'], sources, faults)
    expect(parseArguments(types, words, { catalogue })).toEqual({ name: 'n', settings: ['b=1'] })
    const none = await readValues(types, ['n', 'a=@none'], sources, faults)
    expect(parseArguments(types, none, { catalogue })).toEqual({ name: 'n', settings: [] })
  })
})
