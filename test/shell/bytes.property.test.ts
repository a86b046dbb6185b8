import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HostCall } from '../../lib/session/call.ts'
import { describeEach, shells, testHost } from '../support/shells.ts'
import { contentOf, runCall } from './calls.ts'

/** Pieces that shells, printf and frames could take for something of their own. */
const tricky = fc.constantFrom(
  ...["'", '"', '\\', '\\\\', '\\0', '\\c', '%', '%s', '$', '`', '\n', '\r', '\r\n', '!', '\x7f'],
  ...[
    '\x01',
    '\x81',
    '\x82',
    '\x88',
    '\xff',
    "'\\''",
    '-n',
    '-e',
    '\t',
    '*',
    '~',
    '#',
    '\0',
    '\x001',
  ],
  ...['\nhw', 'EOF\n', '\x1b[', '$x', '$(', '}', ';', '&'],
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map(each => Buffer.from(each)),
  fc.array(tricky, { maxLength: 30 }).map(each => Buffer.from(each.join(''), 'latin1')),
)
const argument = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(tricky, { maxLength: 20 }).map(each => each.join('')),
  )
  .map(text => text.replaceAll('\0', ''))

// Many values go through one session at once: a run is one write.
/** Prints its content. */
const printing = {
  name: 'eval',
  args: ['print_it() { hw_words 0 content "$@" && "$hw_want_content"; }; print_it'],
}

const many = { minLength: 40, maxLength: 40 }
const runs = { numRuns: 8 }

describeEach(shells, 'any bytes under $name', shell => {
  test('come through content functions as they are', async () => {
    const { session } = await testHost({ shell })
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, many), async values => {
        const calls = values.map(
          (value): HostCall => ({
            ...printing,
            content: contentOf(value),
          }),
        )
        const results = await Promise.all(calls.map(call => session.call(call)))
        expect(results.map(({ stdout }) => stdout.toString('latin1'))).toEqual(
          values.map(value => value.toString('latin1')),
        )
      }),
      runs,
    )
  })

  test('come through content functions wherever they fall in large content', async () => {
    const { session } = await testHost({ shell })
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(250), async (value, before) => {
        const content = Buffer.concat([
          Buffer.alloc(65_536 - before, 'x'),
          value,
          Buffer.alloc(65_536, "'"),
          value,
        ])
        const { stdout } = await session.call({
          ...printing,
          content: contentOf(content),
        })
        expect(stdout.equals(content)).toBe(true)
      }),
      runs,
    )
  })

  test('come through arguments as they are, but for NUL', async () => {
    const { session } = await testHost({ shell })
    await fc.assert(
      fc.asyncProperty(fc.array(argument, many), async values => {
        const calls = values.map((value): HostCall => ({ name: 'hw_put', args: [value] }))
        const results = await Promise.all(calls.map(call => session.call(call)))
        expect(results.map(({ stdout }) => stdout.toString())).toEqual(
          values.map(value => Buffer.from(value).toString()),
        )
      }),
      runs,
    )
  })

  test('come through a command’s text, environment and input as they are', async () => {
    const { session } = await testHost({ shell })
    await fc.assert(
      fc.asyncProperty(argument, argument, bytes, async (inText, inEnv, input) => {
        const quoted = `'${inText.replaceAll("'", "'\\''")}'`
        const command = `printf '%s\\n' ${quoted} "$V"; cat`
        const { stdout } = await session.call(runCall(command, { env: [`V=${inEnv}`], input }))
        const expected = Buffer.concat([Buffer.from(`${inText}\n${inEnv}\n`), input])
        expect(stdout.toString('latin1')).toBe(expected.toString('latin1'))
      }),
      { numRuns: 30 },
    )
  })
})
