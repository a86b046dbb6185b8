import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { isBootstrapError, type UsageError } from '../../../lib/errors.ts'
import { emptyInventory } from '../../../lib/inventory/load.ts'
import { isLocalPattern, selectHosts } from '../../../lib/inventory/pattern.ts'
import { parseInventory } from '../../support/inventory.ts'

const text = 'db1\n[web]\nweb[1:3]\n[eu]\nweb3\nweb1\n[idle]\n[all:vars]\nuser=ops\n'
const inventory = parseInventory(text, { file: '/p/hosts.ini', environment: 'p' })

const names = (pattern: string) => selectHosts(inventory, pattern).map(host => host.name)

function refusalOf(pattern: string): UsageError {
  try {
    names(pattern)
  } catch (error) {
    if (isBootstrapError(error)) return error
    throw error
  }
  throw new Error('the pattern was accepted')
}

it('returns each host once in file order, whatever the order of the pattern', () => {
  expect(names('eu,web2,db1,web')).toEqual(['db1', 'web1', 'web2', 'web3'])
})

it('counts a slice in the group’s own order', () => {
  expect(names('eu[0]')).toEqual(['web3'])
})

it('applies & before !, wherever they are', () => {
  expect(names('!web1:&eu:web')).toEqual(['web3'])
})

describe('localhost', () => {
  it('exists without being in the inventory, with a local connection and the variables of all', () => {
    expect(selectHosts(inventory, 'localhost')).toMatchObject([
      {
        name: 'localhost',
        connection: 'local',
        address: '127.0.0.1',
        vars: { user: 'ops' },
        groups: [],
      },
    ])
  })

  it('is not part of all, and comes last', () => {
    expect(names('all')).not.toContain('localhost')
    expect(names('localhost:db1')).toEqual(['db1', 'localhost'])
  })

  it('is the inventory’s host if it has one', () => {
    const own = parseInventory('localhost ansible_port=2222', { file: 'h', environment: 'e' })
    expect(selectHosts(own, 'localhost')).toMatchObject([{ connection: 'ssh', port: 2222 }])
  })

  it('is the only host of an empty inventory', () => {
    const empty = emptyInventory('/p', { root: '/tmp/box' })
    expect(selectHosts(empty, 'localhost')).toMatchObject([
      { connection: 'local', root: '/tmp/box' },
    ])
    expect(() => selectHosts(empty, 'all')).toThrow("'all' matches no host")
  })

  it.each([
    ['localhost', true],
    ['127.0.0.1,localhost', true],
    ['::1', true],
    ['localhost:web', false],
    ['all', false],
    ['', false],
  ])('needs no inventory for %j: %s', (pattern, local) => {
    expect(isLocalPattern(pattern)).toBe(local)
  })
})

it.each([
  ['wbe', "unknown host or group 'wbe': did you mean web?"],
  ['web:!web4', "unknown host or group 'web4': did you mean web, web1 or web2?"],
  ['web9[0]', "unknown host or group 'web9': did you mean web, web1 or web2?"],
  [
    'x\u001b[1m',
    "unknown host or group 'x\\u{1b}': known: all, ungrouped, web, eu, idle, db1, web1, web2, web3, localhost",
  ],
])('refuses the unknown name in %j and suggests the nearest', (pattern, message) => {
  expect(refusalOf(pattern)).toMatchObject({ code: 'unknown_name', exitCode: 2, message })
})

it.each(['idle', 'web:!web', '~zzz', 'zzz*', 'db1:&web', 'web[7]', 'web[-7]', 'web[5:9]'])(
  'refuses %s, which matches no host',
  pattern => {
    expect(refusalOf(pattern)).toMatchObject({ code: 'no_hosts', exitCode: 2 })
  },
)

it.each(['', ' ', ':', ',', '~(', '~[z-a]'])('refuses %j, which is no pattern', pattern => {
  expect(refusalOf(pattern)).toMatchObject({ code: 'usage', exitCode: 2 })
})

it('explains that commas exclude colons, and that a pattern can’t have a port', () => {
  expect(refusalOf('web:eu,db1').details.hint).toMatch(/separate terms with commas only/)
  expect(refusalOf('web1:22').details.hint).toMatch(/can’t have a port/)
})

describe('a pattern that would be tried in every possible way is answered at once', () => {
  const long = 'a'.repeat(250)
  const one = parseInventory(`${long}\n`, { file: '/p/hosts.ini', environment: 'p' })

  // The tests before had only patterns that JavaScript’s own engine matches at once.
  it.each([
    '~(a+)+b',
    '~(a|a)*b',
    '~([a-z]+)*[0-9]',
    '~(.*a){20}b',
    '~(?i)(A+)+$b',
    `${'*a'.repeat(20)}b`,
  ])('%s', pattern => {
    const began = performance.now()
    expect(() => selectHosts(one, pattern)).toThrow('matches no host')
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

it.each(['~web(?!3)', '~(?=web)w', '~(?<!a)web', '~(w)eb\\1', '~(?P<n>w)eb(?P=n)', '~web(?<=b)'])(
  'refuses %s, which can’t be matched in linear time',
  pattern => {
    const refusal = refusalOf(pattern)
    expect(refusal).toMatchObject({ code: 'usage', exitCode: 2 })
    expect(refusal.message).toMatch(/no lookaround, no backreferences/)
  },
)

it('loads RE2 only for a regular expression', () => {
  const program = `
    import { createRequire } from 'node:module'
    import { emptyInventory } from './lib/inventory/load.ts'
    import { selectHosts } from './lib/inventory/pattern.ts'
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(name => name.includes('re2js'))
    selectHosts(emptyInventory('/p'), 'localhost,!x*')
    const before = loaded()
    selectHosts(emptyInventory('/p'), 'localhost,!~x')
    console.log(before, loaded())`
  const words = ['--import', 'tsx', '--input-type=module', '-e', program]
  expect(String(execFileSync(process.execPath, words)).trim()).toBe('false true')
})
