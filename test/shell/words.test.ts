/** KEY=VALUE words of calls, as hw_words reads them. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { words } from '../../lib/session/words.ts'
import { describeEach, shells, testHost } from '../support/shells.ts'

describeEach(shells, 'words of a call under $name', shell => {
  /** Reads the words of these arguments, and prints `shown`. */
  const read = async (count: number, keys: string, args: readonly string[], shown: string) => {
    const host = await testHost({ shell })
    const define = `read_words() { hw_words ${count} '${keys}' "$@" && hw_put "${shown}"; }`
    const [, result] = await host.session.segment(
      [{ call: { name: 'eval', args: [define] } }, { call: { name: 'read_words', args } }],
      { check: false, diff: false },
    )
    return { host, result: result! }
  }

  test.each([
    ['quotes and blanks', `it's "a"  b\\ $HOME \`c\` *`],
    ['an equals sign', 'a=b=c'],
    ['newlines at its end', 'a\n\nb\n\n'],
    ['what another key looks like', 'other=x'],
    ['bytes beyond ASCII', 'ü€😀'],
    ['nothing', ''],
    ['a dash', '--'],
  ])('a value keeps %s', async (_, value) => {
    const args = ['first=1', ...words({ one: value, other: 'y' })]
    const shown = '<$hw_want_one><$hw_want_other><$1>'
    const { result } = await read(1, 'one other', args, shown)
    expect(`${result.stdout}`).toBe(`<${value}><y><first=1>`)
  })

  test('a key that is not given is empty, though an earlier step gave it', async () => {
    const { host } = await read(0, 'one other', ['one=1', 'other=2'], '')
    const result = await host.run({ name: 'hw_words', args: ['0', 'one', 'one=3'] })
    expect(result.status).toBe('ok')
    const shown = await host.run({ name: 'eval', args: ['hw_put "$hw_want_one $hw_want_other"'] })
    expect(`${shown.stdout}`).toBe('3 2')
    await host.run({ name: 'hw_words', args: ['0', 'one other'] })
    const none = await host.run({ name: 'eval', args: ['hw_put "<$hw_want_one$hw_want_other>"'] })
    expect(`${none.stdout}`).toBe('<>')
  })

  test('what stands behind -- is not read, and is counted', async () => {
    const args = ['/path', 'one=1', '--', 'one=2', 'three']
    const { result } = await read(1, 'one', args, '$hw_want_one $hw_skip $#')
    expect(`${result.stdout}`).toBe('1 3 5')
  })

  test.each([
    ['a key that is not one of them', 'two=x'],
    ['two keys as one', 'one other=x'],
    ['a pattern', '*=x'],
    ['no key', '=x'],
    ['no equals sign', 'one'],
    ['a command', 'one;touch "$hw_trap";=x'],
    ['a substitution', '$(touch "$hw_trap")=x'],
    ['a subscript', 'one[$(touch "$hw_trap")]=x'],
    ['a line end', 'one\nother=x'],
    ['nothing at all', ''],
  ])('%s is refused and run by nobody', async (_, word) => {
    const host = await testHost({ shell })
    const results = await host.segment([
      { name: 'eval', args: [`hw_trap=${host.at('trap')}`] },
      { name: 'hw_words', args: ['0', 'one other', 'one=1', word] },
    ])
    expect(results[1]).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${results[1]!.stderr}`).toBe('an argument is not one of one other \n')
    await expect(readFile(host.at('trap'))).rejects.toThrow('ENOENT')
  })
})

test('words leave out what is not given, and name a list once for each of its values', () => {
  expect(words({ a: undefined, b: false, c: true, d: '', e: 0, f: ['x', 'y=z'] })).toEqual([
    'c=yes',
    'd=',
    'e=0',
    'f=x',
    'f=y=z',
  ])
})
