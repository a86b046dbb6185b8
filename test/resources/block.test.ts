import { describe, expect, test } from 'vitest'
import { block } from '../../lib/resources/editing/block.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, describeEach, shells, testHost } from '../support/shells.ts'

resourceTable(
  'block',
  [
    {
      name: 'added after a line, and repaired where it was changed',
      given: 'printf "a\\nb\\n" >conf',
      wanted: at => block(at('conf'), { marker: 'x', content: 'one\n\ntwo\n', after: 'a' }),
      holds: '[ "$(cat conf)" = "a\n# BEGIN x\none\n\ntwo\n# END x\nb" ]',
      drift: ['sed -i s/two/three/ conf', 'sed -i /one/d conf', 'sed -i "/BEGIN/,/END/d" conf'],
      note: 'added',
    },
    {
      name: 'with other comments',
      given: 'printf "<a>\\n</a>\\n" >conf',
      wanted: at =>
        block(at('conf'), { comment: ['<!--', '-->'], content: '<b/>', before: /^<\/a>/ }),
      holds:
        '[ "$(cat conf)" = "<a>\n<!-- BEGIN hostwright -->\n<b/>\n<!-- END hostwright -->\n</a>" ]',
      drift: ['sed -i s/b/c/ conf'],
      note: 'added',
    },
    {
      name: 'gone, and others stay',
      given: 'printf "# BEGIN x\\na\\n# END x\\n# BEGIN y\\nb\\n# END y\\n" >conf',
      wanted: at => block(at('conf'), { marker: 'x', absent: true }),
      holds: '[ "$(cat conf)" = "# BEGIN y\nb\n# END y" ]',
      drift: ['printf "  # BEGIN x \\n\\t# END x\\n" >>conf'],
      note: 'removed',
    },
    {
      // The markers of the older cases were at the beginning of a line, and as we write them.
      name: 'with markers further in, as YAML needs them',
      given: 'printf "on:\n  run: |\n    a\n" >conf',
      wanted: at =>
        block(at('conf'), { comment: '    #', marker: 'x', content: '    b', after: '    a' }),
      holds: `[ "$(cat conf)" = "on:\n  run: |\n    a\n    # BEGIN x\n    b\n    # END x" ]`,
      drift: ['sed -i "s/    b/    c/" conf', 'sed -i "/BEGIN/,/END/d" conf'],
      note: 'added',
    },
    {
      name: 'that Ansible made, whose markers stay',
      given: 'printf "a\n#BEGIN x\nold\n#END x\n#BEGIN xy\nb\n#END xy" >conf',
      wanted: at => block(at('conf'), { marker: 'x', content: 'new' }),
      holds: `printf "a\n#BEGIN x\nnew\n#END x\n#BEGIN xy\nb\n#END xy" | cmp - conf`,
      drift: ['sed -i s/new/old/ conf'],
      note: 'content',
    },
    {
      name: 'behind a line without a newline, which gets one',
      given: 'printf "a" >conf',
      wanted: at => block(at('conf'), { content: 'b' }),
      holds: `printf "a\n# BEGIN hostwright\nb\n# END hostwright\n" | cmp - conf`,
      drift: ['printf "a" >conf'],
      note: 'added',
    },
    {
      name: 'a file that is not there is made',
      wanted: at => block(at('new'), { content: 'a' }),
      holds: '[ "$(cat new)" = "# BEGIN hostwright\na\n# END hostwright" ]',
      drift: ['rm new'],
      note: 'created, added',
    },
  ],
  { host: directoryHost },
)

describeEach(shells, 'block under $name', shell => {
  test.each([
    ['# BEGIN x\na\n', 'line 1 is `# BEGIN x`, but there is no `# END x` to it'],
    ['a\n# END x\n# BEGIN x\n', 'line 2 is `# END x`, but there is no `# BEGIN x` to it'],
    ['# BEGIN x\n# BEGIN x\n# END x\n', 'line 1 is `# BEGIN x`, but there is no `# END x` to it'],
    ['# BEGIN x\n# END x\n# BEGIN x\n# END x\n', 'stands there 2 times'],
  ])('markers that are not a pair fail the step, and the file stays: %j', async (text, message) => {
    const host = await testHost({ shell })
    await host.write('conf', text)
    const call = block(host.at('conf'), { marker: 'x', content: 'a' }).call
    for (const mode of [{ check: true }, {}]) {
      const result = await host.run(call, mode)
      expect(result).toMatchObject({ status: 'failed', code: 'file_invalid' })
      expect(result.stderr.toString()).toContain(message)
    }
    expect((await host.read('conf')).toString()).toBe(text)
  })
})

describe('a secret block', () => {
  const host = directoryHost()
  test('is shown nowhere, and a file that is made for it is its owner’s', async () => {
    const directory = await host.directory()
    const wanted = block(`${directory}/f`, { content: secret('user\nhunter2hunter2') })
    const result = await bring(host, anyShell, directory, wanted, { diff: true })
    expect(result.statuses).toEqual(['changed'])
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(await host.script('stat -c %a f; grep -c hunter2 f', directory)).toBe('600\n1\n')
  })
})

describe('what can’t be is refused where it is declared', () => {
  test.each([
    ['no content', () => block('/f', {}), 'give the content'],
    [
      'a marker line in the content',
      () => block('/f', { content: 'a\n # END hostwright' }),
      'a marker',
    ],
    ['an empty marker', () => block('/f', { marker: ' ', content: 'a' }), 'marker is empty'],
    ['a marker of two lines', () => block('/f', { marker: 'a\nb', content: 'a' }), 'control'],
    ['control characters', () => block('/f', { content: 'a\x1b' }), 'control characters'],
    [
      'content of what is absent',
      () => block('/f', { content: 'a', absent: true }),
      'takes no content',
    ],
    ['before and after', () => block('/f', { content: 'a', before: 'b', after: 'c' }), 'not both'],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/block\.test\.ts:\d+/) }),
      }),
    )
  })
})
