import { describe, expect, test } from 'vitest'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import { awks, describeEach, testHost } from '../support/shells.ts'

resourceTable(
  'hosts',
  [
    {
      name: 'an address and its names',
      given: 'printf "127.0.0.1\\tlocalhost\\n::1\\tlocalhost\\n" >hosts',
      wanted: at => hosts('10.0.0.5', { names: ['db.example.com', 'db'], path: at('hosts') }),
      holds: '[ "$(sed -n 2p hosts)" = "10.0.0.5\tdb.example.com db" ]',
      drift: [
        'sed -i "s/ db$//" hosts',
        'sed -i /10.0.0.5/d hosts',
        'echo "10.0.0.6 db other" >>hosts',
      ],
      note: 'added',
    },
    {
      name: 'an address without a line',
      given: 'printf "10.0.0.1 a\\n10.0.0.2 b # b\\n10.0.0.1 c\\n" >hosts',
      wanted: at => hosts('10.0.0.1', { absent: true, path: at('hosts') }),
      holds: '[ "$(cat hosts)" = "10.0.0.2 b # b" ]',
      drift: ['echo "  10.0.0.1 d" >>hosts'],
      note: 'removed',
    },
    {
      name: 'a file that is not there is made',
      wanted: at => hosts('::1', { names: 'localhost', path: at('new') }),
      holds: '[ "$(cat new)" = "::1\tlocalhost" ]',
      drift: ['rm new'],
      note: 'created, added',
    },
  ],
  { host: directoryHost },
)

describeEach(awks, 'hosts with $name', awk => {
  test.each([
    ['letter case does not count', '10.0.0.1 A B\n', { names: ['a', 'b'] }, '10.0.0.1 A B\n'],
    ['their order counts', '10.0.0.1 a b\n', { names: ['b', 'a'] }, '10.0.0.1 b a\n'],
    [
      'other names of the line of that name go',
      '10.0.0.1 a x y # c\n',
      { names: 'a' },
      '10.0.0.1 a # c\n',
    ],
    [
      'another line of the address stays',
      '10.0.0.1 x\n',
      { names: 'a' },
      '10.0.0.1 x\n10.0.0.1 a\n',
    ],
    [
      'unless it is to be the only one',
      '10.0.0.1\tx\n10.0.0.1 y\n',
      { names: 'a', exclusive: true },
      '10.0.0.1\ta\n',
    ],
    [
      'a name is taken from the first place',
      '10.0.0.2  a   b\n',
      { names: 'a' },
      '10.0.0.2  b\n10.0.0.1  a\n',
    ],
    [
      'and from the middle',
      '10.0.0.2  x  a  b#c\n',
      { names: 'a' },
      '10.0.0.2  x  b#c\n10.0.0.1  a\n',
    ],
    ['IPv6 keeps its names', '::1 a\n', { names: 'a' }, '::1 a\n10.0.0.1 a\n'],
    [
      'what is a comment is none',
      '#10.0.0.1 a\n# x\n',
      { names: 'a' },
      '#10.0.0.1 a\n# x\n10.0.0.1\ta\n',
    ],
    [
      'a longer address is another',
      '110.0.0.1 z\n10.0.0.11 y\n',
      { names: 'a' },
      '110.0.0.1 z\n10.0.0.11 y\n10.0.0.1 a\n',
    ],
    [
      'some names go',
      '10.0.0.1 a b c\n10.0.0.2 a\n',
      { names: ['c', 'a'], absent: true },
      '10.0.0.1 b\n10.0.0.2 a\n',
    ],
    ['no final newline', '10.0.0.1 a', { names: ['a', 'b'] }, '10.0.0.1 a b'],
  ])('%s', async (_, before, options, after) => {
    const host = await testHost({ awk })
    await host.write('hosts', before)
    const call = hosts('10.0.0.1', { ...options, path: host.at('hosts') }).call
    expect(await host.run(call)).toMatchObject({ status: before === after ? 'ok' : 'changed' })
    expect((await host.read('hosts')).toString()).toBe(after)
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })
})

describe('what can’t be is refused where it is declared', () => {
  test.each([
    ['no address', () => hosts('10.0.0', { names: 'a' }), 'is not an IP address'],
    ['no names', () => hosts('10.0.0.1', {}), 'give its names'],
    ['a name that is none', () => hosts('10.0.0.1', { names: 'a b' }), 'can’t be the name'],
    ['a name twice', () => hosts('10.0.0.1', { names: ['a', 'A'] }), 'named twice'],
    [
      'absent and exclusive',
      () => hosts('10.0.0.1', { absent: true, exclusive: true }),
      'contradict',
    ],
    ['a relative path', () => hosts('10.0.0.1', { names: 'a', path: 'hosts' }), 'not absolute'],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/hosts\.test\.ts:\d+/) }),
      }),
    )
  })
})
