/** Parsing a session's own script: all contents come back, whatever bytes they contain. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostCall } from '../../../lib/session/call.ts'
import { segmentScript, stepScript } from '../../../lib/session/script.ts'
import { readScript } from '../../../lib/session/trace-script.ts'

const awkward = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "it's",
    "'\\''",
    '\n}\n',
    "\\'",
    'hw_content_1() {',
    "<<'hwabc'",
    '\\\n',
    "'",
    '',
  ),
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map(each => Buffer.from(each)),
  fc.array(awkward, { maxLength: 6 }).map(parts => Buffer.from(parts.join('\0'))),
  awkward.map(text => Buffer.from(text)),
)
const args = fc.array(
  awkward.map(text => text.replaceAll('\0', '')),
  { maxLength: 5 },
)

describe('readScript', () => {
  test('returns the contents and the commands of any step', () => {
    fc.assert(
      fc.property(args, bytes, bytes, (words, content, input) => {
        const call: HostCall = { name: 'hw_run', args: words, input }
        const script = Buffer.concat([
          stepScript({ id: 7, call }, { content }),
          Buffer.from('last\n'),
        ])
        const pieces = readScript(script)
        expect(
          pieces.map(piece => (piece.kind === 'line' ? piece.text.split(' ')[0] : piece.name)),
        ).toEqual(['hw_content_7', 'hw_input_7', 'hw_step', 'unset', 'last'])
        const found = pieces.flatMap(piece => (piece.kind === 'content' ? [piece.bytes] : []))
        expect(found[0]!.equals(content) && found[1]!.equals(input)).toBe(true)
      }),
    )
  })

  test('returns content of more than one piece', () => {
    const content = Buffer.from("a'\\\0b\n".repeat(40_000))
    const [piece] = readScript(
      stepScript({ id: 1, call: { name: 'hw_file', args: [] } }, { content }),
    )
    expect(piece).toMatchObject({ kind: 'content', name: 'hw_content_1' })
    expect(piece!.kind === 'content' && piece!.bytes.equals(content)).toBe(true)
  })

  test('keeps a here-document with its command', () => {
    const gather = [{ by: 'hw_gather_editors', of: ['ini', '/etc/a'], input: ["V it's", 'S x'] }]
    const steps = [{ id: 1, call: { name: 'hw_ini', args: ['/etc/a'], gather } }]
    const texts = readScript(segmentScript(steps, { check: false, diff: false }, 'hwabc')).map(
      piece => (piece.kind === 'line' ? piece.text : ''),
    )
    expect(texts).toEqual([
      "hw_segment '' '' ''",
      "hw_gather_editors 1 ini /etc/a <<'hwabc'\nV it's\nS x\nhwabc",
      'hw_step 1 hw_ini /etc/a',
    ])
  })
})
