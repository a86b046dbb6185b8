import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { stepScript } from '../../../lib/session/script.ts'
import { createSessionTrace, type Sign } from '../../../lib/session/trace.ts'

function traced() {
  const entries: string[] = []
  const trace = createSessionTrace({
    entry: (sign: Sign, text) => entries.push(`${sign} ${text}`),
    flush: () => entries.push('flush'),
  })
  const output = (text: string | Buffer, stream: 'stdout' | 'stderr' = 'stdout') =>
    trace.received(stream, { kind: 'output', chunk: Buffer.from(text) })
  const mark = (words: string, stream: 'stdout' | 'stderr' = 'stdout') =>
    trace.received(stream, { kind: 'mark', words: words.split(' ') })
  return { entries, trace, output, mark }
}

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

describe('a trace of what is sent', () => {
  test('shows parts of the prelude by name and size, and steps by their titles', () => {
    const { entries, trace } = traced()
    trace.name(3, 'file /etc/motd')
    const script = stepScript({ id: 3, call: { name: 'hw_file', args: ['/etc/motd', "it's"] } })
    trace.sent(script, { names: ['core', 'file'], bytes: 12_345 })
    expect(entries).toEqual([
      '> prelude: core, file (12,345 bytes)',
      '> # step 3: file /etc/motd',
      `> hw_step 3 hw_file /etc/motd 'it'\\''s'`,
    ])
  })

  test('shows text content as text, and other content by size and hash', () => {
    const { entries, trace } = traced()
    const call = { name: 'hw_file', args: [] }
    const [binary, long] = [Buffer.from([0, 255, 10]), Buffer.from('x'.repeat(9000))]
    trace.sent(stepScript({ id: 1, call }, { content: Buffer.from('one\ntwo\n') }))
    trace.sent(stepScript({ id: 2, call }, { content: binary }))
    trace.sent(stepScript({ id: 3, call }, { content: long }))
    expect(entries.filter(entry => !/^> (hw_step|unset)/.test(entry))).toEqual([
      '> hw_content_1() prints 8 bytes:',
      '> | one\n| two',
      `> hw_content_2() prints (3 bytes not shown, sha256 ${sha256(binary)})`,
      `> hw_content_3() prints (9,000 bytes not shown, sha256 ${sha256(long)})`,
    ])
  })

  test('adds a bar at ends of lines only, so that a carriage return does not cut a secret', () => {
    const { entries, trace } = traced()
    const text = 'pass\rword and\u2028more\nlast'
    trace.sent(
      stepScript({ id: 1, call: { name: 'hw_file', args: [] } }, { content: Buffer.from(text) }),
    )
    expect(entries[1]).toBe('> | pass\rword and\u2028more\n| last')
  })

  test('shows a long command by its function, size and hash', () => {
    const { entries, trace } = traced()
    trace.sent(stepScript({ id: 4, call: { name: 'hw_run', args: ['y'.repeat(9000)] } }))
    expect(entries).toEqual([
      expect.stringMatching(
        /^> hw_step 4 hw_run … \(9,017 bytes not shown, sha256 [0-9a-f]{64}\)$/,
      ),
    ])
  })
})

describe('a trace of what is received', () => {
  test('shows whole lines, however they are cut, and separates them from frames', () => {
    const { entries, trace, output, mark } = traced()
    trace.name(1, 'say')
    output('hel')
    output('lo\nwor')
    output('oops\n', 'stderr')
    output('ld')
    mark('end 1 changed 0 - content, mode')
    mark('end 1', 'stderr')
    trace.end('the shell ended: exit status 0')
    expect(entries).toEqual([
      '< | hello',
      '! | oops',
      '< | world',
      '< end 1 changed 0 - content, mode  # say',
      '! end 1',
      '- the shell ended: exit status 0',
      'flush',
    ])
  })

  test('leaves blanks at the end of a note, which may be those of a secret', () => {
    const { entries, mark } = traced()
    mark('end 1 ok 0 - secret   ')
    mark('end 2 ok 0 - ')
    expect(entries).toEqual(['< end 1 ok 0 - secret   ', '< end 2 ok 0 -'])
  })

  test('shows everything from the first binary line to the next frame by size and hash', () => {
    const { entries, output, mark } = traced()
    output('text\n')
    output(Buffer.from('a\0b\nc'))
    output('d\n')
    mark('old')
    output('more')
    mark('end 1 ok 0 -')
    expect(entries).toEqual([
      '< | text',
      `< (7 bytes not shown, sha256 ${sha256('a\0b\ncd\n')})`,
      '< old',
      '< | more',
      '< end 1 ok 0 -',
    ])
  })

  test('limits the length of a line and the number of lines', () => {
    const { entries, output, mark } = traced()
    for (let sent = 0; sent < 100; sent++) output('z'.repeat(1000))
    mark('end 1 ok 0 -')
    output('line\n'.repeat(10_000))
    mark('end 2 ok 0 -')
    expect(entries.length).toBe(1 + 1 + 500 + 1 + 1)
    expect(entries[0]).toBe(`< (100,000 bytes not shown, sha256 ${sha256('z'.repeat(100_000))})`)
    expect(entries.at(-2)).toMatch(/^< \(47,500 bytes not shown/)
  })
})
