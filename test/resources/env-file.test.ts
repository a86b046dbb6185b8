import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, awks, describeEach, testHost } from '../support/shells.ts'

const execute = promisify(execFile)

resourceTable(
  'envFile',
  [
    {
      name: 'set and unset',
      given: `printf '# c\\nexport A="1"\\nB=2\\nD=4 # d\\n' >env; chmod 600 env`,
      wanted: at => envFile(at('env'), { set: { A: 'x y', C: 3, D: true }, unset: ['B'] }),
      holds: `[ "$(sed -n 1,3p env)" = '# c\nexport A="x y"\nD=true # d' ] && [ "$(stat -c %a env)" = 600 ]
        . ./env && [ "$A/\${B-}/$C/$D" = "x y//3/true" ]`,
      drift: ['echo A=2 >>env', 'echo B=2 >>env', 'sed -i s/C=3/C=4/ env'],
      note: 'A, C, D, B',
    },
    {
      name: 'a file that is not there is made',
      wanted: at => envFile(at('new'), { set: { A: '' }, export: true }),
      holds: '[ "$(cat new)" = "export A=" ] && [ "$(stat -c %a new)" = 644 ]',
      drift: ['rm new', 'echo "export A=1" >new'],
      note: 'created, A',
    },
    {
      name: 'without quoting',
      given: `printf 'A="1"\\n' >env`,
      wanted: at => envFile(at('env'), { set: { A: '1', B: 'x # y' }, quoting: 'none' }),
      holds: `[ "$(sed -n 2p env)" = 'B=x # y' ] && [ "$(grep ^A env | tail -n 1)" = A=1 ]`,
      drift: [`echo "A=1 " >>env`],
      note: 'A, B',
    },
  ],
  { host: directoryHost },
)

describeEach(awks, 'envFile with $name', awk => {
  test.each([
    ['A=1\n', { A: 1 }, 'A=1\n'],
    [`A='1'\n`, { A: 1 }, `A='1'\n`],
    [`A=a"b c"'d'\\ e\n`, { A: 'ab cd e' }, `A=a"b c"'d'\\ e\n`],
    ['A="x\\"y\\$z\\n"\n', { A: 'x"y$z\\n' }, 'A="x\\"y\\$z\\n"\n'],
    ['A=$HOME\n', { A: '$HOME' }, `A='$HOME'\n`],
    ['A="$HOME"\n', { A: '$HOME' }, `A='$HOME'\n`],
    [`A='$HOME'\n`, { A: '$HOME' }, `A='$HOME'\n`],
    ['A=~/x\n', { A: '~/x' }, 'A="~/x"\n'],
    [`A='one'\n`, { A: `it's` }, `A="it's"\n`],
    ['A=a\\\nb\n', { A: 'ab' }, 'A=a\\\nb\n'],
    ['A=a\\\nb\nB=1\n', { A: 'c' }, 'A=c\nB=1\n'],
    ['A="x\nB=1\n"\n', { B: 2 }, 'A="x\nB=1\n"\nB=2\n'],
    ['A="never ended\nB=1\n', { B: 2 }, 'A="never ended\nB=2\n'],
    [' export  A=1  # why\n', { A: 2 }, ' export  A=2  # why\n'],
    ['A=1; export A\n', { A: 2 }, 'A=2; export A\n'],
    ['A=1 2\n', { A: 1 }, 'A=1\n'],
    ['A=1\nA=2\n', { A: 1 }, 'A=1\nA=1\n'],
    ['AA=1\n#A=1\nA =1\n', { A: 1 }, 'AA=1\nA=1\n#A=1\nA =1\n'],
    ['A=1\r\n', { A: 2, B: 3 }, 'A=2\r\nB=3\r\n'],
    ['\ufeffA=1', { A: 2, B: 3 }, '\ufeffA=2\nB=3\n'],
  ])('%j with %j becomes %j', async (before, set, after) => {
    const host = await testHost({ awk })
    await host.write('env', before)
    const call = envFile(host.at('env'), { set }).call
    const status = before === after ? 'ok' : 'changed'
    expect(await host.run(call)).toMatchObject({ status })
    expect((await host.read('env')).toString()).toBe(after)
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })

  test('a backslash is quoted, whatever follows it', async () => {
    const host = await testHost({ awk })
    const values = ['\\', '\\@', '\\=', 'a\\/b']
    const calls = values.map((A, index) => envFile(host.at(`${index}`), { set: { A } }).call)
    await host.segment(calls)
    expect((await host.segment(calls)).map(({ status }) => status)).toEqual(values.map(() => 'ok'))
    expect((await host.read('1')).toString()).toBe("A='\\@'\n")
  })

  test('any value is what sh reads from the file', async () => {
    const host = await testHost({ awk })
    const value = fc.string({
      unit: fc.constantFrom(...`ab1 "'\\$\`#;&|=~!*?{}()<>%@é☃	`.split('')),
      maxLength: 12,
    })
    const file = fc.constantFrom('', 'A=1\n', `A='x'\n`, 'export A="y" # c\n', 'A="a\nb"\nZ=1\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(file, value), { minLength: 30, maxLength: 30 }),
        async cases => {
          for (const [index, [text]] of cases.entries()) await host.write(`${index}`, text)
          const calls = cases.map(
            ([, A], index) => envFile(host.at(`${index}`), { set: { A } }).call,
          )
          await host.segment(calls)
          expect((await host.segment(calls)).map(({ status }) => status)).toEqual(
            cases.map(() => 'ok'),
          )
          const script = 'for f in "$@"; do (. "$f"; printf "%s\\0" "$A"); done'
          const paths = cases.map((_, index) => host.at(`${index}`))
          const { stdout } = await execute('sh', ['-c', script, 'sh', ...paths])
          expect(stdout.split('\0').slice(0, -1)).toEqual(cases.map(([, value]) => value))
        },
      ),
      { numRuns: 5, endOnFailure: true },
    )
  })
})

describe('a secret variable', () => {
  const host = directoryHost()
  test('is shown nowhere, and a file that is made for it is its owner’s', async () => {
    const directory = await host.directory()
    const wanted = envFile(`${directory}/f`, { set: { TOKEN: secret('hunter2hunter2') } })
    const result = await bring(host, anyShell, directory, wanted, { diff: true })
    expect(result.notes).toEqual(['created, TOKEN'])
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(await host.script('stat -c %a f; cat f', directory)).toBe('600\nTOKEN=hunter2hunter2\n')
  })
})

describe('what can’t be is refused where it is declared', () => {
  test.each([
    ['nothing', () => envFile('/f', {}), 'give at least one variable'],
    [
      'a name that is none',
      () => envFile('/f', { set: { 'a-b': 1 } }),
      'is not a valid variable name',
    ],
    ['two lines', () => envFile('/f', { set: { A: 'a\nb' } }), 'control characters'],
    ['set and unset', () => envFile('/f', { set: { A: 1 }, unset: ['A'] }), 'both set and unset'],
    ['no quoting', () => envFile('/f', { set: { A: 1 }, quoting: 'x' as never }), 'sh or none'],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/env-file\.test\.ts:\d+/) }),
      }),
    )
  })
})
