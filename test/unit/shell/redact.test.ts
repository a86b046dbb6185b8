import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createRedactor } from '../../../lib/shell/redact.ts'
import type { Requires } from '../../support/requires.ts'
import { testEach } from '../../support/shells.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

/** Redacts these values in a text. */
function redact(text: string, values: readonly string[]): string {
  const redactor = createRedactor()
  redactor.hide(values)
  return redactor.redact(text)
}

const nasty = `it's "50%" + $HOME \`id\` a/b\\c <ü日> ~x!`

describe('a redactor removes a secret', () => {
  test('at each place of a text', () => {
    expect(redact('a s3cret-value, s3cret-value', ['s3cret-value'])).toBe('a ********, ********')
    expect(redact('hunter2hunter2', ['hunter2'])).toBe('****************')
    expect(redact('a $& b', ['$& b'])).toBe('a ********')
  })

  test('unless it is too short to distinguish from ordinary text', () => {
    expect(redact('abc', ['', 'b', 'abc'])).toBe('abc')
  })

  test('even if another one overlaps or contains it', () => {
    expect(redact('x abcdefghi y', ['abcdef', 'defghi'])).toBe('x ******** y')
    expect(redact('x abcdefghi y', ['cdef', 'abcdefghi'])).toBe('x ******** y')
  })

  test('line by line, except for very short lines', () => {
    const values = ['{\n  "key": "open sesame"\n  }\n}\r\n']
    expect(redact('+  "key": "open sesame"', values)).toBe('+********')
    expect(redact('  }', values)).toBe('  }')
  })

  test('without the blanks around it, and by its lines however they end', () => {
    expect(redact('| hunter2', [' \thunter2  '])).toBe('| ********')
    for (const end of ['\n', '\r\n', '\r', '\u2028'])
      expect(redact('a first-line b last-line c', [`first-line ${end}last-line`])).toBe(
        'a ********b ******** c',
      )
  })

  const forms: readonly (readonly [string, (value: string) => string])[] = [
    ['JSON', value => JSON.stringify(value)],
    ['URL-encoded', encodeURIComponent],
    ['URL-encoded in lower case', value => encodeURIComponent(value).toLowerCase()],
    ['URL-encoded in part', encodeURI],
    ['a form', value => new URLSearchParams({ value }).toString()],
    ['quoted for a shell', value => `'${value.replaceAll("'", "'\\''")}'`],
    ['base64', value => Buffer.from(value).toString('base64')],
    ['base64 for URLs', value => Buffer.from(value).toString('base64url')],
  ]
  test.each(forms)('in the form of %s', (_name, encode) => {
    for (const value of [nasty, `${nasty}\nsecond line`, 'correct horse battery', 'zażółć gęślą']) {
      // Keep the case of the value itself.
      const wanted = /lower/.test(_name) ? value.toLowerCase() : value
      expect(redact(`a ${encode(wanted)} b`, [wanted])).toMatch(/^a .{0,8}\*{8}.? b$/)
    }
  })

  const programs: readonly [string, Requires, string[]][] = [
    ['bash’s %q', 'bash', ['-c', `printf '%q\\n' "$0"`]],
    ['bash’s %q in the C locale', 'bash', ['-c', `LC_ALL=C; printf '%q\\n' "$0"`]],
    ['bash’s trace', 'bash', ['-c', 'set -x; : "$0"']],
    ['the name of a file as ls prints it', 'bash', ['-c', `ls --quoting-style=shell-escape "$0"`]],
    ['Python’s shlex', 'python3', ['-c', 'import shlex,sys; print(shlex.quote(sys.argv[1]))']],
    ['Python’s repr', 'python3', ['-c', 'import sys; print(repr(sys.argv[1]))']],
    ['Python’s json', 'python3', ['-c', 'import json,sys; print(json.dumps(sys.argv[1]))']],
    [
      'Python’s quote',
      'python3',
      ['-c', 'import sys; from urllib.parse import *; print(quote(sys.argv[1]))'],
    ],
    [
      'Python’s quote_plus',
      'python3',
      ['-c', 'import sys; from urllib.parse import *; print(quote_plus(sys.argv[1]))'],
    ],
    ['base64 of coreutils', 'bash', ['-c', 'printf %s "$0" | base64']],
    ['base64 of openssl', 'bash', ['-c', 'printf "%s\\n" "$0" | openssl base64']],
    ['basic authentication', 'bash', ['-c', 'printf "u:%s" "$0" | base64 -w0']],
  ]
  const rows = programs.map(([name, program, words]) => ({
    ...{ name, program, words },
    tags: [program, ...(name.endsWith('openssl') ? (['openssl'] as const) : [])],
  }))
  testEach(rows, 'in the form of $name', ({ program, words }) => {
    for (const value of [nasty, `${nasty}\nand more`, `${nasty} ${nasty} ${nasty}`]) {
      let printed = ''
      try {
        printed = execFileSync(program, [...words, value], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        })
      } catch (error) {
        // ls names a missing file on standard error.
        printed = String((error as { stderr: string }).stderr)
      }
      const clean = redact(printed, [value])
      // What surrounds the value: quotes, the program's name, first letters that share bits with others.
      const left = clean
        .replaceAll('********', '')
        .replace(/^(\+ : |ls: cannot access |dTo\w?)/, '')
      expect(left.replace(/: No such file or directory|[$"'\\]/g, '').trim()).toMatch(
        /^[=\w]{0,4}$/,
      )
    }
  })

  test('in base64, at each of the three alignments within a longer text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 7 }),
        fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' }),
        fc.uint8Array({ maxLength: 7 }),
        (before, value, after) => {
          fc.pre(value.length >= 4)
          const bytes = Buffer.concat([before, Buffer.from(value), after])
          for (const encoding of ['base64', 'base64url'] as const) {
            const left = redact(bytes.toString(encoding), [value]).replace(/\*{8}/, '')
            // No character of the value is left, except those that share bits with a neighbour.
            const others = before.length + after.length
            expect(left.replace(/=+$/, '').length).toBeLessThanOrEqual(
              Math.ceil((others * 8) / 6) + 2,
            )
          }
        },
      ),
    )
  })
})

describe('a redactor', () => {
  test('adds to the forms of another, without changing that one', () => {
    const shared = createRedactor()
    shared.hide(['first-secret'])
    const own = createRedactor(shared)
    own.hide(['second-secret'])
    expect(own.redact('first-secret second-secret')).toBe('******** ********')
    expect(shared.redact('first-secret second-secret')).toBe('******** second-secret')
  })

  test('lists each form once', () => {
    const redactor = createRedactor()
    for (let again = 0; again < 3; again++) redactor.hide([nasty, 'simple-one'])
    const forms = redactor.forms.map(({ text, exact = false }) => `${exact} ${text}`)
    expect(new Set(forms).size).toBe(forms.length)
  })

  test('looks for large secrets whole, in all forms, and for their lines as they are', () => {
    const redactor = createRedactor()
    const value = Array.from({ length: 5000 }, (_, line) => `line ${line} of "it"`).join('\n')
    redactor.hide([value])
    for (const text of [value, JSON.stringify(value), encodeURIComponent(value), 'line 7 of "it"'])
      expect(redactor.redact(text)).toMatch(/^"?\*{8}"?$/)
    expect(redactor.redact(Buffer.from(value).toString('base64'))).toMatch(/^\*{8}.?$/)
    expect(redactor.forms.length).toBeLessThan(5100)
  })

  test('leaves ordinary text as it is', () => {
    const text = ['docs', 'lib']
      .flatMap(folder =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)),
      )
      .filter(path => /\.(md|ts|sh)$/.test(path))
      .map(path => readFileSync(path, 'utf8'))
      .join('')
    expect(text.length).toBeGreaterThan(1_000_000)
    // Four characters at least; also words that a text has with blanks in them, or in parts on two lines.
    const values = ['the rapist', 'inthefile', 'ofthehost', 'isnotthe', 'x9q2'].concat(
      Array.from({ length: 100 }, (_, index) =>
        createHash('sha256')
          .update(`${index}`)
          .digest('base64url')
          .slice(0, 8 + (index % 20)),
      ),
    )
    const present = values.filter(value => text.toLowerCase().includes(value.toLowerCase()))
    expect(
      redact(
        text,
        values.filter(value => !present.includes(value)),
      ) === text,
    ).toBe(true)
  })

  test('finds one of thousands of lines that begin alike in the time of a few', () => {
    const lines = Array.from({ length: 3000 }, (_, line) => `password-${line}: value ${line}`)
    const redactor = createRedactor()
    redactor.hide([lines.join('\n')])
    expect(redactor.redact(`${lines.join('\n+')}\n+password-`)).toBe(
      `${'********\n+'.repeat(3000)}password-`,
    )
  })

  test('finds short secrets in one line only, where their blanks are', () => {
    for (const text of ['lo\nng', 'lo ng', 'l o n g', 'lo\n ng'])
      expect(redact(text, ['long'])).toBe(text)
    expect(redact('open  sesame opensesame', ['open sesame'])).toBe('******** opensesame')
    expect(redact('open sesame', ['opensesame'])).toBe('open sesame')
  })

  test('takes no time without secrets, and as much for a hundred of them as for one', () => {
    const line =
      'Get:1 http://deb.debian.org/debian bookworm/main amd64 libc6 amd64 2.36-9 [2,755 kB]\n'
    // Work of a millisecond, so that the least of many times is one without interruption.
    const text = line.repeat(1000)
    const time = (work: () => unknown) => {
      const times = Array.from({ length: 60 }, () => {
        const startedAt = performance.now()
        work()
        return performance.now() - startedAt
      })
      return Math.min(...times)
    }
    const withSecrets = (count: number) => {
      const redactor = createRedactor()
      redactor.hide(Array.from({ length: count }, (_, index) => `${nasty}${index}`))
      return time(() => redactor.redact(text))
    }
    // What anything costs that looks at each character.
    const look = time(() => {
      let sum = 0
      for (let at = 0; at < text.length; at++) sum = (sum << 1) ^ text.charCodeAt(at)
      return sum
    })
    // Far above what it takes (6 and 12 times), and far below what a search for each in turn would.
    expect(withSecrets(0)).toBeLessThan(look / 10)
    expect(withSecrets(1)).toBeLessThan(look * 40)
    expect(withSecrets(100)).toBeLessThan(look * 80)
  })
})
